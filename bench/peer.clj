;; One call of datomic-backup's incremental-restore, between two Datomic Local databases:
;;
;;   clojure.main peer.clj SOURCE-STORAGE CLONE-STORAGE SYSTEM DB
;;
;; Its state is in the database DB-state beside the clone. It prints how long the call itself took: the
;; process also compiles Datomic Local's and the library's sources, which a server does once.

(require '[datomic.client.api :as d]
         '[dev.kwill.datomic-backup :as backup])

;; The library logs each transaction it replays. That is not what is measured.
(.setLevel (java.util.logging.Logger/getLogger "") java.util.logging.Level/WARNING)

(let [[source clone system db] *command-line-args*
      client  (fn [dir] (d/client {:server-type :datomic-local :storage-dir dir :system system}))
      opened  (fn [name]
                (d/create-database (client clone) {:db-name name}) ; does nothing where it is there
                (d/connect (client clone) {:db-name name}))
      conns   {:source-conn (d/connect (client source) {:db-name db})
               :dest-conn   (opened db)
               :state-conn  (opened (str db "-state"))}
      began   (System/nanoTime)
      result  (backup/incremental-restore conns)
      millis  (quot (- (System/nanoTime) began) 1000000)]
  (println (str "\n" millis) (name (:status result)) "restore," (:transactions-replayed result 0) "transactions replayed")
  (flush)
  (System/exit 0)) ; its threads need not be waited for
