;; The helpers that requests have at hand. They are described in doc.go.

(ns interop
  (:require [clojure.string :as str]
            [datomic.client.api :as d]
            datomic.local)
  (:import [java.io BufferedWriter FileWriter PrintWriter]
           java.util.Date))

;; ---- databases

(defn client [dir system]
  (d/client {:server-type :datomic-local :storage-dir dir :system system}))

(defn list-dbs [dir system]
  (vec (sort (d/list-databases (client dir system) {}))))

(defn conn [dir system db]
  (d/connect (client dir system) {:db-name db}))

(defn create [dir system db]
  (d/create-database (client dir system) {:db-name db})
  (conn dir system db))

(defn release [dir system db]
  (datomic.local/release-db {:storage-dir dir :system system :db-name db}))

(defn reopen [dir system db]
  (release dir system db)
  (conn dir system db))

(defn delete [dir system db]
  (d/delete-database (client dir system) {:db-name db}))

(defn tx! [conn tx-data]
  (d/transact conn {:tx-data tx-data}))

(defn try-tx! [conn tx-data]
  (try (tx! conn tx-data)
       :ok
       (catch Throwable e
         (or (:db/error (ex-data e)) (.getMessage e) (.getName (class e))))))

;; ---- transactions of a script

(defmulti prepare-unique!
  "What must be done before an attribute with values can become a unique one. In Datomic Local, nothing."
  (fn [conn ident] (class conn)))

(defmethod prepare-unique! :default [_ _])

;; ---- builtins

(defmulti first-own
  "The least entity id of an attribute of one's own."
  class)

(defmethod first-own :default [_] 73)

