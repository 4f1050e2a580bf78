;; The client API over a peer: what is written for connections and databases of Datomic Local does with those of
;; Datomic Pro, too.
;;
;;   (wrap connection)       a connection of the client API over one of datomic.api's
;;   (unwrap x)              of a connection or database, datomic.api's
;;
;; Local has all attributes in AVET, Pro only those that are indexed: the datoms of others are sorted here.

(ns peer
  (:require [datomic.api :as p]
            [datomic.client.api.impl :as impl]
            [datomic.client.api.protocols :as protocols]
            [datomic.common :as common])
  (:import clojure.lang.ExceptionInfo
           java.util.concurrent.ExecutionException))

(defprotocol Wrapped
  (unwrap [x]))

(declare ->Db)

(defn- cause [^Throwable e]
  (if (and (instance? ExecutionException e) (.getCause e))
    (recur (.getCause e))
    e))

(defmacro ^:private as-client
  "Exceptions of Datomic's become what the client API throws."
  [& body]
  `(try ~@body
        (catch Throwable e#
          (let [e# (cause e#)]
            (if (and (ex-data e#) (not (instance? ExceptionInfo e#)))
              (throw (ex-info (.getMessage e#) (ex-data e#) e#))
              (throw e#))))))

(defn- report [{:keys [db-before db-after tx-data tempids]}]
  {:db-before (->Db db-before) :db-after (->Db db-after) :tx-data tx-data :tempids tempids})

(defn- page [{:keys [offset limit]} xs]
  (let [xs (drop (or offset 0) xs)]
    (if (nat-int? limit) (take limit xs) xs)))

(defn- in-avet? [db a]
  (:has-avet (p/attribute db a)))

(defn- by-value [db a]
  (sort-by :v common/compare (p/datoms db :aevt a)))

(defn- avet [db [a & more]]
  (cond
    (nil? a) (p/datoms db :avet)
    (in-avet? db a) (apply p/datoms db :avet a more)
    more (filter #(zero? (common/compare (first more) (:v %))) (by-value db a))
    :else (by-value db a)))

(defn- in-range [db a start end]
  (if (in-avet? db a)
    (p/index-range db a start end)
    (filter #(and (or (nil? start) (<= (common/compare start (:v %)) 0))
                  (or (nil? end) (neg? (common/compare (:v %) end))))
            (by-value db a))))

(deftype Db [db]
  Wrapped
  (unwrap [_] db)
  clojure.lang.ILookup
  (valAt [this k] (.valAt this k nil))
  (valAt [_ k default]
    (case k
      :t (p/basis-t db)
      :as-of (p/as-of-t db)
      :since (p/since-t db)
      :history (p/is-history db)
      default))
  protocols/Db
  (as-of [_ t] (Db. (p/as-of db t)))
  (since [_ t] (Db. (p/since db t)))
  (history [_] (Db. (p/history db)))
  (datoms [_ {:keys [index components] :as m}]
    (as-client
     (page m (if (= index :avet)
               (avet db components)
               (apply p/datoms db index components)))))
  (db-stats [_] (p/db-stats db))
  (index-pull [_ m] (p/index-pull db m))
  (index-range [_ {:keys [attrid start end] :as m}] (as-client (page m (in-range db attrid start end))))
  (pull [_ {:keys [selector eid]}] (as-client (p/pull db selector eid)))
  (pull [_ selector eid] (as-client (p/pull db selector eid)))
  (with [_ {:keys [tx-data]}] (as-client (report (p/with db tx-data))))
  impl/Queryable
  (q [_ {:keys [query args]}]
    (as-client (vec (apply p/q query (map #(if (satisfies? Wrapped %) (unwrap %) %) args)))))
  (qseq [this m] (impl/q this m)))

(deftype Conn [conn]
  Wrapped
  (unwrap [_] conn)
  protocols/Connection
  (db [_] (Db. (p/db conn)))
  (with-db [_] (Db. (p/db conn)))
  (sync [_ t] (Db. @(p/sync conn t)))
  (transact [_ {:keys [tx-data]}] (as-client (report @(p/transact conn tx-data))))
  (tx-range [_ {:keys [start end] :as m}] (page m (p/tx-range (p/log conn) start end))))

(def wrap ->Conn)
