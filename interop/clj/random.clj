;; Random transactions over a small schema, the same ones for the same seed.
;;
;;   (random/schema! conn)        installs the schema
;;   (random/tx! conn rnd)        makes one transaction; rnd is a java.util.Random
;;   (random/txs! conn seed n)    makes n of them

(ns random
  (:require [datomic.client.api :as d]
            [interop :refer [attr]])
  (:import [java.util Date Random UUID]))

(defn- start [conn]
  (max interop/epoch (interop/newest-instant (d/db conn))))

(defn schema! [conn]
  (interop/tx-at! conn (start conn)
                  [(attr :r/id :long :db/unique :db.unique/identity)
                   (attr :r/key :string :db/unique :db.unique/value)
                   (attr :r/name :string)
                   (attr :r/n :long)
                   (attr :r/tags :keyword :many true)
                   (attr :r/ns :long :many true)
                   (attr :r/ref :ref)
                   (attr :r/refs :ref :many true)
                   (attr :r/parts :ref :many true :db/isComponent true)
                   (attr :r/pair :tuple :db/tupleTypes [:db.type/ref :db.type/long])
                   (attr :r/pairs :tuple :many true :db/tupleType :db.type/ref)
                   (attr :r/no :long :db/noHistory true)
                   (attr :r/at :instant)
                   (attr :r/amount :bigdec)
                   (attr :r/who :string)])
  (interop/tx-at! conn (start conn)
                  [(attr :r/name+n :tuple :db/tupleAttrs [:r/name :r/n])]))

(defn- pick [^Random rnd xs]
  (nth xs (.nextInt rnd (count xs))))

