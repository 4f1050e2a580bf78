;; The child's side of the pipe. Requests come on stdin, answers go to stdout, and nothing else does: whatever else is
;; printed goes to stderr. The protocol is described in the package comment of dclone/datomic/live.
;;
;; What is done through which of Datomic's libraries is told by client.clj and peer.clj, which are loaded by a request, so
;; that neither library needs to be there for the other.

(ns dclone.main
  (:require [dclone.wire :as wire])
  (:import [clojure.lang Compiler Indexed Keyword]
           dclone.wire.Sink
           [java.io BufferedInputStream DataInputStream EOFException FileDescriptor FileOutputStream OutputStream StringReader]
           [java.util Iterator UUID]
           [java.util.concurrent ConcurrentHashMap ExecutionException ExecutorService Executors Semaphore ThreadFactory]))

(set! *warn-on-reflection* true)
(set! *unchecked-math* true)

(def ^:private ok 0)
(def ^:private part 1)
(def ^:private failed 2)

;; ---- answers

(def ^:private ^OutputStream out (FileOutputStream. FileDescriptor/out))

(defn- begin!
  "Begins an answer. Its value is to follow, then send!."
  [^Sink w id kind]
  (.clear w)
  (.fixed w 0 4)
  (.code w 0xE7)
  (.integer w (long id))
  (.integer w (long kind)))

(defn- send! [^Sink w]
  (.patch w 0 (- (.size w) 4))
  (locking out
    (.writeTo w out)
    (.flush out)))

(defn- answer! [id kind v]
  (let [w (wire/sink)]
    (begin! w id kind)
    (wire/value! w v)
    (send! w)))

;; ---- errors

