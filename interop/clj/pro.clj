;; The helpers about Datomic Pro that requests have at hand. They are described in doc.go.

(ns pro
  (:require [datomic.api :as p]
            [datomic.backup :as backup]
            [datomic.db :as db]
            [datomic.garbage :as garbage]
            [datomic.index :as index]
            [datomic.log :as log]
            interop
            peer
            transactor)
  (:import java.util.Date))

(transactor/install!)
(garbage/install-mark-handler)

;; ---- databases

(defn conn [uri]
  (peer/wrap (p/connect uri)))

(defn create [uri]
  (when-not (p/create-database uri)
    (throw (ex-info "there is such a database" {:uri uri})))
  (conn uri))

(defn create-old
  "A database as one that was born before there were tuples: without the last two transactions of the bootstrap."
  [uri]
  (let [txs @#'db/bootstrap-txes]
    (with-redefs-fn {#'db/bootstrap-txes (vec (take (- (count txs) 2) txs))
                     #'db/update-schema-level identity
                     #'db/base-bootstrap-db (delay (@#'db/bootstrap-db*))}
      #(create uri))))

(defn upgrade!
  "What an old database lacks becomes a part of it, under numbers behind those of its users' attributes."
  [conn]
  (doseq [tx (take-last 2 @#'db/bootstrap-txes)]
    (interop/tx-at! conn (+ 1 (max interop/epoch (interop/newest-instant (.db ^peer.Conn conn)))) tx)))

(defn release
  "The JVM knows nothing of the database any more, what its transactor knew included."
  [uri]
  (p/release (p/connect uri))
  (transactor/forget! uri))

(defn reopen
  "A connection that has read everything from storage."
  [uri]
  (release uri)
  (conn uri))

(defn delete [uri] (p/delete-database uri))

(defn rename [uri new-name] (p/rename-database uri new-name))

;; ---- index jobs, garbage

(defn index!
  "An index job, done when it returns; answers the basis-t of the index."
  [uri]
  (let [t (transactor/index! (transactor/writer-of uri))]
    (when (= :late (deref (p/sync-index (p/connect uri) t) 60000 :late))
      (throw (ex-info "the peer did not hear of an index job" {:t t})))
    t))

(defmethod interop/prepare-unique! peer.Conn [conn ident]
  (interop/tx-at! conn (interop/newest-instant (.db ^peer.Conn conn)) [{:db/id ident :db/index true}])
  (transactor/index! (transactor/writer-of-connection (peer/unwrap conn))))

(defmethod interop/first-own peer.Db [_] 72)

(defn gc!
  "Deletes all segments that are garbage by now."
  [uri]
  (let [{:keys [cluster lookup]} @(transactor/writer-of uri)]
    (garbage/flush-garbage cluster lookup)
    (await garbage/garbage-agent garbage/collection-agent)
    (garbage/gc cluster (Date.))))

(defn with-sizes
  "Calls f while nodes of trees are of another size than Datomic's own: small ones, so that a small database has trees as deep
  as a large one's."
  [{:keys [segment leaf dirs main]} f]
  (with-redefs-fn (cond-> {}
                    segment (assoc #'index/BYTES_PER_SEG segment)
                    leaf (assoc #'log/segment-threshold leaf)
                    dirs (assoc #'log/dir-threshold dirs
                                #'index/DIR_PARTITION_SIZE (zipmap [:eavt :aevt :avet :raet] (repeat dirs)))
                    main (assoc #'index/MIN_MAIN_INDEX_THRESHOLD main))
    f))

;; ---- backups

(defn backup!
  "Answers how many segments were copied and skipped."
  [uri to]
  (let [counts (atom {:copied 0 :skipped 0})]
    @(backup/backup uri to false #(swap! counts update % (fnil inc 0)) true)
    @counts))

(defn restore! [from uri t]
  (let [r @(backup/restore from uri (fn [_]) t true)]
    (transactor/forget! uri)
    r))

(defn backups [at] (backup/describe-backups at))

(defn verify [at t] (backup/verify-backup {:backup-uri at :t t :read-all true}))

;; ---- dumps

(defn dump
  "Writes into a directory all that a database says about itself."
  [conn dir]
  (let [db (.db ^peer.Conn conn)
        history (.history ^peer.Db db)
        writer @(transactor/writer-of-connection (peer/unwrap conn))
        txs (log/tx-range (:log writer) (:db writer) nil nil) ; a peer's own log does without uuids
        file #(str dir "/" %)]
    (interop/dump-tx-range conn (file "log"))
    (interop/write-lines (file "ids") (map #(str (:t %) " " (:id %)) txs))
    (doseq [i [:eavt :aevt :avet :vaet]]
      (interop/dump-datoms db i (file (name i)))
      (interop/dump-datoms history i (file (str "history-" (name i)))))))

;; ---- a live writer

(def ^:private live (atom nil))

(defn- write-one! [uri conn i]
  @(p/transact-async conn (into [[:db/add "datomic.tx" :live/batch i]]
                                (mapcat #(vector {:live/n (+ (* i 10) %) :live/s (str "v" i "-" %)})
                                        (range 10))))
  (when (zero? (mod (inc i) 40)) (transactor/index! (transactor/writer-of uri)))
  (when (zero? (mod (inc i) 120)) (gc! uri)))

(defn start-live!
  "Writes to a new database until it is stopped: ten entities a transaction, an index job now and then, and after some of
  them its garbage is deleted."
  [uri]
  (let [conn (peer/unwrap (create uri)) stop (promise)]
    @(p/transact conn [(interop/attr :live/n :long :db/unique :db.unique/identity) (interop/attr :live/s :string)
                       (interop/attr :live/batch :long)])
    (reset! live {:stop stop
                  :done (future (with-sizes {:leaf 4000 :segment 8000 :dirs 20}
                                  #(loop [i 0]
                                     (if (realized? stop)
                                       i
                                       (do (write-one! uri conn i)
                                           (recur (inc i)))))))})
    :started))

(defn stop-live!
  "Answers how many transactions were written."
  []
  (let [{:keys [stop done]} @live]
    (deliver stop true)
    (let [n (deref done 60000 :late)]
      (when (= n :late)
        (throw (ex-info "the live writer hangs" {})))
      n)))