(def ^:private pros-alone
  "Value types that Datomic Local has no values of."
  #{:db.type/bytes :db.type/fn})

(def epoch
  "The instant before which no script transacts: 2024-01-01T00:00:00Z."
  1704067200000)

(defn newest-instant [db]
  (.getTime ^Date (:db/txInstant (d/pull db [:db/txInstant] (+ (bit-shift-left 3 42) (:t db))))))

(defn- with-instant
  "tx-data with its transaction's instant, which stands first, last or in a map: the log keeps the place."
  [tx-data ms n]
  (let [i (Date. (long ms))]
    (case (int (mod n 3))
      0 (cons [:db/add "datomic.tx" :db/txInstant i] tx-data)
      1 (concat tx-data [[:db/add "datomic.tx" :db/txInstant i]])
      2 (concat tx-data [{:db/id "datomic.tx" :db/txInstant i}]))))

(defn tx-at!
  "Transacts at an instant given in milliseconds; answers the report."
  [conn ms tx-data]
  (tx! conn (with-instant tx-data ms (:t (d/db conn)))))

(defn attr
  "The definition of an attribute: (attr :a/b :string :many true :db/doc \"...\")."
  [ident type & opts]
  (let [{:keys [many] :as m} (apply hash-map opts)]
    (into {:db/ident ident
           :db/valueType (keyword "db.type" (name type))
           :db/cardinality (if many :db.cardinality/many :db.cardinality/one)}
          (dissoc m :many))))

(defn eidx
  "What of an entity id counts up; the rest is its partition, which Datomic Local picks at random."
  [e]
  (bit-and e (dec (bit-shift-left 1 42))))

;; ---- dumps

(def ^:private ^"[C" digits (char-array "0123456789abcdef"))

(defn- hex [^String s]
  (let [sb (StringBuilder. "\\u")]
    (dotimes [i (.length s)]
      (let [c (int (.charAt s i))]
        (.append sb (aget digits (bit-and 15 (bit-shift-right c 12))))
        (.append sb (aget digits (bit-and 15 (bit-shift-right c 8))))
        (.append sb (aget digits (bit-and 15 (bit-shift-right c 4))))
        (.append sb (aget digits (bit-and 15 c)))))
    (.toString sb)))

(defn- plain? [^String s]
  (loop [i (int 0)]
    (or (= i (.length s))
        (let [c (int (.charAt s i))]
          (and (< 32 c 127) (not= c 92) (recur (inc i)))))))

(defn- text [s]
  (if (plain? s) s (hex s)))

(defn- part [s]
  (if (and (plain? s) (not (str/includes? s "|"))) s (hex s)))

(defn- qualified [v]
  (let [ns (namespace v)]
    (str (cond (nil? ns) "" (= ns "") "\\u" :else (part ns)) "|" (part (name v)))))

(defn dump-value [v]
  (cond
    (nil? v) "nil"
    (instance? Long v) (str "L" v)
    (instance? Boolean v) (str "B" v)
    (string? v) (str "S" (text v))
    (instance? Double v) (format "D%016x" (Double/doubleToRawLongBits v))
    (instance? Float v) (format "F%08x" (Float/floatToRawIntBits v))
    (instance? clojure.lang.BigInt v) (str "N" v)
    (instance? BigInteger v) (str "N" v)
    (instance? BigDecimal v) (str "M" (.unscaledValue ^BigDecimal v) "e" (.scale ^BigDecimal v))
    (instance? java.util.Date v) (str "I" (.getTime ^java.util.Date v))
    (instance? java.util.UUID v) (str "U" v)
    (instance? java.net.URI v) (str "R" (text (str v)))
    (keyword? v) (str "K" (qualified v))
    (symbol? v) (str "Y" (qualified v))
    (sequential? v) (str "T[" (str/join " " (map dump-value v)) "]")
    (bytes? v) (apply str "X" (map #(format "%02x" %) v))
    (and (map? v) (:lang v)) (str "P[" (str/join " " (map dump-value ((juxt :lang :params :requires :imports :code) v))) "]")
    :else (throw (ex-info (str "no notation for a value of " (class v)) {:value v}))))

(defn dump-datom [d]
  (str (:e d) " " (:a d) " " (dump-value (:v d)) " " (:tx d) " " (if (:added d) "+" "-")))

(defn write-lines [file lines]
  (with-open [w (PrintWriter. (BufferedWriter. (FileWriter. ^String file)))]
    (doseq [^String l lines]
      (.print w l)
      (.print w "\n"))
    (when (.checkError w)
      (throw (java.io.IOException. (str "cannot write " file))))))

(defn dump-tx-range [conn file]
  (write-lines file
               (mapcat (fn [{:keys [t data]}]
                         (cons (str "t " t " " (count data)) (map dump-datom data)))
                       (d/tx-range conn {:start nil :limit -1}))))

(defn dump-datoms [db index file]
  (write-lines file (map dump-datom (d/datoms db {:index index :limit -1}))))

;; ---- pictures of a database

(defn attributes [db]
  (let [ident (comp :db/ident #(d/pull db [:db/ident] %))]
    (vec (sort (map (fn [[a type card]] [a (ident a) (ident type) (ident card)])
                    (d/q '[:find ?a ?type ?card
                           :where [_ :db.install/attribute ?a]
                                  [?a :db/valueType ?type]
                                  [?a :db/cardinality ?card]]
                         db))))))

(defn dump-avet [db file]
  (write-lines file
               (mapcat (fn [[a]]
                         (map dump-datom (d/datoms db {:index :avet :components [a] :limit -1})))
                       (attributes db))))

(defn- in-order [x]
  (cond
    (map? x) (into (sorted-map) (map (fn [[k v]] [k (in-order v)])) x)
    (and (vector? x) (every? map? x)) (vec (sort-by pr-str (map in-order x)))
    :else x))

(defn pull-by-ident [db ident]
  (in-order (d/pull db '[*] ident)))

(defn- key-of
  "Names an entity by its ident, the instant of a transaction, an identity, or else by its plain values."
  [db {:keys [name-of refs identities]} e]
  (let [values (group-by :a (d/datoms db {:index :eavt :components [e] :limit -1}))
        value (fn [a] (:v (first (values a))))
        identity-attr (first (filter values identities))]
    (cond
      (value 10) (value 10)
      (value 50) [:tx (value 50)]
      identity-attr [(name-of identity-attr) (dump-value (value identity-attr))]
      :else [:plain (sort (for [[a ds] values
                                :when (and (name-of a) (not (refs a)))
                                d ds]
                            (str (name-of a) " " (dump-value (:v d)))))])))

(defn- names [db]
  (let [attrs (remove (fn [[_ ident type]] (or (pros-alone type) (#{:db/index :db/lang :db/code} ident))) (attributes db))
        refs (set (for [[a _ type] attrs :when (#{:db.type/ref :db.type/tuple} type)] a))
        name-of (into {} (map (fn [[a ident]] [a ident]) attrs))]
    {:refs refs
     :name-of name-of
     :identities (->> (d/q '[:find ?a :where [?a :db/unique :db.unique/identity]] db)
                      (map first)
                      (remove refs)
                      (sort-by (comp str name-of)))}))

(defn picture
  "For each attribute that is not a builtin, by ident: a sorted vector of [entity value], both without entity ids. Two
  databases with equal pictures hold the same, as far as names tell; tuples and the shape of nameless graphs are left out,
  and so is what Datomic Local cannot hold."
  [db]
  (let [names (names db)
        k (memoize #(key-of db names %))]
    (into (sorted-map)
          (for [[a ident type] (attributes db)
                :when (and ident (>= a (first-own db)) (not= type :db.type/tuple) (not (pros-alone type)))]
            [ident (vec (sort (for [d (d/datoms db {:index :aevt :components [a] :limit -1})]
                                (pr-str [(k (:e d)) (if (= type :db.type/ref) (k (:v d)) (dump-value (:v d)))]))))]))))

(ns user
  (:require [clojure.string :as str]
            [datomic.client.api :as d]
            datomic.local
            [interop :refer [client list-dbs create conn release reopen delete tx! try-tx! attr
                             dump-tx-range dump-datoms dump-avet dump-datom dump-value
                             attributes pull-by-ident picture]]))
