;; The child's side of the harness: requests on stdin, answers on stdout. The protocol is described in
;; protocol.go.

(ns interop.server
  (:require [clojure.string :as str])
  (:import [clojure.lang Compiler LineNumberingPushbackReader]
           [java.io BufferedOutputStream DataInputStream DataOutputStream EOFException StringReader]
           [java.util.concurrent LinkedBlockingQueue]))

(def ^:private loaded (atom #{}))

(defn load-once [file source]
  (when-not (@loaded file)
    (Compiler/load (StringReader. source) file file)
    (swap! loaded conj file))
  nil)

(defn- eval-forms [code]
  (let [in (LineNumberingPushbackReader. (StringReader. code))]
    (loop [value nil]
      (let [form (read {:eof in :read-cond :allow} in)]
        (if (identical? form in)
          value
          (recur (eval form)))))))

(defn- telling
  "The exception of the chain that says most: the first with data that is not the compiler's, else the last."
  [e]
  (let [chain (take-while some? (iterate #(.getCause ^Throwable %) e))
        own (remove #(instance? clojure.lang.Compiler$CompilerException %) chain)]
    (or (first (filter ex-data own)) (last chain))))

(defn- trace
  "Where e was thrown, without the frames of Clojure and Datomic themselves."
  [^Throwable e]
  (->> (.getStackTrace e)
       (map str)
       (remove #(re-find #"^(java|jdk|clojure|datomic)\." %))
       (cons (str e))
       (str/join "\n\tat ")))

(defn- answer [code]
  (try
    [(binding [*ns* (the-ns 'user)
               *print-length* nil
               *print-level* nil
               *warn-on-reflection* false
               *unchecked-math* false]
       (pr-str (eval-forms code)))]
    (catch Throwable e
      (let [t (telling e)]
        [(.getName (class t)) (str (.getMessage ^Throwable t)) (binding [*print-length* 100] (pr-str (ex-data t))) (trace e)]))))

(defn- send-answer [^DataOutputStream out strings]
  (.writeByte out (count strings))
  (doseq [^String s strings]
    (let [b (.getBytes s "UTF-8")]
      (.writeInt out (alength b))
      (.write out b)))
  (.flush out))

(defn- receive
  "Queues requests until stdin is closed, which ends the process whatever it is doing."
  [^LinkedBlockingQueue queue]
  (try
    (let [in (DataInputStream. System/in)]
      (loop []
        (let [b (byte-array (.readInt in))]
          (.readFully in b)
          (.put queue (String. b "UTF-8"))
          (recur))))
    (catch Throwable e
      (.halt (Runtime/getRuntime) (if (instance? EOFException e) 0 1)))))

(let [out (DataOutputStream. (BufferedOutputStream. System/out))
      queue (LinkedBlockingQueue.)]
  (System/setOut System/err)
  (alter-var-root #'*out* (constantly *err*))
  (doto (Thread. #(receive queue)) (.setDaemon true) .start)
  (binding [*out* *err*]
    (loop []
      (send-answer out (answer (.take queue)))
      (recur))))
