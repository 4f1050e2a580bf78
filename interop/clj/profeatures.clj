;; What Datomic Pro has and Datomic Local has not, in waves as features has them. The two go together in one database:
;; nothing here is named as anything there.
;;
;;   (profeatures/run-wave! conn 1) ... (profeatures/run-wave! conn (count waves))
;;   (profeatures/excise! conn)       excisions of what the waves made; the next index job does them

(ns profeatures
  (:require [datomic.api :as p]
            [datomic.client.api :as d]
            [interop :refer [attr]]
            peer)
  (:import java.net.URI
           [java.util Date UUID]))

(defn- tx! [conn & tx-data]
  (interop/tx-at! conn (+ 1000 (max interop/epoch (interop/newest-instant (d/db conn)))) tx-data))

(defn- octets [& ns] (byte-array (map unchecked-byte ns)))

(defn- many-octets [n] (byte-array (map #(unchecked-byte (* 7 %)) (range n))))

(defn- text [n]
  (let [sb (StringBuilder.)]
    (dotimes [i n] (.append sb (nth ["a" "é" "€" "𝄞" " " "\n"] (mod (* i i) 6))))
    (str sb)))

(def ^:private increase
  (p/function '{:lang "clojure" :params [db e a n]
                :requires [[clojure.string :as s] [clojure.set]] :imports [(java.util Date) java.net.URI]
                :code (let [v (or (get (datomic.api/entity db e) a) 0)] [[:db/add e a (+ v n)]])}))

(def ^:private nothing (p/function '{:lang :clojure :params [db] :code []}))

(def ^:private in-java
  (p/function {:lang :java :params '[db e] :code "return list(list(\":db/add\", e, \":q/note\", \"from \\\"java\\\"\"));"}))

(defn wave-1!
  "Bytes; attributes with :db/index and with :db/fulltext; functions in Clojure and in Java, under :db/fn and as values of an attribute of
  one's own, and calls of them; partitions, installed and implicit; enums in the db partition."
  [conn]
  (tx! conn
       (attr :q/id :string :db/unique :db.unique/identity) (attr :q/note :string) (attr :q/n :long :db/index true)
       (attr :q/bytes :bytes) (attr :q/many-bytes :bytes :many true) (attr :q/fn :fn) (attr :q/refs :ref :many true)
       (attr :q/text :string :db/fulltext true) (attr :q/texts :string :many true :db/fulltext true :db/index true)
       (attr :q/secret :string) (attr :q/secrets :string :many true :db/index true)
       (attr :q/gone :bytes :db/index true))
  (tx! conn
       {:q/id "b1" :q/bytes (octets 0 1 2 -1 -128 127) :q/many-bytes [(octets 1) (octets 2 3) (octets -1) (octets)]}
       {:q/id "b2" :q/bytes (octets) :q/refs ["b3" :q/id]}
       {:db/id "b3" :q/bytes (octets 9 9)}
       {:q/id "b4" :q/bytes (many-octets 100000) :q/note (text 60000)})
  (tx! conn
       {:db/ident :fn/increase :db/fn increase :db/doc "adds to a number"}
       {:db/ident :fn/nothing :db/fn nothing}
       {:db/id "j" :db/ident :fn/java :db/fn in-java :q/note "a function with a note"}
       {:q/id "f1" :q/fn increase :q/refs ["j"]})
  (tx! conn [:fn/increase [:q/id "b1"] :q/n 5] [:fn/nothing])
  (tx! conn [:fn/java [:q/id "b2"]])
  (tx! conn {:q/id "t1" :q/text "the quick brown fox" :q/texts ["lazy dog" "jumps over"]} {:q/id "t2" :q/text "another fox"})
  (tx! conn {:db/id "p" :db/ident :q.part/users} [:db/add :db.part/db :db.install/partition "p"])
  (tx! conn {:db/id (p/tempid :db.part/db) :db/ident :q.part/orders :db.install/_partition :db.part/db :q/note "a partition with a note"})
  (tx! conn
       {:db/id (p/tempid :q.part/users) :q/id "in users" :q/refs [:q.part/users]}
       {:db/id (p/tempid :q.part/orders) :q/id "in orders"}
       {:db/id (p/tempid (p/implicit-part 77)) :q/id "in 77" :q/n 77}
       {:db/id (p/tempid (p/implicit-part 524287)) :q/id "in the last" :q/refs [[:q/id "b1"]]}
       {:db/id (p/tempid :db.part/tx) :q/note "in the partition of transactions"}
       {:db/id "x" :q/id "forced"} {:db/id "y" :q/id "matched"}
       {:db/id "datomic.tx" :db/force-partition {"x" :q.part/users} :db/match-partition {"y" "x"}})
  (tx! conn
       {:db/id (p/tempid :db.part/db) :db/ident :q.enum/one} {:db/id (p/tempid :db.part/db) :db/ident :q.enum/two :q/n 2 :q/bytes (octets 7)})
  (tx! conn
       {:q/id "chosen" :q/refs [:q.enum/one :q.enum/two]})
  (tx! conn
       {:q/id "s1" :q/secret "secret 1" :q/secrets ["a" "b"] :q/gone (octets 1)} {:q/id "s2" :q/secret "secret 2" :q/secrets ["c"] :q/gone (octets 2)}
       {:q/id "s3" :q/secret "secret 3" :q/n 3}))

(defn wave-2!
  "What wave 1 made changes: bytes replaced and retracted, functions replaced, texts retracted, indexes dropped and added, attributes of
  bytes renamed and altered, entities in partitions of their own retracted."
  [conn]
  (tx! conn {:q/id "b1" :q/bytes (octets 5)} [:db/retract [:q/id "b1"] :q/many-bytes (octets 2 3)] {:q/id "b2" :q/bytes (octets 0)})
  (tx! conn {:q/id "b1" :q/many-bytes [(octets 2 3) (many-octets 300)]} [:db/retract [:q/id "b2"] :q/bytes (octets 0)])
  (tx! conn {:db/id :fn/increase :db/fn nothing} [:db/retract :fn/java :db/fn in-java])
  (tx! conn {:q/id "t1" :q/text "replaced, about foxes"} [:db/retract [:q/id "t1"] :q/texts "lazy dog"])
  (tx! conn {:db/id :q/n :db/index false} {:db/id :q/note :db/index true})
  (tx! conn {:db/id :q/bytes :db/ident :q/octets} {:db/id :q/many-bytes :db/noHistory true :db/doc "many"})
  (tx! conn {:q/id "b5" :q/octets (octets 1 1)} {:db/id :q/octets :db/cardinality :db.cardinality/many})
  (tx! conn {:q/id "b5" :q/octets (octets 2 2) :q/refs [:q/octets :q/fn :fn/java]})
  (tx! conn [:db/retractEntity [:q/id "in 77"]] [:db/retractEntity [:q/id "b4"]] [:db/retractEntity :q.enum/two])
  (tx! conn {:q/id "s1" :q/secret "secret 1b" :q/secrets ["b2"]} {:q/id "s3" :q/secret "secret 3b"}
       {:q/id "later in users" :db/id (p/tempid :q.part/users)})
  (tx! conn [:db/retract [:q/id "s1"] :q/secrets "a"] {:db/ident :q.part/late :db.install/_partition :db.part/db :db/id (p/tempid :db.part/db)})
  (tx! conn {:db/id (p/tempid :q.part/late) :q/id "in late" :q/octets (octets 3 3)} [:db/add "datomic.tx" :q/octets (octets 4)]))

(defn wave-3!
  "Values that are equal without being alike, as in wave 8 of features, without the case of which Datomic Pro says one thing before an
  index job and another after it: a retraction that has two of them to choose from."
  [conn]
  (tx! conn (attr :q/many-uri :uri :many true) (attr :q/many-float :float :many true) (attr :q/many-bigdec :bigdec :many true)
       (attr :q/bigdec :bigdec) (attr :q/unnamed :string))
  (tx! conn {:q/id "odd" :q/many-uri [(URI. "http://a/%4a") (URI. "http://b/")] :q/many-float [(float -0.0)]
             :q/many-bigdec [1.0M 5.0M] :q/bigdec 1.0M :q/unnamed "its attribute will lose its name"})
  (tx! conn [:db/retract [:q/id "odd"] :q/many-uri (URI. "HTTP://A/%4A")] [:db/retract [:q/id "odd"] :q/many-float (float 0.0)])
  (tx! conn {:q/id "odd" :q/many-bigdec [1.00M] :q/bigdec 1.00M})
  (tx! conn {:q/id "odd" :q/many-bigdec [1M] :q/many-uri [(URI. "HTTP://B/")]})
  (tx! conn [:db/retract :q/unnamed :db/ident :q/unnamed]))

(def waves [#'wave-1! #'wave-2! #'wave-3!])

(defn run-wave! [conn n]
  ((waves (dec n)) conn))

(defn excise!
  "Excisions of an entity, of an attribute's values before a t, of an entity's values of one attribute, and of all of an attribute."
  [conn]
  (let [entity #(p/entid (peer/unwrap (d/db conn)) [:q/id %])]
    (tx! conn {:db/excise (entity "s2")} {:db/excise (entity "s1") :db.excise/attrs [:q/secret]})
    (tx! conn {:db/excise :q/secrets :db.excise/beforeT (:t (d/db conn))} {:db/excise :q/gone})))
