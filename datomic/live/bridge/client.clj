;; Datomic's client API: Local, Cloud, peer-server.

(ns dclone.client
  (:require [clojure.edn :as edn]
            [datomic.client.api :as d]
            dclone.main))

(def ^:private clients
  "By argument map."
  (atom {}))

(defn- client [arg]
  (let [m (edn/read-string arg)]
    (or (@clients m)
        (get (swap! clients assoc m (d/client m)) m))))

(defn- databases [arg] (d/list-databases (client arg) {:limit -1}))

(defn- kind [arg]
  (let [k (name (:server-type (edn/read-string arg)))]
    (case k "datomic-local" "local", "dev-local" "local", k)))

(defn- datoms [db a history]
  (d/datoms (if history (d/history db) db) {:index :aevt :components [a] :limit -1}))

(defn- id
  "What the database says it is. A Datomic Local database says nothing that would tell it from another one of its name."
  [db]
  (str (:database-id db)))

(defn- upgrade
  "Older libraries cannot."
  [arg db-name]
  (if-let [administer (resolve 'datomic.client.api/administer-system)]
    (administer (client arg) {:db-name db-name :action :upgrade-schema})
    (throw (ex-info "this version of the client API cannot upgrade a base schema" {}))))

(swap! dclone.main/apis assoc "client"
       {:databases databases
        :create (fn [arg db-name]
                  (when-not (some #{db-name} (databases arg))
                    (d/create-database (client arg) {:db-name db-name})))
        :upgrade upgrade
        :connect (fn [arg db-name] (d/connect (client arg) {:db-name db-name}))
        :newest d/db
        :sync d/db
        :id id
        :kind kind
        :basis :t
        :as-of d/as-of
        :datoms datoms
        :holders (fn [db a v] (d/datoms db {:index :avet :components [a v] :limit 1}))
        :txs (fn [conn from to] (d/tx-range conn {:start from :end to :limit -1}))
        :stats d/db-stats
        :index (constantly nil)
        :transact (fn [conn forms] (d/transact conn {:tx-data forms}))
        :with (fn [conn trials]
                (reduce (fn [{db :db-after} forms] (d/with db {:tx-data forms})) {:db-after (d/with-db conn)} trials))})
