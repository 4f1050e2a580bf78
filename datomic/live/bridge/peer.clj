;; Datomic's peer API.

(ns dclone.peer
  (:require [datomic.api :as d]
            dclone.main
            [dclone.wire :as wire])
  (:import datomic.Database))

(reset! wire/make-function d/function)

(defn- datoms [db a history]
  (d/datoms (if history (d/history db) db) :aevt a))

(defn- holders
  "Only a unique attribute's values are sure to be found, or an indexed one's."
  [db a v]
  (d/datoms db :avet a v))

(defn- upgrade
  "Older libraries cannot."
  [uri _]
  (if-let [administer (resolve 'datomic.api/administer-system)]
    (administer {:uri uri :action :upgrade-schema})
    (throw (ex-info "this version of the peer API cannot upgrade a base schema" {}))))

(defn- stats
  "Older libraries have none."
  [db]
  (when-let [of (resolve 'datomic.api/db-stats)]
    (of db)))

(defn- index
  "Has the transactor write an index, and waits a while for it."
  [conn]
  (d/request-index conn)
  (deref (d/sync-index conn (d/basis-t (d/db conn))) 60000 nil))

(swap! dclone.main/apis assoc "peer"
       {:databases d/get-database-names
        :create (fn [uri _] (d/create-database uri))
        :upgrade upgrade
        :connect (fn [uri _] (d/connect uri))
        :newest d/db
        :sync (fn [conn] @(d/sync conn))
        :id (fn [db] (str (.id ^Database db)))
        :kind (constantly "peer")
        :basis d/basis-t
        :as-of d/as-of
        :datoms datoms
        :holders holders
        :txs (fn [conn from to] (d/tx-range (d/log conn) from to))
        :stats stats
        :index index
        :transact (fn [conn forms] @(d/transact-async conn forms))
        :with (fn [conn trials] (reduce (fn [{db :db-after} forms] (d/with db forms)) {:db-after (d/db conn)} trials))})