(defn- ids [db]
  (vec (sort (map first (d/q '[:find ?i :where [_ :r/id ?i]] db)))))

(defn- extra-attrs
  "Attributes that random work has added: ident and value type, by ident."
  [db]
  (->> (d/q '[:find ?i ?t :where [?a :db/ident ?i] [?a :db/valueType ?vt] [?vt :db/ident ?t]] db)
       (filter #(= "r.x" (namespace (first %))))
       sort
       vec))

(defn- small-value [rnd type]
  (case type
    :db.type/string (pick rnd ["" "a" "b" "c d" "é" "😀"])
    :db.type/long (long (.nextInt ^Random rnd 6))
    :db.type/keyword (pick rnd [:a :b :a/b])
    :db.type/boolean (.nextBoolean ^Random rnd)
    :db.type/bigdec (pick rnd [1.5M -2M 3.25M])
    :db.type/uuid (UUID. 0 (.nextInt ^Random rnd 4))))

(defn- existing [rnd ids]
  (if (seq ids) [:r/id (pick rnd ids)] :r/id))

(defn- some-entity
  "An entity to refer to: one that is there, a new one, a builtin, the transaction."
  [rnd ids fresh]
  (case (int (.nextInt ^Random rnd 8))
    0 :db.type/string
    1 "datomic.tx"
    2 (if (seq fresh) (pick rnd fresh) :r/name)
    (existing rnd ids)))

(defn- without-partition
  "v, if it is an entity id or a tuple of them, without what Datomic Local chose at random."
  [v]
  (cond (int? v) (interop/eidx v)
        (vector? v) (mapv without-partition v)
        :else v))

(defn- old-datom
  "The retraction of a datom that an identified entity has."
  [^Random rnd db ids]
  (when (seq ids)
    (let [e (:db/id (d/pull db [:db/id] [:r/id (pick rnd ids)]))
          own (->> (d/datoms db {:index :eavt :components [e] :limit -1})
                   (map (juxt :a :v))
                   (remove (fn [[a _]] (#{:r/id :r/name+n} (:db/ident (d/pull db [:db/ident] a)))))
                   (sort-by (fn [[a v]] [a (interop/dump-value (without-partition v))]))
                   vec)]
      (when (seq own)
        (let [[a v] (pick rnd own)]
          [:db/retract e a v])))))

(defn- op [^Random rnd db ids fresh]
  (let [target #(if (and (seq fresh) (.nextBoolean rnd)) (pick rnd fresh) (existing rnd ids))]
    (case (int (.nextInt rnd 18))
      0 [:db/add (target) :r/name (small-value rnd :db.type/string)]
      1 [:db/add (target) :r/n (small-value rnd :db.type/long)]
      2 [:db/add (target) :r/tags (small-value rnd :db.type/keyword)]
      3 [:db/add (target) :r/ns (small-value rnd :db.type/long)]
      4 [:db/add (target) :r/ref (some-entity rnd ids fresh)]
      5 [:db/add (target) :r/refs (some-entity rnd ids fresh)]
      6 {:db/id (target) :r/parts [{:r/name (small-value rnd :db.type/string) :r/n 1}]}
      7 [:db/add (target) :r/pair [(existing rnd ids) (pick rnd [nil 1 2])]]
      8 [:db/add (target) :r/pairs [(existing rnd ids) nil]]
      9 [:db/add (target) :r/no (small-value rnd :db.type/long)]
      10 [:db/add (target) :r/at (Date. (long (* 1000 (.nextInt rnd 5))))]
      11 [:db/add (target) :r/amount (small-value rnd :db.type/bigdec)]
      12 [:db/add (target) :r/key (str "k" (.nextInt rnd 12))]
      13 [:db/add "datomic.tx" (pick rnd [:r/who :r/name]) (small-value rnd :db.type/string)]
      14 (if-let [xs (seq (extra-attrs db))]
           (let [[a t] (pick rnd (vec xs))]
             [:db/add (target) a (small-value rnd t)])
           [:db/add (target) :r/n 0])
      15 (or (old-datom rnd db ids) [:db/add "datomic.tx" :r/n 1])
      16 (or (old-datom rnd db ids) [:db/add "datomic.tx" :r/n 2])
      17 (if (and (seq ids) (zero? (.nextInt rnd 4)))
           [:db/retractEntity [:r/id (pick rnd ids)]]
           [:db/add (target) :db/doc (small-value rnd :db.type/string)]))))

(defn- schema-op [^Random rnd db]
  (let [xs (extra-attrs db)
        fresh (fn [] (keyword "r.x" (str "a" (:t db))))]
    (case (int (if (seq xs) (.nextInt rnd 6) 0))
      (0 1) (attr (fresh) (pick rnd [:string :long :keyword :boolean :bigdec :uuid]) :many (.nextBoolean rnd))
      2 {:db/id (first (pick rnd xs)) :db/ident (fresh)}
      3 {:db/id (first (pick rnd xs)) :db/cardinality :db.cardinality/many}
      4 {:db/id (first (pick rnd xs)) :db/noHistory (.nextBoolean rnd)}
      5 {:db/ident (keyword "r.enum" (str "e" (:t db))) :r/n 1})))

(defn tx!
  "Makes one random transaction: answers its t, or the :db/error with which it was refused."
  [conn ^Random rnd]
  (let [db (d/db conn)
        ids (ids db)
        next-id (if (seq ids) (inc (peek ids)) 0)
        born (.nextInt rnd 3)
        fresh (mapv #(str "new" %) (range born))
        data (concat (for [[i f] (map-indexed vector fresh)] {:db/id f :r/id (+ next-id i)})
                     (doall (repeatedly (.nextInt rnd 8) #(op rnd db ids fresh)))
                     (when (zero? (.nextInt rnd 12)) [(schema-op rnd db)]))
        ms (+ (max interop/epoch (interop/newest-instant db)) (.nextInt rnd 3))]
    (try (:t (:db-after (interop/tx-at! conn ms data)))
         (catch clojure.lang.ExceptionInfo e
           (or (:db/error (ex-data e)) (throw e))))))

(defn txs!
  "Makes n random transactions from a seed; answers how many were not refused."
  [conn seed n]
  (let [rnd (Random. seed)]
    (count (filter int? (doall (repeatedly n #(tx! conn rnd)))))))