(defn- chain [e] (take-while some? (iterate #(.getCause ^Throwable %) e)))

(defn- telling
  "The exception of the chain that says most: the first with an anomaly or an error of Datomic's, else the last."
  [e]
  (or (first (filter #(let [d (ex-data %)] (or (:cognitect.anomalies/category d) (:db/error d))) (chain e)))
      (last (chain e))))

(defn- text-of [v] (if (instance? Keyword v) (str (symbol v)) (when v (str v))))

(defn- shortened [^String s] (subs s 0 (min 4000 (count s))))

(defn- described [e]
  (let [^Throwable t (telling e)
        data (ex-data t)]
    {"class" (.getName (class t))
     "message" (shortened (str (or (:cognitect.anomalies/message data) (.getMessage t))))
     "anomaly" (text-of (:cognitect.anomalies/category data))
     "db/error" (text-of (:db/error data))
     "data" (when data (shortened (binding [*print-length* 20 *print-level* 4] (pr-str data))))}))

;; ---- streams

(defrecord Stream [id ^Semaphore credit cancelled])

(defn- proceed?
  "Waits until another part may be sent, and answers whether it is still wanted."
  [^Stream s]
  (.acquire ^Semaphore (.-credit s))
  (not @(.-cancelled s)))

(defn- t-and-op
  "A datom's t, and in the lowest bit whether it asserts."
  ^long [^Indexed d]
  (+ (* 2 (bit-and (.longValue ^Number (.nth d 3)) 0x3FFFFFFFFFF))
     (if (.booleanValue ^Boolean (.nth d 4)) 1 0)))

(defn- datom! [^Sink w ^Indexed d]
  (.integer w (.longValue ^Number (.nth d 0)))
  (.integer w (.longValue ^Number (.nth d 1)))
  (.integer w (t-and-op d))
  (wire/value! w (.nth d 2)))

(def ^:private enough "bytes of a part" 0x80000)

(defn- begin-part! [^Sink w ^Stream s]
  (begin! w (.-id s) part)
  (.code w 0xED))

(defn- end-part! [^Sink w]
  (.code w 0xFD)
  (send! w))

(defn- send-datoms!
  "Sends datoms up to those of entity end."
  [^Stream s ^Iterator datoms ^long end ^long chunk]
  (let [w (wire/sink)]
    (loop []
      (when (and (.hasNext datoms) (proceed? s))
        (begin-part! w s)
        (let [more (loop [n 0]
                     (if (and (< n chunk) (< (.size w) (long enough)) (.hasNext datoms))
                       (let [^Indexed d (.next datoms)]
                         (when (< (.longValue ^Number (.nth d 0)) end)
                           (datom! w d)
                           (recur (inc n))))
                       true))]
          (end-part! w)
          (when more (recur)))))))

(defn- send-txs!
  "Sends transactions, each as t, id, the number of its datoms, and these. A part may end between any two datoms."
  [^Stream s ^Iterator txs ^long chunk]
  (let [w (wire/sink)
        full? (fn [n] (or (>= (long n) chunk) (>= (.size w) (long enough))))]
    (loop [n -1 ^Iterator datoms nil]
      (cond
        (neg? n) (when (and (.hasNext txs) (proceed? s))
                   (begin-part! w s)
                   (recur 0 datoms))
        (and (full? n) (or (and datoms (.hasNext datoms)) (.hasNext txs)))
        (do (end-part! w)
            (when (proceed? s)
              (begin-part! w s)
              (recur 0 datoms)))
        (and datoms (.hasNext datoms)) (do (datom! w (.next datoms)) (recur (inc n) datoms))
        (.hasNext txs) (let [{:keys [t id data]} (.next txs)]
                         (.integer w (long t))
                         (wire/value! w (when (instance? UUID id) id))
                         (.integer w (count data))
                         (recur (inc n) (.iterator ^Iterable data)))
        :else (end-part! w)))))

;; ---- databases

(def apis
  "By name, what an API does: functions by keyword. See client.clj."
  (atom {}))

(defrecord Database [api conn pinned])

(def ^:private databases (atom []))

(defn- database ^Database [h] (@databases h))

(defn- call [^Database d k & args] (apply (get (.-api d) k) args))

(defn- pin!
  "Takes up the newest database value."
  [^Database d db]
  (reset! (.-pinned d) db)
  {"basis" (call d :basis db)})

(defn- db-at [^Database d t]
  (let [db @(.-pinned d)]
    (if (= t (call d :basis db)) db (call d :as-of db t))))

(defn- iterator ^Iterator [xs]
  (let [^Iterable xs (or xs ())] (.iterator xs)))

(defn- report-of [^Database d {:keys [db-before db-after tempids tx-data]}]
  [(call d :basis db-before) (call d :basis db-after)
   (into {} (filter (comp string? key)) tempids)
   (into [] (mapcat (fn [^Indexed x] [(.nth x 0) (.nth x 1) (t-and-op x) (.nth x 2)])) tx-data)])

(defmulti ^:private perform
  "Does what a request asks for. What it answers is sent, unless it has sent parts itself."
  (fn [_ op _] op))

(defmethod perform "load" [_ _ [file source]]
  (Compiler/load (StringReader. source) file file)
  nil)

(defmethod perform "compile" [_ _ [namespace classes]]
  (binding [*compile-files* true *compile-path* classes]
    (require (symbol namespace)))
  nil)

(defmethod perform "connect" [_ _ [api arg db-name]]
  (let [api (@apis api)
        conn ((:connect api) arg db-name)
        db ((:newest api) conn)
        h (dec (count (swap! databases conj (->Database api conn (atom db)))))]
    {"database" h "id" ((:id api) db) "kind" ((:kind api) arg) "basis" ((:basis api) db)}))

(defmethod perform "databases" [_ _ [api arg]]
  (vec ((:databases (@apis api)) arg)))

(defmethod perform "create" [_ _ [api arg db-name]]
  (boolean ((:create (@apis api)) arg db-name)))

(defmethod perform "upgrade" [_ _ [api arg db-name]]
  ((:upgrade (@apis api)) arg db-name)
  nil)

(defmethod perform "refresh" [_ _ [h]]
  (let [d (database h)] (pin! d (call d :newest (.-conn d)))))

(defmethod perform "sync" [_ _ [h]]
  (let [d (database h)] (pin! d (call d :sync (.-conn d)))))

(defmethod perform "datoms" [s _ [h a t history end chunk]]
  (let [d (database h)]
    (send-datoms! s (iterator (call d :datoms (db-at d t) a history)) end chunk)))

(defmethod perform "txs" [s _ [h from to chunk]]
  (let [d (database h)]
    (send-txs! s (iterator (call d :txs (.-conn d) from to)) chunk)))

(defmethod perform "present" [_ _ [h t as]]
  (let [d (database h) db (db-at d t)]
    (filterv #(.hasNext (iterator (call d :datoms db % true))) as)))

(defmethod perform "stats" [_ _ [h]]
  (let [d (database h)]
    (into [] (mapcat (fn [[ident {:keys [count]}]] [ident count])) (:attrs (call d :stats @(.-pinned d))))))

(defmethod perform "lookup" [_ _ [h a vs]]
  (let [d (database h) db @(.-pinned d)]
    (mapv #(let [found (iterator (call d :holders db a %))]
             (when (.hasNext found) (.nth ^Indexed (.next found) 0)))
          vs)))

(defmethod perform "transact" [_ _ [h forms]]
  (let [d (database h)] (report-of d (call d :transact (.-conn d) forms))))

(defmethod perform "index" [_ _ [h]]
  (let [d (database h)] (call d :index (.-conn d)))
  nil)

(defmethod perform "with" [_ _ [h & trials]]
  (let [d (database h)] (report-of d (call d :with (.-conn d) trials))))

;; ---- requests

(def ^:private ^ConcurrentHashMap under-way (ConcurrentHashMap.))

(def ^:private ^ExecutorService threads
  (Executors/newCachedThreadPool
   (reify ThreadFactory
     (newThread [_ r] (doto (Thread. r "request") (.setDaemon true))))))

(defn- serve [^Stream s op args]
  (let [id (.-id s)]
    (try
      (answer! id ok (perform s op args))
      (catch Throwable e
        (answer! id failed (described e)))
      (finally
        (.remove under-way id)))))

(defn- request! [[id op & args]]
  (case op
    "more" (when-let [^Stream s (.get under-way id)]
             (.release ^Semaphore (.-credit s) (int (first args))))
    "cancel" (when-let [^Stream s (.get under-way id)]
               (reset! (.-cancelled s) true)
               (.release ^Semaphore (.-credit s)))
    (let [s (->Stream id (Semaphore. (int (first args))) (atom false))]
      (.put under-way id s)
      (.execute threads #(serve s op (rest args))))))

(defn run
  "Serves requests until stdin is closed, which ends the process whatever it is doing."
  [^DataInputStream in]
  (try
    (answer! 0 ok (System/getProperty "java.version"))
    (loop []
      (let [b (byte-array (.readInt in))]
        (.readFully in b)
        (request! (wire/read-value (wire/reader b)))
        (recur)))
    (catch EOFException _
      (.halt (Runtime/getRuntime) 0))
    (catch Throwable e
      (.printStackTrace e)
      (.halt (Runtime/getRuntime) 1))))
