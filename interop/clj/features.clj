;; A database with everything in it that a clone can get wrong, made through d/transact in waves.
;;
;; A wave only asks the database for what earlier waves made, so waves can run in different processes,
;; with a clone or a release between any two of them. All instants are given and all values fixed; only
;; entity ids differ between runs, because Datomic Local picks their partitions at random.
;;
;;   (run-wave! conn 1) ... (run-wave! conn (count waves))   each answers the number of its transactions
;;   (run-waves! conn)                                       all of them

(ns features
  (:require [datomic.client.api :as d]
            [interop :refer [attr eidx]])
  (:import java.net.URI
           [java.util Date UUID]))

;; ---- transacting

(defn- tx!
  "Transacts a minute after the newest transaction."
  [conn & tx-data]
  (interop/tx-at! conn (+ 60000 (max interop/epoch (interop/newest-instant (d/db conn)))) tx-data))

(defn- same-time-tx!
  "Transacts at the very instant of the newest transaction."
  [conn & tx-data]
  (interop/tx-at! conn (interop/newest-instant (d/db conn)) tx-data))

(defn- id-of [report tempid]
  (get-in report [:tempids tempid]))

(defn- tx-of
  "The entity of the report's transaction."
  [report]
  (+ (bit-shift-left 3 42) (:t (:db-after report))))

;; ---- finding

