;; What the bench asks of Datomic Local's client API, in a JVM of its own:
;;
;;   clojure.main live.clj floor  FROM-STORAGE TO-STORAGE SYSTEM DB T
;;   clojure.main live.clj counts STORAGE SYSTEM DB FROM TO
;;
;; floor transacts what dclone has transacted to DB from t on, once more: to a database that has what came before. The
;; tx-data are built before; it prints how long the transactor alone took. counts prints what a database holds, as one line
;; an attribute: how many datoms, and a hash of their values, references excepted; of instants of transactions, how many
;; there are between two.

(require '[datomic.client.api :as d])

(def process (java.lang.management.ManagementFactory/getOperatingSystemMXBean))

(defn cpu [] (quot (.getProcessCpuTime ^com.sun.management.OperatingSystemMXBean process) 1000000))

(defn connect [storage system db]
  (let [client (d/client {:server-type :datomic-local :storage-dir storage :system system})]
    (d/create-database client {:db-name db})
    (d/connect client {:db-name db})))

(defn refs [db]
  (into #{} (map first) (d/q '[:find ?a :where [?a :db/valueType :db.type/ref]] db)))

(defn tx-data
  "The transactions from t on, with tempids for entities that each is the first to have."
  [conn t]
  (let [ref?     (refs (d/db conn))
        known    (volatile! (into #{} (comp (mapcat :data) (map :e)) (d/tx-range conn {:start 0 :end t :limit -1})))
        derived? (into #{0} (map #(:db/id (d/pull (d/db conn) [:db/id] %))) [:db.install/attribute :db.alter/attribute])]
    (mapv (fn [{:keys [t data]}]
            (let [tx    (:tx (first data))
                  fresh (into #{} (comp (map :e) (remove @known) (remove #{tx})) data)
                  id    (fn [e] (cond (= e tx) "datomic.tx" (fresh e) (str e) :else e))]
              (vswap! known into fresh)
              (into [] (comp (remove #(derived? (:a %)))
                             (remove (fn [x] (and (not (:added x)) ; what another value replaces is retracted by Datomic
                                                  (some #(and (:added %) (= (:e %) (:e x)) (= (:a %) (:a x))) data))))
                             (map (fn [{:keys [e a v added]}]
                                    [(if added :db/add :db/retract) (id e) a (if (ref? a) (id v) v)])))
                    data)))
          (d/tx-range conn {:start t :limit -1}))))

(defn floor [from to system db t]
  (let [mine  (connect from system db)
        data  (tx-data mine (parse-long t))
        conn  (connect to system db)
        began (System/nanoTime)
        used  (cpu)]
    (run! #(d/transact conn {:tx-data %}) data)
    (let [millis (quot (- (System/nanoTime) began) 1000000)
          used   (- (cpu) used)]
      (when-not (= (:t (d/db mine)) (:t (d/db conn)))
        (throw (ex-info "the floor made another database" {:t (:t (d/db conn))})))
      (println (str "\n" millis) used "ms of cpu," (count data) "transactions," (reduce + (map count data)) "datoms"))))

(defn counts [storage system db from to]
  (let [db   (d/db (connect storage system db))
        ref? (refs db)]
    (doseq [[ident a] (sort (d/q '[:find ?i ?a :where [?a :db/ident ?i] [?a :db/valueType]] db))
            :when (not (re-find #"^(db|fressian)(\.|$)" (namespace ident)))]
      (let [datoms (d/datoms db {:index :aevt :components [a] :limit -1})]
        (println ident (count datoms) (if (ref? a) "-" (reduce unchecked-add 0 (map #(long (hash (:v %))) datoms))))))
    (println :db/txInstant
             (count (into #{} (comp (map #(inst-ms (:v %))) (filter #(<= (parse-long from) % (parse-long to))))
                          (d/datoms db {:index :aevt :components [:db/txInstant] :limit -1}))))))

(let [[what & args] *command-line-args*]
  (apply ({"floor" floor "counts" counts} what) args)
  (flush)
  (System/exit 0))
