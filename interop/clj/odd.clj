;; What Datomic Local accepts and few would think of, in waves as features has them.
;;
;;   (odd/run-wave! conn 1) ... (odd/run-wave! conn (count waves))

(ns odd
  (:require [datomic.client.api :as d]
            [interop :refer [attr]])
  (:import java.util.UUID))

(defn- tx! [conn & tx-data]
  (let [at (+ 1 (max interop/epoch (interop/newest-instant (d/db conn))))]
    (while (< (System/currentTimeMillis) at) ; the newest may be of this very millisecond
      (Thread/sleep 1))
    (interop/tx-at! conn at tx-data)))

(defn- tx-entity [t] (+ (bit-shift-left 3 42) t))

(defn- composite [ident & attrs]
  (attr ident :tuple :db/tupleAttrs (vec attrs)))

(defn wave-1!
  "Data on numbers the bootstrap keeps free, on its transactions, on builtins; idents and identities of transactions, a
  transaction that refers to itself; an ordinary entity with a :db/txInstant; attributes of the bootstrap that few use; own
  attributes named as if they were Datomic's; identities that are refs and tuples with refs."
  [conn]
  (tx! conn
       (attr :o/id :string :db/unique :db.unique/identity) (attr :o/n :long) (attr :o/note :string) (attr :o/ref :ref)
       (attr :o/refs :ref :many true)
       (attr :o/by-ref :ref :db/unique :db.unique/identity)
       (attr :o/by-refs :ref :many true :db/unique :db.unique/value)
       (attr :o/by-tuple :tuple :db/tupleTypes [:db.type/ref :db.type/long] :db/unique :db.unique/identity)
       (attr :db/mine :string) (attr :db.type/mine :long) (attr :o/text :string :db/fulltext true) (attr :o/fn :fn))
  (tx! conn {:o/id "e" :o/n 1 :db/mine "x" :db.type/mine 3 :o/text "full"} {:o/id "f" :o/n 2})
  (tx! conn [:db/add 5 :o/note "five"] [:db/add 44 :o/note "forty-four"] [:db/add [:o/id "e"] :o/refs 44] [:db/add 6 :o/n 6])
  (tx! conn [:db/add [:o/id "e"] :o/refs 9] [:db/add [:o/id "e"] :o/refs 5])
  (tx! conn [:db/add "datomic.tx" :db/ident :tx/one] [:db/add "datomic.tx" :o/refs "datomic.tx"])
  (tx! conn [:db/add "datomic.tx" :o/id "a transaction"] [:db/add "datomic.tx" :o/by-ref "datomic.tx"])
  (d/transact conn {:tx-data [[:db/add "datomic.tx" :o/id "a transaction"] [:db/add [:o/id "e"] :o/note "here it is the older one"]]})
  (tx! conn [:db/add [:o/id "e"] :db/txInstant #inst "2020"] [:db/add [:o/id "f"] :db/txInstant #inst "2031"]
       [:db/add :o/n :db/txInstant #inst "2022"])
  (tx! conn [:db/add (tx-entity 1) :o/n 1] [:db/add (tx-entity 0) :o/note "the very first"] [:db/add (tx-entity 3) :o/ref (tx-entity 1)])
  (tx! conn {:db/id :db/system-tx :o/n 7 :db/doc "of mine"} [:db/add "datomic.tx" :db/system-tx :k/k]
       [:db/add "datomic.tx" :db/system-tx :k/l] [:db/add "datomic.tx" :db/txUUID (UUID. 1 2)])
  (tx! conn [:db/add [:o/id "e"] :fressian/tag :my/tag] [:db/add [:o/id "f"] :db/txUUID (UUID. 3 4)])
  (tx! conn {:o/by-tuple [[:o/id "e"] 1] :o/n 3} {:o/by-tuple [(tx-entity 2) 2] :o/n 4} {:o/by-tuple [nil 3]}
       {:o/by-ref [:o/id "e"] :o/n 5} {:o/id "g" :o/by-refs [[:o/id "e"] :o/note "datomic.tx"]})
  (tx! conn {:db/ident :my/part :db.install/_partition :db.part/db} {:db/ident :my/enum :o/by-ref :o/n}))

(defn wave-2!
  "Composites over attributes of the bootstrap, so that attributes, partitions and transactions have them; all that
  wave 1 made changes."
  [conn]
  (tx! conn (composite :oc/ident :db/ident :o/n) (composite :oc/instant :db/txInstant :o/n) (composite :oc/doc :db/doc :o/n)
       (composite :oc/type :db/valueType :o/n))
  (tx! conn (attr :o/new :string :db/doc "its composites") {:db/ident :my/second :o/n 8 :db/doc "x"} {:o/id "e" :o/n 10})
  (tx! conn (assoc (attr :o/newer :ref) :o/n 44 :o/id "an attribute") [:db/add "datomic.tx" :o/n 11])
  (tx! conn {:db/id :my/part :db/ident :my/part-2 :o/n 12} {:db/id :o/new :db/ident :o/renewed} {:db/id :tx/one :db/ident :tx/uno :o/n 1})
  (tx! conn {:db/id :o/renewed :db/doc "another"} [:db/add [:o/id "e"] :db/txInstant #inst "2021"]
       [:db/retract [:o/id "f"] :db/txInstant #inst "2031"] [:db/add :o/n :db/txInstant #inst "2023"])
  (tx! conn [:db/retract 5 :o/note "five"] [:db/add 44 :o/note "changed"] [:db/add 9 :o/n 9] [:db/retract 6 :o/n 6])
  (tx! conn {:o/id "a transaction" :o/n 13} [:db/retract (tx-entity 1) :o/n 1] [:db/add (tx-entity 0) :o/note "changed"])
  (let [holder (ffirst (d/q '[:find ?h :where [?h :o/by-ref ?e] [?e :o/id "e"]] (d/db conn)))]
    (tx! conn [:db/add holder :o/by-ref [:o/id "f"]]))
  (tx! conn {:o/by-ref [:o/id "f"] :o/n 14} {:o/by-tuple [(tx-entity 2) 2] :o/n 15} {:o/id "h" :o/by-refs [:o/n]})
  (tx! conn [:db/retract :my/enum :db/ident :my/enum] [:db/retract :tx/uno :db/ident :tx/uno])
  (tx! conn {:o/id "e" :db/mine "y" :db.type/mine 4}))

(defn wave-3!
  "It all changes again."
  [conn]
  (tx! conn {:db/ident :my/enum :o/n 16} {:db/ident :tx/one :o/n 17})
  (tx! conn {:o/id "e" :o/n 18 :o/refs [9 6 :my/enum :tx/one :tx/uno]} [:db/add "datomic.tx" :o/by-refs "datomic.tx"])
  (tx! conn [:db/add 5 :o/id "five again"] [:db/add 6 :o/ref 5] [:db/retractEntity 44])
  (tx! conn [:db/retractEntity [:o/id "e"]])
  (tx! conn {:o/id "e" :o/n 19} {:o/by-tuple [nil 3] :o/n 20})
  (tx! conn {:db/id :o/n :db/doc "counted"} {:db/id :my/part-2 :o/n 21} {:db/id :o/newer :o/id "still an attribute" :o/n 45})
  (tx! conn (composite :oc/late :o/note :db/txInstant) {:o/id "e" :o/note "late"})
  (tx! conn {:o/id "e" :o/note "later"} [:db/add :o/n :o/note "the latest"]))

(def waves [#'wave-1! #'wave-2! #'wave-3!])

(defn run-wave! [conn n]
  ((waves (dec n)) conn))