(defn- entities
  "Ids of the entities that have v under attribute a, in the order in which they were made."
  [conn a v]
  (sort-by eidx
           (map first (d/q '[:find ?e :in $ ?a ?v :where [?e ?a ?v]] (d/db conn) a v))))

(defn- entity [conn id]
  (:db/id (d/pull (d/db conn) [:db/id] [:f/id id])))

(defn- number
  "An entity id that Datomic Local does not give out by itself, in the user partition. It may be used as a value always, as an
  entity once the database has counted as far."
  [eidx]
  (+ (bit-shift-left 4 42) eidx))

;; ---- values

(def scalars [:string :boolean :long :bigint :float :double :bigdec :ref :instant :uuid :uri :keyword :symbol])

(defn- kw [& parts] (apply keyword parts))

(defn- text [n s] (apply str (repeat n s)))

(def ^:private high (str (char 0xD83D)))
(def ^:private low (str (char 0xDE00)))

(def edges
  "Values at the edges of each type: of what Datomic admits, and of the encodings' widths."
  {:string (concat ["" "a" "ab" "abcdefg" "abcdefgh" "tab\tnl\nquote\"back\\slash" "ü" "日本語" "😀 emoji"
                    "\u0000" "nul\u0000inside" "\uFFFF" "\uE000" high low (str low high) (str high "x") (str "x" low)
                    (text 255 "x") (text 256 "y") (text 4096 "z") (text 4096 "é") (text 4096 "日") (text 2048 "😀")])
   :boolean [true false]
   :long (distinct (concat [0 1 -1 2 10 62 63 64 65 127 128 255 256 65535 65536 Long/MAX_VALUE Long/MIN_VALUE
                            (inc Long/MIN_VALUE) (dec Long/MAX_VALUE)]
                           (for [bits [12 19 25 33 41 49 62]
                                 x [(bit-shift-left 1 bits)]
                                 v [x (dec x) (inc x) (- x) (- (inc x)) (- (dec x))]]
                             v)))
   :bigint (concat [0N 1N -1N 127N 128N -128N -129N 255N 256N 32767N 32768N
                    (bigint Long/MAX_VALUE) (inc (bigint Long/MAX_VALUE)) (dec (bigint Long/MIN_VALUE))
                    123456789012345678901234567890N -123456789012345678901234567890N]
                   [(bigint (.shiftLeft BigInteger/ONE 2000))])
   :float (map float [0.0 1.0 -1.0 0.1 1.5 Float/MAX_VALUE Float/MIN_VALUE (- Float/MAX_VALUE)
                      Float/POSITIVE_INFINITY Float/NEGATIVE_INFINITY])
   :double [0.0 1.0 -1.0 0.1 3.141592653589793 1e300 -1e300 Double/MAX_VALUE Double/MIN_VALUE (- Double/MIN_VALUE)
            Double/POSITIVE_INFINITY Double/NEGATIVE_INFINITY]
   :bigdec [0M 1M -1M 10M 0.1M 1E+10M 2E-10M -0.000000001M 1234.5600M 123456789012345678901234567890.987654321M
            (BigDecimal. (biginteger 7) 1000000) (BigDecimal. (biginteger 7) -1000000)
            (BigDecimal. (biginteger 3) Integer/MAX_VALUE)]
   :instant (map #(Date. (long %)) [0 1 -1 999 1704067200000 -2208988800000 253402300799999 -62135596800001
                                    Long/MAX_VALUE Long/MIN_VALUE])
   :uuid (map #(UUID. %1 %2) [0 0 -1 Long/MIN_VALUE Long/MAX_VALUE 0x0123456789abcdef] [0 1 -1 0 -1 0x1122334455667788])
   :uri (map #(URI. %) ["" "x" "#f" "?q" "/abs" "rel/path" "//host/path" "http://example.com/a?b=c#d" "urn:isbn:0451450523"
                        "mailto:a@b.c" "http://u:p@h:8080/" "http://a_b/" "http://[::1]:80/" "file:///x" "http://a/%4a"
                        "http://例え.jp/ü" "jdbc:postgresql://h/db" "http://h" "HTTPS://H/Case"])
   :keyword [:a :a/b :a.b.c/d :a/a :b/a (kw "with space") (kw "n s" "n m") (kw "") (kw "" "x") (kw "a" "") (kw "ü" "é")
             (kw "😀") (kw "a" "b/c") (kw (text 300 "n") (text 300 "m")) :db/ident]
   :symbol ['a 'a/b 'a.b.c/d 'a/a '+ '-> '/ (symbol "with space") (symbol "" "x") (symbol "") (symbol "ü" "é")
            'clojure.core/map]})

(defn- scalar-schema []
  (mapcat (fn [t] [(attr (kw "one" (name t)) t)
                   (attr (kw "many" (name t)) t :many true)])
          scalars))

;; ---- wave 1: the first schema, every scalar type, its edges

(defn wave-1!
  "Schema of all scalar types, of both cardinalities; every edge value, card-one (an entity a value) and
  card-many; NaN and -0.0; :f/id is the identity by which later waves find things."
  [conn]
  (tx! conn
       (attr :f/id :string :db/unique :db.unique/identity :db/doc "names what later waves come back to")
       (attr :f/note :string)
       (attr :f/n :long)
       (attr :f/ref :ref)
       (attr :f/refs :ref :many true))
  (apply tx! conn (scalar-schema))
  (doseq [t (remove #{:ref} scalars)
          :let [vs (edges t)]]
    (apply tx! conn (map-indexed (fn [i v] {:f/id (str (name t) "-" i) (kw "one" (name t)) v}) vs))
    (tx! conn {:f/id (str "all-" (name t)) (kw "many" (name t)) vs}))
  (tx! conn
       {:f/id "nan" :one/double Double/NaN :one/float Float/NaN}
       {:f/id "minus-zero" :one/double -0.0 :one/float (float -0.0) :many/float [(float -0.0)]})
  (tx! conn
       {:f/id "refs" :one/ref [:f/id "string-0"]
        :many/ref [[:f/id "string-0"] [:f/id "nan"] :f/id :db.type/string :db.part/db "datomic.tx"]}))

;; ---- wave 2: tuples, components, enums, entities that are nothing but refs

(defn wave-2!
  "Tuples of the three kinds, with nils, refs and edges inside, a composite installed before its data and one
  that is an identity; components three deep; enums that carry data; unique values; noHistory; chains,
  cycles and stars of entities that have only refs; twins."
  [conn]
  (tx! conn
       (attr :t/longs :tuple :db/tupleType :db.type/long)
       (attr :t/strings :tuple :db/tupleType :db.type/string)
       (attr :t/refs :tuple :db/tupleType :db.type/ref :many true)
       (attr :t/kws :tuple :db/tupleType :db.type/keyword :many true)
       (attr :t/mixed :tuple :db/tupleTypes [:db.type/long :db.type/string :db.type/keyword :db.type/double
                                             :db.type/ref :db.type/boolean :db.type/instant :db.type/uuid])
       (attr :t/rest :tuple :many true :db/tupleTypes [:db.type/bigint :db.type/bigdec :db.type/uri :db.type/symbol])
       (attr :c/a :long)
       (attr :c/b :string)
       (attr :c/r :ref)
       (attr :u/value :long :db/unique :db.unique/value)
       (attr :u/name :string :db/unique :db.unique/identity)
       (attr :x/part :ref :many true :db/isComponent true)
       (attr :x/one-part :ref :db/isComponent true)
       (attr :h/no :long :db/noHistory true :db/doc "keeps no history"))
  (tx! conn
       (attr :c/ab :tuple :db/tupleAttrs [:c/a :c/b])
       (attr :c/rb :tuple :db/tupleAttrs [:c/r :c/b] :db/unique :db.unique/identity))
  (tx! conn
       {:f/id "tuples"
        :t/longs [1 nil Long/MIN_VALUE]
        :t/strings ["" nil "😀" "a b" (text 256 "s")]
        :t/refs [[[:f/id "nan"] [:f/id "refs"]] [nil [:f/id "nan"]] ["new" :db.type/long]]
        :t/kws [[:a :b/c] [:x nil :y] [nil nil]]
        :t/mixed [1 "x" :k/w 1.5 [:f/id "nan"] true #inst "2020-02-02" #uuid "00000000-0000-0000-0000-000000000001"]
        :t/rest [[1N 1.50M (URI. "u:v") 'sy/m] [nil nil nil nil] [-5N nil (URI. "") nil]]}
       {:db/id "new" :f/id "in-a-tuple"})
  (tx! conn
       {:f/id "tuples-nil" :t/mixed [nil nil nil nil nil nil nil nil] :t/longs [nil nil]}
       {:f/id "tuples-some" :t/mixed [0 nil nil -0.0 :f/id false nil nil] :t/longs [1 2 3 4 5 6 7 8]})
  (tx! conn
       {:f/id "composite-1" :c/a 1 :c/b "one"}
       {:f/id "composite-2" :c/a 2}
       {:f/id "composite-3" :c/b "three" :c/r [:f/id "nan"]}
       {:f/id "composite-4" :c/r "c1" :c/b "four"}
       {:db/id "c1" :f/id "composite-target"})
  (tx! conn {:f/id "whole"
             :x/part [{:f/note "part 1" :x/part [{:f/note "part 1.1" :x/one-part {:f/note "part 1.1.1"}}]}
                      {:f/note "part 2"}]
             :x/one-part {:f/n 3 :f/ref [:f/id "nan"]}})
  (tx! conn
       {:db/id "red" :db/ident :color/red :f/note "red" :f/n 1 :db/doc "an enum with data"}
       {:db/ident :color/green :f/n 2 :f/refs ["red"]}
       {:db/ident :color/blue}
       {:db/id "unnamed" :db/doc "a docstring on an ordinary entity"})
  (tx! conn
       {:f/id "painted" :f/ref :color/red :f/refs [:color/green :color/blue]}
       {:f/id "u1" :u/value 1 :u/name "one" :h/no 1}
       {:f/id "u2" :u/value 2 :u/name "two" :h/no 1}
       {:f/id "u3" :u/value 3})
  ;; Entities that are nothing but refs: a chain with a name at its head, a chain with none, a cycle, a
  ;; star, one that refers to itself.
  (tx! conn
       {:db/id "h" :f/id "chain" :f/ref "a"} [:db/add "a" :f/ref "b"] [:db/add "b" :f/ref "c"] [:db/add "c" :f/ref "h"]
       [:db/add "p" :f/ref "q"] [:db/add "q" :f/ref "r"] [:db/add "r" :f/ref :color/blue]
       [:db/add "x" :f/ref "y"] [:db/add "y" :f/ref "z"] [:db/add "z" :f/ref "x"]
       [:db/add "s" :f/refs "x"] [:db/add "s" :f/refs "p"] [:db/add "s" :f/refs "s"]
       [:db/add "t" :t/refs ["x" "s"]])
  (tx! conn [:db/add "i" :f/ref "j"] [:db/add "j" :f/ref "i"])
  (tx! conn
       {:f/note "twin" :f/n 7} {:f/note "twin" :f/n 7} {:db/id "third" :f/note "twin" :f/n 7}
       {:f/note "friend of a twin" :f/ref "third"}
       {:f/note "twin parts" :x/part [{:f/n 7} {:f/n 7}]}))

;; ---- wave 3: change

(defn wave-3!
  "Updates and retractions of values of every type; card-many retracted and asserted again; cas; retractEntity
  with components and back references; transactions without effect; equal instants; unique values swapped, across
  transactions and within one; identities moved; an entity made again after full retraction, by number
  and by name; twins that part; composites that follow their components; noHistory values overwritten."
  [conn]
  (tx! conn {:f/id "string-1" :one/string "changed"} {:f/id "long-0" :one/long 12345}
       {:f/id "boolean-0" :one/boolean false} {:f/id "bigint-1" :one/bigint 2N} {:f/id "float-1" :one/float (float 2.5)}
       {:f/id "double-1" :one/double 2.5} {:f/id "bigdec-1" :one/bigdec 1.50M} {:f/id "refs" :one/ref [:f/id "nan"]}
       {:f/id "instant-0" :one/instant (Date. -86400000)} {:f/id "uuid-0" :one/uuid (UUID. 7 7)}
       {:f/id "uri-1" :one/uri (URI. "urn:x:y")} {:f/id "keyword-0" :one/keyword :changed/now}
       {:f/id "symbol-0" :one/symbol 'changed/now})
  (apply tx! conn (for [t (remove #{:ref :float :double} scalars)
                        v (take 2 (edges t))]
                    [:db/retract [:f/id (str "all-" (name t))] (kw "many" (name t)) v]))
  (apply tx! conn (for [t (remove #{:ref :float :double} scalars)]
                    [:db/add [:f/id (str "all-" (name t))] (kw "many" (name t)) (first (edges t))]))
  (tx! conn [:db/retract [:f/id "all-double"] :many/double 1.0] [:db/retract [:f/id "all-float"] :many/float (float 1.0)])
  (tx! conn [:db/add [:f/id "all-double"] :many/double 1.0] [:db/add [:f/id "all-float"] :many/float (float 1.0)])
  (tx! conn [:db/retract [:f/id "refs"] :many/ref] [:db/retract [:f/id "string-2"] :one/string])
  (tx! conn [:db/add [:f/id "refs"] :many/ref [:f/id "nan"]])
  (tx! conn [:db/cas [:f/id "composite-1"] :c/a 1 10])
  (tx! conn [:db/cas [:f/id "u3"] :f/n nil 33])
  (tx! conn [:db/retract [:f/id "composite-3"] :c/b "three"] [:db/add [:f/id "composite-2"] :c/b "two"])
  (tx! conn {:f/id "tuples" :t/longs [1 nil 2]} [:db/retract [:f/id "tuples"] :t/kws [:x nil :y]])
  (tx! conn {:f/id "tuples" :t/kws [[:x nil :y]]})
  (tx! conn)
  (tx! conn {:f/id "string-1" :one/string "changed"})
  (tx! conn [:db/retract [:f/id "string-1"] :one/long 5])
  (same-time-tx! conn {:f/id "string-1" :f/n 1})
  (same-time-tx! conn {:f/id "string-1" :f/n 2})
  (same-time-tx! conn)
  ;; swaps of unique values: across three transactions, then within one; then of identities
  (tx! conn [:db/add [:f/id "u1"] :u/value 100])
  (tx! conn [:db/add [:f/id "u2"] :u/value 1])
  (tx! conn [:db/add [:f/id "u1"] :u/value 2])
  (let [[a b] (map #(entity conn %) ["u1" "u2"])]
    (tx! conn [:db/add a :u/value 1] [:db/add b :u/value 2])
    (tx! conn [:db/add a :u/name "two"] [:db/add b :u/name "one"])
    (tx! conn [:db/retract a :u/name "two"] [:db/add [:f/id "u3"] :u/name "two"])
    (tx! conn [:db/add a :f/id "u2"] [:db/add b :f/id "u1"])
    (tx! conn [:db/add a :f/id "u1"] [:db/add b :f/id "u2"]))
  (doseq [n [2 3 2]]
    (tx! conn {:f/id "u1" :h/no n}))
  (tx! conn [:db/retract [:f/id "u2"] :h/no 1])
  ;; an entity made again: under its own number, and by its name as a new entity
  (let [phoenix (id-of (tx! conn {:db/id "p" :f/id "phoenix" :f/n 1 :f/refs [[:f/id "nan"]]}) "p")]
    (tx! conn {:f/id "admirer" :f/refs [phoenix]})
    (tx! conn [:db/retractEntity phoenix])
    (tx! conn [:db/add phoenix :f/id "phoenix"] [:db/add phoenix :f/n 2])
    (tx! conn [:db/add [:f/id "admirer"] :f/refs phoenix])
    (tx! conn [:db/retract phoenix :f/id "phoenix"] [:db/retract phoenix :f/n 2])
    (tx! conn {:f/id "phoenix" :f/n 3}))
  (let [[a b] (entities conn :f/note "twin")]
    (tx! conn [:db/add a :f/n 8])
    (tx! conn [:db/retract b :f/n 7])
    (tx! conn [:db/add b :f/ref a]))
  (tx! conn [:db/retractEntity [:f/id "whole"]])
  (tx! conn {:f/id "whole" :x/part [{:f/note "part 1"} {:f/note "part 3" :x/one-part {:f/note "part 3.1"}}]})
  (tx! conn [:db/retract :color/green :f/refs :color/red] [:db/add :color/blue :f/n 3])
  (tx! conn [:db/retractEntity [:f/id "composite-target"]]))

;; ---- wave 4: transactions as entities, attributes on odd holders, predicates

(defn wave-4!
  "Transaction metadata of every kind; data added later to old transactions, and refs to transactions, in tuples
  too; own attributes on attributes, on builtins and on partitions; docstrings; attribute predicates; entity specs and
  :db/ensure; a user partition; refs to entities that have lost all datoms, to numbers never allocated; entities that
  appear as a value first."
  [conn]
  (tx! conn (attr :audit/user :string) (attr :audit/why :keyword :many true) (attr :audit/about :ref :many true)
       (attr :audit/id :uuid :db/unique :db.unique/identity) (attr :audit/cause :ref))
  (let [r1 (tx! conn {:f/id "audited" :f/n 1}
                [:db/add "datomic.tx" :audit/user "ada"]
                {:db/id "datomic.tx" :audit/why [:new :test/first] :audit/about ["x" [:f/id "nan"]]
                 :audit/id #uuid "00000000-0000-0000-0000-00000000000a" :db/doc "a documented transaction"}
                {:db/id "x" :f/id "audited-too" :f/ref "datomic.tx"})
        r2 (tx! conn [:db/add "datomic.tx" :audit/cause [:audit/id #uuid "00000000-0000-0000-0000-00000000000a"]]
                [:db/add "datomic.tx" :audit/user "bob"])
        r3 (tx! conn {:f/id "audited" :f/n 2})
        [t1 t2 t3] (map tx-of [r1 r2 r3])]
    (tx! conn [:db/add t1 :f/note "added to a transaction later"] [:db/add t3 :audit/user "carol"])
    (tx! conn [:db/add t1 :f/note "changed"] [:db/retract t1 :audit/why :new] [:db/retract t3 :audit/user "carol"])
    (tx! conn {:f/id "historian" :f/ref t2 :f/refs [t1 t2 t3] :t/refs [[t1 t3] [t2 nil]]}
         {:f/id "historian-2" :t/mixed [nil nil nil nil t3 nil nil nil]}
         {:f/id "composite-tx" :c/r t1 :c/b "refers to a transaction"})
    (tx! conn [:db/retract [:f/id "historian"] :f/refs t1]))
  ;; what is not an ordinary entity has attributes too
  (tx! conn [:db/add :f/note :f/note "a note on the attribute of notes"] [:db/add :c/ab :audit/user "dan"]
       [:db/add :db/ident :f/note "a note on a builtin"] [:db/add :db.type/string :f/n 23] [:db/add :db.part/db :f/refs :f/id]
       [:db/add :db.cardinality/many :f/ref :db.type/long])
  (tx! conn [:db/add :db.part/db :f/refs :db/ident] {:db/id :f/n :db/doc "a number"} {:db/id :one/string :db/doc "first"}
       [:db/add :f/note :f/note "changed"])
  (tx! conn {:db/id :one/string :db/doc "second"} [:db/retract :f/n :db/doc "a number"])
  (tx! conn (attr :p/odd :long :db.attr/preds 'clojure.core/odd?)
       (attr :p/text :string :db.attr/preds ['clojure.core/string? 'clojure.core/some?])
       {:db/ident :spec/person :db.entity/attrs [:p/text :p/odd] :db.entity/preds ['clojure.core/not=]}
       {:db/ident :spec/empty :db.entity/attrs [:p/odd]})
  (tx! conn {:f/id "person" :p/text "Ada" :p/odd 37 :db/ensure :spec/person})
  (tx! conn {:f/id "person" :p/odd 39} [:db/add [:f/id "person"] :db/ensure :spec/empty])
  (tx! conn {:db/ident :my/part :db.install/_partition :db.part/db})
  (tx! conn [:db/add :db.part/db :db.install/partition "q"] {:db/id "q" :db/ident :my/other-part :f/note "a noted partition"})
  ;; refs to what is not there
  (let [r (tx! conn {:db/id "g" :f/id "ghost" :f/n 1} {:f/id "haunted" :f/ref "g" :f/refs ["g"] :t/refs [["g" nil]]})
        ghost (id-of r "g")]
    (tx! conn [:db/retract ghost :f/id "ghost"] [:db/retract ghost :f/n 1]))
  (tx! conn {:f/id "dangling" :f/refs [(number 1000001) (number 1000002) (number 100) (number 102)]
             :t/refs [[(number 1000003) (number 1000001)]]})
  (tx! conn [:db/add (number 100) :f/note "a value first, an entity now"])
  (tx! conn [:db/add (number 101) :f/n 1] [:db/add [:f/id "dangling"] :f/ref (number 101)])
  (tx! conn [:db/retract (number 101) :f/n 1]))

;; ---- wave 5: the schema changes

(defn wave-5!
  "Attributes renamed, with chains and back again; an ident moved to a new attribute of another type; composites
  whose component is renamed, and one installed late over data that is there, completed by asserting a component
  again; cardinality, uniqueness, noHistory and component flags changed to and fro; enums renamed, losing their ident, swapping
  idents; new schema among data."
  [conn]
  (tx! conn (attr :m/name :string) (attr :m/size :long) (attr :m/tag :keyword) (attr :m/owner :ref)
       (attr :m/code :string) (attr :m/score :double) (attr :m/flavor :keyword))
  (tx! conn {:f/id "m1" :m/name "first" :m/size 1 :m/tag :a :m/owner [:f/id "nan"] :m/code "c1" :m/score 0.5 :m/flavor :sweet}
       {:f/id "m2" :m/name "second" :m/size 2 :m/tag :b :m/owner "o" :m/code "c2"}
       {:db/id "o" :f/note "an owner without a name"}
       {:f/id "m3" :m/size 2})
  ;; renamed, and the name given to a new attribute of another type
  (tx! conn {:db/id :m/name :db/ident :m/title})
  (tx! conn {:f/id "m1" :m/title "renamed"})
  (tx! conn (attr :m/name :long))
  (tx! conn {:f/id "m1" :m/name 42} {:f/id "m4" :m/name 43 :m/title "both"})
  (tx! conn {:db/id :m/name :db/ident :m/nick} {:db/id :m/score :db/ident :m/points})
  (tx! conn {:db/id :m/points :db/ident :m/rating})
  (tx! conn {:db/id :m/rating :db/ident :m/score} {:f/id "m2" :m/score 1.5})
  ;; a composite over data that is there; one value of it comes, the others do not
  (tx! conn (attr :m/size+code :tuple :db/tupleAttrs [:m/size :m/code]))
  (tx! conn [:db/add [:f/id "m1"] :m/size 1])
  (tx! conn {:f/id "m5" :m/size 5 :m/code "c5"})
  (tx! conn [:db/retract [:f/id "m2"] :m/code "c2"])
  ;; its component is renamed; another composite names it by the old name
  (tx! conn {:db/id :m/size :db/ident :m/extent})
  (tx! conn (attr :m/size+tag :tuple :db/tupleAttrs [:m/size :m/tag]) [:db/add [:f/id "m5"] :m/extent 6])
  (tx! conn {:f/id "m5" :m/extent 7 :m/tag :z} {:db/id :c/a :db/ident :c/alpha})
  (tx! conn {:f/id "composite-1" :c/alpha 11})
  ;; flags
  (tx! conn {:db/id :m/flavor :db/cardinality :db.cardinality/many})
  (tx! conn {:f/id "m1" :m/flavor [:sour :bitter]} {:f/id "m2" :m/flavor :sour})
  (tx! conn (attr :m/labels :keyword :many true) {:f/id "m1" :m/code "c1b"})
  (tx! conn {:f/id "m1" :m/labels [:x :y]} {:f/id "m2" :m/labels [:x]})
  (tx! conn [:db/retract [:f/id "m1"] :m/labels :y])
  (tx! conn {:db/id :m/labels :db/cardinality :db.cardinality/one})
  (tx! conn {:f/id "m1" :m/labels :w})
  (interop/prepare-unique! conn :m/code)
  (tx! conn {:db/id :m/code :db/unique :db.unique/value})
  (tx! conn {:db/id :m/code :db/unique :db.unique/identity} {:f/id "m6" :m/code "c6"})
  (tx! conn {:m/code "c6" :f/note "found by an identity that was none"})
  (tx! conn [:db/retract :m/code :db/unique :db.unique/identity])
  (tx! conn {:f/id "m7" :m/code "c6"})
  (tx! conn {:db/id :h/no :db/noHistory false} {:db/id :m/score :db/noHistory true})
  (tx! conn {:f/id "u1" :h/no 10} {:f/id "m1" :m/score 0.75})
  (tx! conn {:f/id "u1" :h/no 11} {:f/id "m1" :m/score 1.0})
  (tx! conn [:db/retract :m/score :db/noHistory true] {:db/id :h/no :db/noHistory true :db/doc "once more"})
  (tx! conn {:f/id "u1" :h/no 12} {:f/id "m1" :m/score 1.25})
  (tx! conn {:db/id :m/owner :db/isComponent true})
  (tx! conn [:db/retractEntity [:f/id "m2"]])
  (tx! conn {:db/id :m/owner :db/isComponent false} {:db/id :p/odd :db.attr/preds 'clojure.core/int?})
  (tx! conn [:db/retract :p/odd :db.attr/preds 'clojure.core/odd?])
  (tx! conn {:f/id "person" :p/odd 40})
  ;; enums
  (let [[red green blue] (map #(:db/id (d/pull (d/db conn) [:db/id] %)) [:color/red :color/green :color/blue])]
    (tx! conn {:db/id red :db/ident :color/crimson})
    (tx! conn {:f/id "painted-later" :f/ref :color/red})
    (tx! conn [:db/add green :db/ident :color/blue] [:db/add blue :db/ident :color/green])
    (tx! conn [:db/retract green :db/ident :color/blue])
    (tx! conn {:db/ident :color/blue :f/n 99 :f/note "the second of that name"}))
  (tx! conn (attr :n/new :string :db/doc "new schema among data") {:f/id "m1" :f/note "data"} (attr :n/ref :ref :many true)
       {:db/ident :n/enum :f/n 5} [:db/add "datomic.tx" :audit/user "eve"])
  (tx! conn {:f/id "m1" :n/new "used" :n/ref [:n/enum "fresh" :n/new]} {:db/id "fresh" :n/new "made by a ref"}))

;; ---- wave 6: what came before, touched again

(defn wave-6!
  "Everything earlier waves made that has no name is touched again: twins, chains, cycles, components, owners, old transactions,
  entities that are only values; new schema in the middle; every type's values replaced; what was ref-only gets data."
  [conn]
  (let [db (d/db conn)
        follow (fn [e & as] (reduce (fn [e a] (ffirst (d/q '[:find ?v :in $ ?e ?a :where [?e ?a ?v]] db e a))) e as))
        chain (entity conn "chain")
        [a b c] (rest (take 4 (iterate #(follow % :f/ref) chain)))]
    (tx! conn [:db/add a :f/note "the first link"] [:db/add c :f/n 3])
    (tx! conn [:db/retract b :f/ref c] [:db/add b :f/ref a])
    (tx! conn [:db/retractEntity c]))
  (let [loops (map first (d/q '[:find ?x :where [?x :f/ref ?y] [?y :f/ref ?x] [(not= ?x ?y)]] (d/db conn)))
        self (map first (d/q '[:find ?x :where [?x :f/refs ?x]] (d/db conn)))]
    (doseq [e (sort-by eidx loops)]
      (tx! conn [:db/add e :f/n 1]))
    (tx! conn [:db/add (first self) :f/note "refers to itself"]))
  (let [[x y z] (entities conn :f/note "twin")]
    (tx! conn [:db/add z :f/note "no twin any more"])
    (tx! conn [:db/retractEntity x])
    (tx! conn [:db/add y :f/n 9] {:f/note "twin" :f/n 7}))
  (doseq [p (entities conn :f/note "part 1")]
    (tx! conn [:db/add p :f/n 1] [:db/add p :x/part "new"] {:db/id "new" :f/note "part 1.2"}))
  (tx! conn (attr :late/many :bigdec :many true) (attr :late/tuple :tuple :db/tupleTypes [:db.type/ref :db.type/string])
       (attr :late/id :long :db/unique :db.unique/identity))
  (tx! conn {:late/id 1 :late/many [1.5M 2.5M] :late/tuple [[:f/id "chain"] nil]} {:late/id 2 :late/tuple ["n" "new"]} {:db/id "n" :f/n 0})
  (tx! conn {:late/id 1 :late/many [3.5M] :late/tuple [[:late/id 2] "two"]} [:db/retract [:late/id 1] :late/many 1.5M])
  (apply tx! conn (for [t (remove #{:ref} scalars)
                        :let [vs (edges t)]]
                    {:f/id (str (name t) "-0") (kw "one" (name t)) (second vs)}))
  (let [t1 (:db/id (d/pull (d/db conn) [:db/id] [:audit/id #uuid "00000000-0000-0000-0000-00000000000a"]))]
    (tx! conn [:db/add t1 :audit/user "zoe"] [:db/add t1 :f/n 1])
    (tx! conn {:f/id "historian" :t/refs [[t1 nil]]} [:db/retract [:f/id "historian"] :f/ref]))
  (tx! conn [:db/add (number 102) :f/note "no longer dangling"] [:db/retract [:f/id "dangling"] :f/refs (number 1000002)])
  (tx! conn [:db/retractEntity [:f/id "haunted"]] [:db/retractEntity [:f/id "painted"]])
  (tx! conn {:f/id "composite-4" :c/b "vier"} [:db/retract [:f/id "m5"] :m/extent 7])
  (tx! conn [:db/add :db.part/tx :f/note "on the partition of transactions"] [:db/add :db.part/db :f/refs [:f/id "chain"]])
  (same-time-tx! conn [:db/add "datomic.tx" :audit/user "no instant of its own"]))

;; ---- wave 7: size

(defn wave-7!
  "Size: values beyond 64 KiB of the types that have no limit, a card-many attribute of 3,000 values on one entity, a transaction of
  2,000 entities, 200 small transactions."
  [conn]
  (tx! conn {:f/id "large"
             :one/keyword (kw (text 70000 "k"))
             :one/symbol (symbol "ns" (text 66000 "s"))
             :one/uri (URI. (str "urn:x:" (text 70000 "u")))
             :one/bigint (bigint (.shiftLeft BigInteger/ONE 560000))
             :one/bigdec (BigDecimal. (.shiftLeft BigInteger/ONE 530000) 5)})
  (tx! conn {:f/id "large" :one/keyword :small :many/string (map #(str "value " %) (range 3000))})
  (apply tx! conn (for [i (range 2000)]
                    (cond-> {:db/id (str i) :f/n i :f/ref (str (quot i 2))}
                      (zero? (mod i 10)) (assoc :f/id (str "bulk-" i)))))
  (dotimes [i 200]
    (tx! conn {:f/id (str "bulk-" (* 10 i)) :f/note (str "note " i) :f/refs [[:f/id (str "bulk-" (* 10 (mod (* i 7) 200)))]]}))
  (apply tx! conn (for [i (range 0 3000 2)]
                    [:db/retract [:f/id "large"] :many/string (str "value " i)])))

;; ---- wave 8: where Datomic's own equality is odd

(defn wave-8!
  "Where values are equal without being alike: URIs and floats retracted in another spelling, bigdecs of several scales
  side by side and hidden by each other's retraction, card-one from one scale to another; the name of an
  attribute retracted; data on a transaction of the bootstrap."
  [conn]
  (tx! conn {:f/id "odd" :many/uri [(URI. "http://a/%4a") (URI. "http://b/")] :many/float [(float -0.0)] :many/bigdec [1.0M 5.0M]
             :one/bigdec 1.0M})
  (tx! conn [:db/retract [:f/id "odd"] :many/uri (URI. "HTTP://A/%4A")] [:db/retract [:f/id "odd"] :many/float (float 0.0)])
  (tx! conn {:f/id "odd" :many/bigdec [1.00M] :one/bigdec 1.00M})
  (tx! conn {:f/id "odd" :many/bigdec [1M] :many/uri [(URI. "HTTP://B/")]})
  (tx! conn {:f/id "odd-2" :many/bigdec [2.0M]})
  (tx! conn {:f/id "odd-2" :many/bigdec [2.00M]})
  (tx! conn [:db/retract [:f/id "odd-2"] :many/bigdec 2.00M])
  (tx! conn {:f/id "odd-2" :many/bigdec [2.000M]})
  (tx! conn (attr :odd/unnamed :string) (attr :odd/kept :string))
  (tx! conn {:f/id "odd" :odd/unnamed "its attribute will lose its name"})
  (tx! conn [:db/retract :odd/unnamed :db/ident :odd/unnamed])
  (tx! conn [:db/add (+ (bit-shift-left 3 42) 5) :f/note "on a transaction of the bootstrap"]))

(def waves [#'wave-1! #'wave-2! #'wave-3! #'wave-4! #'wave-5! #'wave-6! #'wave-7! #'wave-8!])

(defn run-wave! [conn n]
  (let [before (:t (d/db conn))]
    ((waves (dec n)) conn)
    (- (:t (d/db conn)) before)))

(defn run-waves! [conn]
  (reduce + (map #(run-wave! conn (inc %)) (range (count waves)))))
