;; Datomic's own code does what dclone is measured against, and makes what both are measured on:
;;
;;   clojure.main -i transactor.clj -i fsbackup.clj pro.clj make BACKUP DATOMS
;;   … scan URI
;;   … backup URI BACKUP
;;   … restore BACKUP URI T
;;   … verify BACKUP READ-ALL T
;;
;; Those two scripts are of package interop. The last line printed is how many milliseconds the call itself took, without
;; the start of the JVM, and what it did.

(require '[clojure.string :as str]
         '[datomic.api :as d]
         '[datomic.backup :as backup]
         '[datomic.catalog :as catalog]
         '[datomic.coordination :as coordination]
         '[datomic.db :as db]
         '[datomic.kv-cluster :as kv-cluster]
         '[datomic.kv-mem :as kv-mem]
         '[datomic.uri :as uri])
(import '[java.util Date Random UUID])

;; ---- a growing company, as company.go has it: people with ten datoms each, managed by people who came before

(def attributes
  [[:id :uuid :db/unique :db.unique/identity] [:name :string] [:email :string :db/unique :db.unique/value] [:age :long]
   [:active :boolean] [:joined :instant] [:role :keyword] [:manager :ref] [:salary :double] [:city :string]])

(defn- attribute [[ident type & opts]]
  (assoc (apply hash-map opts)
         :db/ident (keyword "person" (name ident))
         :db/valueType (keyword "db.type" (name type))
         :db/cardinality :db.cardinality/one))

(def cities ["Aachen" "Bordeaux" "Cardiff" "Delft" "Esbjerg" "Firenze" "Gdańsk" "Helsinki"])

(defn- pick [^Random rnd xs] (nth xs (.nextInt rnd (count xs))))

(defn- person [^Random rnd n tempid managers]
  (let [city (pick rnd cities)]
    {:db/id tempid
     :person/id (UUID. (.nextLong rnd) (.nextLong rnd))
     :person/name (str "Person " n " of " city)
     :person/email (str "p" n "@example.com")
     :person/age (+ 18 (.nextInt rnd 50))
     :person/active (pos? (.nextInt rnd 10))
     :person/joined (Date. (+ 1500000000000 (long (* 1e11 (.nextDouble rnd)))))
     :person/role (pick rnd [:role/engineer :role/sales :role/support])
     :person/manager (if (seq managers) (pick rnd managers) tempid)
     :person/salary (+ 1000 (* 9000 (.nextDouble rnd)))
     :person/city (pick rnd cities)}))

(defn- transact! [writer data]
  (let [report (db/with-tx+opts (:db @writer) data nil)]
    (#'transactor/append! writer (d/squuid) report)
    report))

(defn- hire!
  "Transacts n people; answers all people there are."
  [writer rnd people n]
  (let [tempids (mapv #(str "p" %) (range n))
        first-n (count people)
        data (map-indexed (fn [i tempid] (person rnd (+ first-n i) tempid people)) tempids)
        ids (:tempids (transact! writer data))]
    (into people (map ids) tempids)))

(defn- small!
  "Transacts five datoms: a newcomer with a name and a manager, whose city changes."
  [writer rnd people i]
  (let [manager (pick rnd people)]
    (transact! writer [{:db/id "new" :person/name (str "Newcomer " i) :person/manager manager}
                       [:db/add manager :person/city (str "City " i)]])))

;; ---- storage in memory: what is kept of it is the backup

(def storage (kv-mem/kv-mem (java.util.concurrent.ConcurrentHashMap.)))

(defmethod coordination/create-cluster :mem [conf] (kv-cluster/kv-cluster storage conf))

(defn- hire-all!
  "Transacts people until there are so many, 300 at a time."
  [writer rnd people total]
  (if (< (count people) total)
    (recur writer rnd (hire! writer rnd people (min 300 (- total (count people)))) total)
    people))

(defn- fill!
  "Eight index jobs on the way; the last hundredth stays behind the index, as what came last mostly does."
  [writer rnd total]
  (transact! writer (map attribute attributes))
  (let [indexed (- total (quot total 100))
        people (reduce (fn [people i]
                         (let [more (hire-all! writer rnd people (quot (* indexed i) 8))]
                           (transactor/index! writer)
                           more))
                       [] (range 1 9))]
    (hire-all! writer rnd people total)))

(defn- backup! [uri at]
  (let [counts (atom {:copied 0 :skipped 0})]
    @(backup/backup uri at false #(swap! counts update % (fnil inc 0)) true)
    (str/join ", " (map (fn [[k n]] (str n " " (name k))) @counts))))

(defn make
  "Makes a backup with two restore points: a database of some datoms, and 2,000 small transactions and an index job later."
  [at datoms]
  (let [uri "datomic:mem://company"
        rnd (Random. 1)]
    (catalog/create-database (coordination/create-system-cluster (dissoc (uri/parse uri) :db-name)) {:db-name "company"})
    (let [writer (transactor/writer-of uri)
          people (fill! writer rnd (quot (parse-long datoms) 10))]
      (backup! uri at)
      (dotimes [i 2000] (small! writer rnd people i))
      (transactor/index! writer)
      (backup! uri at))))

;; ---- what dclone is measured against

(defn- read-all
  "Reads every field of every datom, as a program does that wants them."
  [conn]
  (reduce (fn [n tx]
            (reduce (fn [n ^datomic.Datom datom]
                      (.e datom) (.a datom) (.v datom) (.tx datom) (.added datom)
                      (inc n))
                    n (:data tx)))
          0 (d/tx-range (d/log conn) nil nil)))

(defn- millis [f]
  (let [began (System/nanoTime)
        result (f)]
    [(quot (- (System/nanoTime) began) 1000000) result]))

(defn scan
  "Reads the log twice: the second time the JVM has compiled what it runs, and its cache of segments is full."
  [uri]
  (transactor/install!)
  (let [conn (d/connect uri)
        [cold n] (millis #(read-all conn))
        [warm _] (millis #(read-all conn))]
    (println (str "\n" cold) n "datoms, again in" warm "ms")))

(defn timed [f]
  (let [[ms result] (millis f)]
    (println (str "\n" ms) (str/replace (str result) "\n" " "))))

(let [[what a b c] *command-line-args*]
  (case what
    "make" (timed #(make (str "file:" a) b))
    "scan" (scan a)
    "backup" (timed #(backup! a (str "file:" b)))
    "restore" (timed #(do @(backup/restore (str "file:" a) b (fn [_]) (parse-long c) true) (str "t " c)))
    "verify" (timed #(let [{:keys [total-segments missing-segments unreadable-segments]}
                           (backup/verify-backup {:backup-uri (str "file:" a) :t (parse-long c) :read-all (parse-boolean b)})]
                       (str total-segments " segments, " (+ (count missing-segments) (count unreadable-segments)) " bad"))))
  (flush)
  (System/exit 0)) ; its threads need not be waited for
