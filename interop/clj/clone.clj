;; Comparing a clone with its source by what Datomic Local answers about both, entity ids put through the
;; sidecar's map.
;;
;;   (read-map file)                 the map, of lines "source clone n"
;;   (differences source clone m)    how two connections answer differently: texts, the first of them
;;   (probe source clone m)          the same of transactions that are tried on both and not made
;;   (crooked db conn)               how the indexes of one database contradict each other
;;   (sum-tx-range conn file)        the log in short, a line for each transaction

(ns clone
  (:require [clojure.string :as str]
            [datomic.client.api :as d]
            [interop :refer [attributes dump-datom dump-value picture]])
  (:import java.util.HashMap))

(def ^:private limit 20)

;; ---- the map

(defn read-map [file]
  (let [m (HashMap.)]
    (doseq [line (str/split-lines (slurp file))
            :let [[src clone n] (map parse-long (str/split line #" "))]
            i (range n)]
      (.put m (+ src i) (+ clone i)))
    m))

(defn- id-in [^HashMap m e] (.getOrDefault m (long e) [:without-clone e]))

(defn- tx? [e] (and (int? e) (= 3 (bit-shift-right e 42))))

(defn- user-id? [x] (and (int? x) (<= (bit-shift-left 3 42) x (bit-shift-left 1 60))))

(defn- like-id
  "to for a long that is an id if it looks like one and has a clone."
  [to x]
  (let [y (if (user-id? x) (to x) x)]
    (if (vector? y) x y)))

(defn- plain
  "What a pull answered, ids put through to. Only where Datomic promises an order is one left: refs, and tuples with
  refs in them, come by entity id. Longs that are not under :db/id may be ids in tuples."
  [to x]
  (cond
    (and (map? x) (:db/ident x) (= 2 (count x))) (plain to (dissoc x :db/ident)) ; a ref, as Local shows it
    (map? x) (into {} (map (fn [[k v]] [k (if (= k :db/id) (to v) (plain to v))])) x)
    (and (sequential? x) (some coll? x)) (frequencies (map #(plain to %) x))
    (sequential? x) (mapv #(plain to %) x)
    :else (dump-value (like-id to x))))

(defn- pro? [db] (not= 73 (interop/first-own db)))

(def ^:private ^:dynamic *unseen*
  "Attributes that are not looked at."
  #{})

(defn- unseen
  "The attributes of a source in Datomic Pro that Local does not have, and its tuples: numbers of attributes in them are others in
  Local, and look like any long."
  [db]
  (when (pro? db)
    (into #{:db/index :db/fn}
          (for [[_ ident type] (attributes db)
                :when (#{:db.type/bytes :db.type/fn :db.type/tuple} type)]
            ident))))

(defn- typeless
  "What is left of an attribute of a type that Datomic Local may not have."
  [m]
  (cond-> m
    (*unseen* (:db/ident m)) (dissoc :db/valueType)))

(defn- pull-all
  "All of an entity, but for what a clone need not have: that attributes were altered in the past, the instant of a
  transaction that became an ordinary entity. Nor what pull says about an entity without datoms, :f/_refs and three dots."
  [db e to]
  (plain to (cond->> (typeless (apply dissoc (d/pull db '[*] e) :db.alter/attribute *unseen*))
              (and (tx? e) (not (tx? (to e)))) (#(dissoc % :db/txInstant))
              true (remove (fn [[k]] (str/starts-with? (name k) "_")))
              true (into {}))))

;; ---- asking both

(defn- kin?
  "Does e look the same in a source and its clone? Builtins of Datomic Pro do not."
  [db e]
  (or (not (pro? db)) (>= e (interop/first-own db))))

(defn- resolve-in [db k] (:db/id (d/pull db [:db/id] k)))

(defn- all-idents
  "Every keyword that ever was an ident, of what has a clone."
  [db m]
  (sort-by str (filter #(let [e (resolve-in db %)] (and (contains? m e) (kin? db e)))
                       (set (map :v (d/datoms (d/history db) {:index :aevt :components [:db/ident] :limit -1}))))))

(defn- own-attributes
  "The attributes to ask about: those of the database's own, idents, docstrings. Nothing is asked by a name
  that is not, or no longer, the attribute's."
  [db]
  (for [[a ident type] (attributes db)
        :when (and ident (or (>= a (interop/first-own db)) (#{10 63} a)) (kin? db a) (= a (resolve-in db ident))
                   (not (*unseen* ident)))]
    {:a a :ident ident :type type
     :unique (:db/unique (d/pull db [:db/unique] a))}))

(defn- datoms [db index & components]
  (d/datoms db {:index index :components components :limit -1}))

(defn- nan? [v] (and (float? v) (Double/isNaN (double v))))

(defn- value-in [to {:keys [type]} v]
  (cond (= type :db.type/ref) (to v)
        (sequential? v) (mapv #(like-id to %) v)
        :else v))

(defn- shown
  "A set of datoms, ids put through to."
  [to attribute ds]
  (frequencies (for [[e v] ds]
                 [(to e) (pr-str (plain identity (value-in to attribute v)))])))

(defn- quartiles [ds]
  (let [vs (mapv :v ds) n (count vs)]
    (when (> n 3)
      [(vs (quot n 4)) (vs (quot (* 3 n) 4))])))

(defn- ask-query [db attribute to]
  (shown to attribute (d/q '[:find ?e ?v :in $ ?a :where [?e ?a ?v]] db (:ident attribute))))

(defn- ask-range [db attribute [from end] to]
  (shown to attribute (map (juxt :e :v) (d/index-range db {:attrid (:ident attribute) :start from :end end :limit -1}))))

(defn- about-attribute
  "What differs in the answers to queries and index ranges."
  [source clone to {:keys [ident type] :as attribute}]
  (let [ds (datoms source :avet ident)
        q (quartiles (remove (comp nan? :v) ds))
        range? (and q (not (#{:db.type/ref :db.type/tuple} type)) (not-any? (comp nan? :v) ds))]
    (concat
     (when (not= (ask-query source attribute to) (ask-query clone attribute identity))
       [(str "the query for " ident)])
     (when (and range? (not= (ask-range source attribute q to) (ask-range clone attribute q identity)))
       [(str "the index range of " ident " from " (dump-value (first q)) " to " (dump-value (second q)))]))))

(defn- sample
  "At most 2n of xs, from all over."
  [n xs]
  (take-nth (max 1 (quot (count xs) n)) xs))

(defn- about-lookup
  "Lookup refs that lead elsewhere."
  [source clone to {:keys [ident unique] :as attribute}]
  (when unique
    (for [{:keys [v]} (sample 50 (datoms source :avet ident))
          :let [want (resolve-in source [ident v])
                got (resolve-in clone [ident (value-in to attribute v)])]
          :when (or (nil? want) (not= (to want) got))]
      (str "the lookup ref [" ident " " (dump-value v) "]: source " want ", clone " got))))

(defn- about-ident
  "Of an ident that was retracted Local still shows the name, and Pro does not."
  [source clone to k]
  (let [e (resolve-in source k) c (resolve-in clone k)
        [want got] (map :db/ident [(d/pull source '[*] e) (d/pull clone '[*] c)])]
    (cond
      (not= (to e) c) [(str k " names " e " in the source, " c " in the clone")]
      (and (not= want got) (or want (not (pro? source)))) [(str "pull of " k " shows another ident")])))

(defn- about-entity [source clone to e]
  (let [want (pull-all source e to) got (pull-all clone (to e) identity)]
    (when (not= want got)
      (for [k (set (concat (keys want) (keys got)))
            :when (and (not= (want k) (got k))
                       (not (and (= k :db/ident) (nil? (want k)) (pro? source))))]
        (str "pull of " e ", " k ": source " (pr-str (want k)) ", clone " (pr-str (got k)))))))

(defn- all-differences [source clone m]
  (let [to #(id-in m %)
        attributes (own-attributes source)
        idents (all-idents source m)
        schema (sort (filter #(kin? source %) (set (concat (map :a attributes) (map #(resolve-in source %) idents)))))
        others (sort (set (map :e (d/datoms source {:index :eavt :limit -1}))))]
    (vec (take limit
               (concat (mapcat #(about-ident source clone to %) idents)
                       (mapcat #(about-entity source clone to %) schema)
                       (mapcat #(about-attribute source clone to %) attributes)
                       (mapcat #(about-lookup source clone to %) attributes)
                       (mapcat #(about-entity source clone to %)
                               (sample 60 (filter #(>= % (interop/first-own source)) (filter #(contains? m %) others)))))))))

(defn differences [source-conn clone-conn m]
  (let [source (d/db source-conn)]
    (binding [*unseen* (or (unseen source) #{})]
      (all-differences source (d/db clone-conn) m))))

;; ---- indexes

(defn- sum [ds]
  [(count ds) (reduce unchecked-add 0 (map (comp hash dump-datom) ds))])

(defn crooked
  "Attributes of floats and doubles are left out of AVET: among NaN, which equals every number, Local does not find what was
  retracted."
  [db conn]
  (let [all #(d/datoms % {:index %2 :limit -1})
        eavt (all db :eavt)
        of (group-by (fn [[_ _ type]] (get {:db.type/ref :ref :db.type/double :float :db.type/float :float} type)) (attributes db))
        [refs floats] (map #(set (map first (of %))) [:ref :float])
        log (mapcat (comp distinct :data) (d/tx-range conn {:start nil :limit -1}))] ; Pro may say a thing twice in a transaction
    (cond-> []
      (not= (sum eavt) (sum (all db :aevt))) (conj "aevt")
      (not= (sum (remove (comp floats :a) eavt)) (sum (remove (comp floats :a) (all db :avet)))) (conj "avet")
      (not= (sum (filter (comp refs :a) eavt)) (sum (all db :vaet))) (conj "vaet")
      (not= (sum log) (sum (all (d/history db) :eavt))) (conj "history"))))

;; ---- a log in short

(defn- sum-datom [{:keys [e a v tx added]}]
  (hash [e a (if (keyword? v) (hash v) (dump-value v)) tx added]))

(defn sum-tx-range
  "Writes a line for each transaction: its t, the number of its datoms, a hash of each in order."
  [conn file]
  (spit file (apply str (for [{:keys [t data]} (d/tx-range conn {:start nil :limit -1})]
                          (str t " " (count data) " " (hash (mapv sum-datom data)) "\n")))))

;; ---- transactions that are tried

(defn- outcome
  "What a transaction would do: its datoms, ids put through to, new entities numbered as they come; or why it is refused."
  [conn to tx-data]
  (try
    (let [{:keys [db-before tx-data tempids]} (d/with (d/with-db conn) {:tx-data tx-data})
          tempid (into {} (map (fn [[k v]] [v k])) tempids)
          tx (:tx (first tx-data))
          old? (fn [e] (or (tx? e) (seq (datoms db-before :eavt e))))
          name-of (fn [e] (cond (= e tx) :tx
                                (and (tempid e) (not (old? e))) [:new (tempid e)]
                                (or (<= e 72) (old? e)) (to e)
                                :else :new))
          type-of (into {} (map (fn [[a _ type]] [a type])) (attributes db-before))]
      (frequencies (for [{:keys [e a v added]} tx-data :when (not= a 50)]
                     [(name-of e) (name-of a) (pr-str (plain identity (value-in name-of {:type (type-of a)} v))) added])))
    (catch Throwable t
      (or (:db/error (ex-data t)) [(class t)]))))

(def ^:private probes
  "Transactions that ask whether a clone goes on as its source does: uniqueness, predicates, specs, composites,
  components, names of the present and of the past, schema."
  '[;; uniqueness
    [{:f/id "string-0" :f/n 1}]
    [{:db/id "x" :f/id "string-0"} {:db/id "y" :f/id "string-0" :f/n 2}]
    [[:db/add [:f/id "string-0"] :f/id "string-1"]]
    [{:u/value 1}]
    [{:u/value 1 :f/id "u1"}]
    [{:u/value 4711}]
    [{:u/name "one" :f/n 5}]
    [{:u/name "one" :f/id "string-3"}]
    [{:c/r [:f/id "nan"] :c/b "three"}]
    [{:c/r [:f/id "nan"] :c/b "three" :f/id "composite-1"}]
    [[:db/add "a" :c/rb [[:f/id "nan"] "three"]]]
    [{:m/code "c5"}]
    [{:late/id 1 :late/many 9M}]
    [{:audit/id #uuid "00000000-0000-0000-0000-00000000000a" :audit/user "x"}]
    ;; predicates and specs
    [{:p/odd 4}] [{:p/odd 5}] [{:p/odd 4.5}] [{:p/text "x"}]
    [{:db/id "p" :p/text "x" :p/odd 5 :db/ensure :spec/person}]
    [{:db/id "p" :p/text "x" :db/ensure :spec/person}]
    [{:db/id "p" :p/odd 5 :db/ensure :spec/empty}]
    [{:db/id "p" :f/n 5 :db/ensure :spec/empty}]
    [{:f/id "person" :db/ensure :spec/person}]
    ;; composites
    [{:c/alpha 99 :c/b "new"}] [{:c/a 99 :c/b "new"}]
    [[:db/add [:f/id "composite-2"] :c/b "other"]]
    [[:db/retract [:f/id "composite-4"] :c/r]]
    [{:f/id "m1" :m/extent 100}] [{:f/id "m1" :m/size 100}] [{:f/id "m3" :m/size 2}] [{:f/id "m5" :m/tag :y}]
    [[:db/add [:f/id "m3"] :m/extent 2]]
    ;; components, references, retractions
    [[:db/retractEntity [:f/id "whole"]]] [[:db/retractEntity [:f/id "m1"]]]
    [[:db/retractEntity [:f/id "refs"]]] [[:db/retractEntity :color/blue]] [[:db/retractEntity [:f/id "phoenix"]]]
    [[:db/retract [:f/id "tuples"] :t/refs]] [[:db/retract [:f/id "odd"] :many/bigdec]]
    [[:db/retract [:f/id "odd"] :many/bigdec 1.0M]] [[:db/retract [:f/id "odd"] :many/bigdec 1M]]
    [[:db/retract [:f/id "odd-2"] :many/bigdec]]
    [[:db/cas [:f/id "composite-1"] :c/b "one" "eins"]] [[:db/cas [:f/id "composite-1"] :c/b "no" "eins"]]
    ;; cardinality
    [{:f/id "m1" :m/labels :q}] [{:f/id "m1" :m/flavor :salty}] [{:f/id "m1" :m/owner "new"} {:db/id "new" :f/n 1}]
    ;; names
    [{:f/ref :color/red}] [{:f/ref :color/crimson}] [{:f/refs [:color/green :color/blue]}] [{:f/ref :m/nick}]
    [{:m/name 4}] [{:m/nick 4}] [{:m/title "t"}] [{:m/score 2.5}] [{:m/points 2.5}] [{:odd/unnamed "x"}]
    [{:db/id :color/crimson :db/ident :color/red}] [{:db/ident :color/red :f/n 6}] [{:db/ident :color/blue :f/n 6}]
    ;; schema
    [{:db/ident :m/size :db/valueType :db.type/string :db/cardinality :db.cardinality/one}]
    [{:db/ident :new/one :db/valueType :db.type/tuple :db/tupleAttrs [:m/size :m/tag] :db/cardinality :db.cardinality/one}]
    [{:db/id :f/note :db/unique :db.unique/value}] [{:db/id :m/code :db/unique :db.unique/identity}]
    [{:db/id :f/refs :db/cardinality :db.cardinality/one}] [{:db/id :f/n :db/valueType :db.type/string}]
    [{:db/id :h/no :db/noHistory false}] [{:db/id :my/part :f/note "x"}]
    [[:db/retract :db/ident :f/note "a note on a builtin"]]
    [{:f/n "text"}] [{:t/longs [1 "x"]}] [{:t/mixed [1 "x" :k 1.5 [:f/id "nan"] true #inst "2020" #uuid "00000000-0000-0000-0000-000000000001"]}]
    ;; transactions
    [[:db/add "datomic.tx" :db/txInstant #inst "2001-01-01"]] [[:db/add "datomic.tx" :audit/user "x"]]
    []])

(defn probe [source-conn clone-conn m]
  (let [to #(id-in m %)]
    (vec (take limit
               (for [p probes
                     :let [want (outcome source-conn to p) got (outcome clone-conn identity p)]
                     :when (not= want got)]
                 (str (pr-str p) ": source " (pr-str want) ", clone " (pr-str got)))))))
