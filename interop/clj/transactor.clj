;; A stand-in for the process of the transactor. The peer library has all of its code that reads and writes storage;
;; what a peer lacks is somebody to send transactions to. Here it sends them to a writer in its own process: where to find
;; a transactor, and how to talk to it, are the only two things of Datomic's that are replaced.
;;
;;   (install!)              once, before anything is connected to
;;   (writer-of uri)         the writer of a database, starting it if need be
;;   (index! writer)         an index job, with the excisions that are due
;;   (forget! uri)           the writer lets go of a database that somebody else changed in storage

(ns transactor
  (:require [datomic.api :as p]
            [datomic.catalog :as catalog]
            [datomic.common :as common]
            [datomic.connector :as connector]
            [datomic.coordination :as coordination]
            [datomic.db :as db]
            [datomic.domain :as domain]
            [datomic.index :as index]
            [datomic.log :as log]
            [datomic.uri :as uri])
  (:import java.util.concurrent.BlockingQueue))

(def ^:private writers
  "By database id: an atom with the database, its log and its cluster."
  (atom {}))

(def ^:private listeners
  "By database id: those whom a peer wants told of what happens."
  (atom {}))

(defn- tell [db-id f]
  (doseq [l (@listeners db-id)] (f l)))

(defn- load-database [conf]
  (let [cluster (coordination/create-db-cluster conf)
        lookup (domain/system-cache-olookup cluster)
        {:keys [idxroot log]} (log/ensure-index-and-log cluster lookup (:db-id conf))
        indexed (db/db (:db-id conf) (index/load-index lookup idxroot))]
    {:db-id (:db-id conf) :cluster cluster :lookup lookup
     :db (:db (log/catchup indexed log true))
     :log (log/claim log cluster)}))

(defn- writer [conf]
  (locking writers
    (or (@writers (:db-id conf))
        (let [w (atom (load-database conf))]
          (swap! writers assoc (:db-id conf) w)
          w))))

(defn- conf-of [uri] (coordination/resolve-db-name (uri/parse uri)))

(defn writer-of [uri] (writer (conf-of uri)))

(defn writer-of-connection [conn] (@writers (:id (p/db conn))))

(defn forget! [uri]
  (locking writers
    (swap! writers dissoc (:db-id (conf-of uri)))))

;; ---- index jobs

(defn- excise [{:keys [cluster lookup]} log predicates]
  (if (seq predicates)
    (let [excised (log/excise cluster lookup log predicates)
          root (log/excise-root cluster lookup (log/get-root-id log) excised)]
      (log/adopt-root log cluster (:root-id root) nil))
    log))

(defn index!
  "Answers the basis-t of the new index."
  [w]
  (locking w
    (let [{:keys [db-id cluster lookup] :as state} @w
          db (db/prepare-for-indexing (:db state))
          {:keys [new-index xpreds]} (index/merge-db cluster lookup db (p/next-t db))
          log (excise state (log/segment cluster lookup) xpreds)]
      (swap! w assoc :log log :db (db/complete-indexing db new-index))
      (tell db-id connector/notify-index)
      (:basisT new-index))))

;; ---- transactions

(defn- append! [w id {:keys [db-after tx-data tempids]}]
  (let [{:keys [db-id cluster log]} @w
        tx {:id id :t (p/basis-t db-after) :data (vec tx-data)}
        entry {:id id :tx tx :fressianed-tx (log/fressianed-tx tx)}]
    (swap! w assoc :log (log/append log cluster [entry]) :db db-after)
    (tell db-id #(connector/notify-data % {:id id :data tx-data :tempids tempids}))))

(defn- transact! [w {:keys [id data txdata]}]
  (let [r (try (db/with-tx+opts (:db @w) (or data txdata) nil)
               (catch Throwable t t))]
    (if (instance? Throwable r)
      (tell (:db-id @w) #(connector/notify-error % id r))
      (append! w id r))))

(defn- process! [w message]
  (locking w
    (if (= :sync (:type message))
      (tell (:db-id @w) #(connector/notify-sync % (:id message)))
      (transact! w message))))

(defn- serve
  "Takes a peer's messages until it is interrupted."
  [conf ^BlockingQueue queue failure]
  (try
    (loop []
      (process! (writer conf) (.take queue))
      (recur))
    (catch InterruptedException _)
    (catch Throwable t
      (.printStackTrace t)
      (failure t))))

;; ---- what a peer sees

(defn- administer [conf request arg]
  (let [system (coordination/create-system-cluster (dissoc conf :db-id :db-name))]
    (case request
      :create-database (let [r (catalog/create-database system arg)]
                         (when (:created r)
                           (writer (coordination/resolve-db-name (assoc conf :db-name (:db-name arg)))))
                         r)
      :delete-database (catalog/delete-database system (:db-name arg arg))
      :rename-database (catalog/rename-database system (:db-name arg) (:new-name arg))
      :start-database (do (writer conf) {:started true :db-id (:db-id conf)})
      :request-index (do (future (index! (@writers arg))) {:ok true})
      {:ok true})))

(defn- connect [{:keys [db-id] :as conf} endpoint]
  (reify
    connector/TransactorConnector
    (endpoint [_] endpoint)
    (admin-request* [_ request arg _] {:value (administer conf request arg)})
    (create-notifier [_ listener _]
      (reify
        connector/Startable
        (start [_] (swap! listeners update db-id (fnil conj #{}) listener) nil)
        common/AsyncShutdown
        (async-shutdown [_] (swap! listeners update db-id disj listener) nil)))
    (start-updater [_ queue _ failure]
      (writer conf)
      (let [thread (doto (Thread. #(serve conf queue failure)) (.setDaemon true) .start)]
        (reify common/AsyncShutdown
          (async-shutdown [_] (.interrupt thread) nil))))
    common/AsyncShutdown
    (async-shutdown [_] nil)))

(defn install! []
  (let [endpoint {:host "in-process" :port 0 :version "in-process" :timestamp 0 :username "" :password "" :encrypt-channel false}
        find-endpoint (constantly (constantly endpoint))]
    (alter-var-root #'coordination/lookup-compatible-transactor-endpoint find-endpoint)
    (alter-var-root #'coordination/lookup-transactor-endpoint find-endpoint)
    (alter-var-root #'connector/create-transactor-hornet-connector
                    (constantly (fn ([conf endpoint] (connect conf endpoint))
                                  ([conf endpoint _] (connect conf endpoint)))))))
