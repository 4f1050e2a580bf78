;; Makes testdata/demo: the small bookshop that the README's examples clone, as real Datomic Local
;; databases. demo/bookshop is the shop in June 2024; demo/bookshop-later is the same database in
;; August, some twenty transactions on, so that the first one's log is how the second one's begins.
;;
;; To make it anew, in the repository:
;;
;;   go test ./interop -run TestDemo -update
;;
;; or without Go, from the directory of this file:
;;
;;   mvn -q dependency:build-classpath -Dmdep.outputFile=/tmp/classpath
;;   java -cp $(cat /tmp/classpath) clojure.main demo.clj ../testdata/demo
;;
;; Names of authors and books are real, prices and everybody else are not. Values and instants are the same
;; each time; entity ids differ, for Datomic Local picks partitions at random.

(ns demo
  (:require [clojure.java.io :as io]
            [datomic.client.api :as d]
            datomic.local)
  (:import [java.net URI]
           [java.util UUID]))

(defn- attr [ident type doc & opts]
  (merge {:db/ident ident
          :db/valueType (keyword "db.type" (name type))
          :db/cardinality :db.cardinality/one
          :db/doc doc}
         (apply hash-map opts)))

(def ^:private many {:db/cardinality :db.cardinality/many})
(defn- many-attr [& args] (merge (apply attr args) many))

;; ---- schema

(def catalogue-schema
  [(attr :audit/user :string "on transactions: who did it")
   (attr :audit/reason :keyword "on transactions: why")
   (attr :author/name :string "as printed on the cover" :db/unique :db.unique/identity)
   (attr :author/born :long "year")
   (attr :author/died :long "year")
   (attr :author/page :uri "where to read more")
   (attr :book/sku :string "the shop's own number" :db/unique :db.unique/identity)
   (attr :book/title :string "title of the edition")
   (many-attr :book/authors :ref "who wrote it")
   (many-attr :book/genres :ref "enums :genre/...")
   (attr :book/published :long "year of the first edition")
   (attr :book/language :ref "enums :language/...")
   (attr :book/price :bigdec "in euros")
   (attr :book/stock :long "copies on the shelf; only the present number matters" :db/noHistory true)
   (attr :book/shelf :tuple "aisle and number of the shelf" :db/tupleTypes [:db.type/keyword :db.type/long])
   (many-attr :book/tags :keyword "for the shop window")])

(def sales-schema
  [(attr :customer/id :uuid "the number on the loyalty card" :db/unique :db.unique/identity)
   (attr :customer/email :string "unique, but it may change" :db/unique :db.unique/value)
   (attr :customer/name :string "full name")
   (attr :customer/since :instant "first purchase")
   (attr :customer/newsletter :boolean "wants the newsletter")
   (attr :customer/address :ref "where parcels go" :db/isComponent true)
   (attr :address/street :string "street and number")
   (attr :address/city :string "with the postal code")
   (attr :order/number :string "on the invoice" :db/unique :db.unique/identity)
   (attr :order/customer :ref "who ordered")
   (attr :order/status :ref "enums :status/...")
   (many-attr :order/lines :ref "what was ordered" :db/isComponent true)
   (attr :line/book :ref "which book")
   (attr :line/quantity :long "how many")
   (attr :line/price :bigdec "what one cost that day")
   (attr :review/book :ref "which book")
   (attr :review/customer :ref "who wrote it")
   (attr :review/stars :long "one to five" :db.attr/preds 'clojure.core/pos-int?)
   (attr :review/text :string "in the customer's words")])

(def review-key
  [(attr :review/book+customer :tuple "one review of a book by each customer" :db/unique :db.unique/identity
         :db/tupleAttrs [:review/book :review/customer])])

(def enums
  (concat (for [[g label] [["novel" "Novel"] ["gothic" "Gothic"] ["adventure" "Adventure"] ["satire" "Satire"]
                           ["poetry" "Poetry"] ["essay" "Essay"] ["science-fiction" "Science fiction"] ["mystery" "Mystery"]]]
            {:db/ident (keyword "genre" g) :db/doc label})
          (for [[l label] [["en" "English"] ["de" "Deutsch"] ["fr" "Français"] ["ru" "Русский"] ["ja" "日本語"]]]
            {:db/ident (keyword "language" l) :db/doc label})
          (for [s ["open" "paid" "shipped" "returned"]]
            {:db/ident (keyword "status" s)})))

;; ---- data

(def authors
  [["Jane Austen" 1775 1817] ["Herman Melville" 1819 1891] ["Mary Shelley" 1797 1851] ["Bram Stoker" 1847 1912]
   ["Jules Verne" 1828 1905] ["Émile Zola" 1840 1902] ["Theodor Fontane" 1819 1898] ["Franz Kafka" 1883 1924]
   ["Лев Толстой" 1828 1910] ["夏目漱石" 1867 1916] ["H. G. Wells" 1866 1946] ["Emily Dickinson" 1830 1886]
   ["Charlotte Brontë" 1816 1855] ["Emily Brontë" 1818 1848] ["Wilkie Collins" 1824 1889] ["Charles Dickens" 1812 1870]
   ["Michel de Montaigne" 1533 1592] ["Jonathan Swift" 1667 1745]])

(def books
  ;; title, authors, genres, language, year, price
  [["Pride and Prejudice" ["Jane Austen"] [:novel :satire] :en 1813 12.90M]
   ["Emma" ["Jane Austen"] [:novel] :en 1815 11.50M]
   ["Persuasion" ["Jane Austen"] [:novel] :en 1817 10.00M]
   ["Moby-Dick" ["Herman Melville"] [:novel :adventure] :en 1851 18.00M]
   ["Bartleby, the Scrivener" ["Herman Melville"] [:novel] :en 1853 6.50M]
   ["Frankenstein" ["Mary Shelley"] [:gothic :science-fiction] :en 1818 9.99M]
   ["The Last Man" ["Mary Shelley"] [:science-fiction] :en 1826 13.00M]
   ["Dracula" ["Bram Stoker"] [:gothic] :en 1897 9.99M]
   ["Vingt mille lieues sous les mers" ["Jules Verne"] [:adventure :science-fiction] :fr 1870 14.20M]
   ["Le Tour du monde en quatre-vingts jours" ["Jules Verne"] [:adventure] :fr 1872 8.40M]
   ["Voyage au centre de la Terre" ["Jules Verne"] [:adventure :science-fiction] :fr 1864 8.90M]
   ["Germinal" ["Émile Zola"] [:novel] :fr 1885 10.80M]
   ["Nana" ["Émile Zola"] [:novel] :fr 1880 9.50M]
   ["Effi Briest" ["Theodor Fontane"] [:novel] :de 1895 7.80M]
   ["Der Stechlin" ["Theodor Fontane"] [:novel] :de 1898 12.00M]
   ["Der Process" ["Franz Kafka"] [:novel] :de 1925 9.00M]
   ["Die Verwandlung" ["Franz Kafka"] [:novel] :de 1915 5.00M]
   ["Das Schloss" ["Franz Kafka"] [:novel] :de 1926 11.00M]
   ["Война и мир" ["Лев Толстой"] [:novel] :ru 1869 29.00M]
   ["Анна Каренина" ["Лев Толстой"] [:novel] :ru 1878 21.50M]
   ["こゝろ" ["夏目漱石"] [:novel] :ja 1914 16.00M]
   ["吾輩は猫である" ["夏目漱石"] [:novel :satire] :ja 1905 19.00M]
   ["The Time Machine" ["H. G. Wells"] [:science-fiction] :en 1895 7.20M]
   ["The War of the Worlds" ["H. G. Wells"] [:science-fiction] :en 1898 8.10M]
   ["Poems" ["Emily Dickinson"] [:poetry] :en 1890 15.00M]
   ["Poems by Currer and Ellis Bell" ["Charlotte Brontë" "Emily Brontë"] [:poetry] :en 1846 24.00M]
   ["Jane Eyre" ["Charlotte Brontë"] [:novel :gothic] :en 1847 12.40M]
   ["Wuthering Heights" ["Emily Brontë"] [:novel :gothic] :en 1847 11.90M]
   ["The Moonstone" ["Wilkie Collins"] [:mystery] :en 1868 13.30M]
   ["No Thoroughfare" ["Wilkie Collins" "Charles Dickens"] [:mystery :adventure] :en 1867 8.00M]
   ["Bleak House" ["Charles Dickens"] [:novel :mystery] :en 1853 17.00M]
   ["Great Expectations" ["Charles Dickens"] [:novel] :en 1861 13.70M]
   ["Les Essais" ["Michel de Montaigne"] [:essay] :fr 1580 34.00M]
   ["Gulliver's Travels" ["Jonathan Swift"] [:satire :adventure] :en 1726 10.20M]])

(def customers
  [["Ada Winter" "Lindenweg 4" "10115 Berlin"] ["Bruno Costa" "Rua do Sol 18" "1100-544 Lisboa"]
   ["Chiara Neri" "Via Larga 7" "20122 Milano"] ["Dmitri Orlow" "Hafenstraße 51" "20359 Hamburg"]
   ["Eva Lindqvist" "Kungsgatan 12" "411 19 Göteborg"] ["Farid Haddad" "Rue Neuve 3" "69001 Lyon"]
   ["Grace O'Neill" "14 Quay Street" "H91 Galway"] ["Hana Sato" "Königsallee 90" "40212 Düsseldorf"]
   ["Ivo Novák" "Dlouhá 22" "110 00 Praha"] ["Julia Braun" "Marktplatz 1" "99084 Erfurt"]
   ["Kofi Mensah" "Damrak 66" "1012 Amsterdam"] ["Lena Vogel" "Am Deich 8" "28199 Bremen"]])

(defn- sku [n] (format "BK-%04d" n))
(defn- book [n] [:book/sku (sku n)])
(defn- customer-id [n] (UUID. 0x5b00c5 n))
(defn- customer [n] [:customer/id (customer-id n)])
(defn- order-number [n] (format "2024-%04d" n))
(defn- order [n] [:order/number (order-number n)])

(defn- author-tx [[name born died]]
  {:author/name name
   :author/born born
   :author/died died
   :author/page (URI. (str "https://example.org/authors/" (.getRawPath (URI. nil nil (.replace ^String name " " "_") nil))))})

(defn- book-tx [n]
  (let [[title authors genres language year price] (nth books (dec n))]
    {:book/sku (sku n)
     :book/title title
     :book/authors (map #(vector :author/name %) authors)
     :book/genres (map #(keyword "genre" (name %)) genres)
     :book/language (keyword "language" (name language))
     :book/published year
     :book/price price
     :book/stock (+ 3 (mod (* 7 n) 9))
     :book/shelf [(keyword "aisle" (name language)) (inc (mod n 5))]}))

(defn- customer-tx [n]
  (let [[name street city] (nth customers (dec n))]
    {:customer/id (customer-id n)
     :customer/email (str (.toLowerCase (first (.split ^String name " "))) "@example.com")
     :customer/name name
     :customer/newsletter (odd? n)
     :customer/address {:address/street street :address/city city}}))

(defn- order-tx
  "An order of the customer: lines are pairs of book and quantity."
  [n who & lines]
  {:order/number (order-number n)
   :order/customer {:customer/id (customer-id who)}
   :order/status :status/open
   :order/lines (for [[b quantity] lines]
                  {:line/book (book b) :line/quantity quantity :line/price (peek (nth books (dec b)))})})

(defn- status [n s]
  [:db/add (order n) :order/status (keyword "status" (name s))])

(defn- stock [b n]
  [:db/add (book b) :book/stock n])

(defn- by [user reason]
  {:db/id "datomic.tx" :audit/user user :audit/reason reason})

(defn- review
  "The review of a book by a customer. Lookup refs are not resolved inside of tuples, so the ids are asked for."
  [db b who]
  (ffirst (d/q '[:find ?r :in $ ?b ?c :where [?r :review/book ?b] [?r :review/customer ?c]] db (book b) (customer who))))

;; A transaction is its instant and its data, or a function of the database to its data.

(def until-june
  [["2024-01-08T09:00:00.000Z" catalogue-schema]
   ["2024-01-08T09:05:00.000Z" enums]
   ["2024-01-08T09:30:00.000Z" (map author-tx authors)]
   ["2024-01-09T10:00:00.000Z" (cons (by "mina" :inventory) (map book-tx (range 1 9)))]
   ["2024-01-09T14:10:00.000Z" (cons (by "mina" :inventory) (map book-tx (range 9 19)))]
   ["2024-01-10T10:00:00.000Z" (cons (by "tom" :inventory) (map book-tx (range 19 27)))]
   ["2024-01-12T16:20:11.250Z" [(by "tom" :correction) [:db/add (book 5) :book/title "Bartleby, the Scrivener: A Story of Wall-Street"]]]
   ["2024-02-01T08:00:00.000Z" sales-schema]
   ["2024-02-01T08:01:00.000Z" review-key]
   ["2024-02-02T09:12:40.000Z" (map customer-tx [1 2 3])]
   ["2024-02-02T11:48:02.000Z" [(order-tx 1 1 [1 1] [6 1]) (stock 1 9) (stock 6 8)]]
   ["2024-02-02T17:30:00.000Z" [(by "tom" :sale) (status 1 :paid)]]
   ["2024-02-05T10:00:00.000Z" [(by "mina" :parcel) (status 1 :shipped)]]
   ["2024-02-06T12:31:19.000Z" [(customer-tx 4) (order-tx 2 2 [19 1])]]
   ["2024-02-07T09:00:00.000Z" [(by "tom" :sale) (status 2 :paid) (stock 19 6)]]
   ["2024-02-14T10:15:00.000Z" (cons (by "mina" :inventory) (map book-tx (range 27 33)))]
   ["2024-02-20T15:02:57.000Z" [(customer-tx 5) (customer-tx 6) (order-tx 3 5 [27 2] [28 2] [26 1])]]
   ["2024-02-21T09:00:00.000Z" [(by "tom" :sale) (status 3 :paid) (status 2 :shipped)]]
   ["2024-03-01T08:30:00.000Z" (cons (by "mina" :prices) (for [[b p] [[1 13.50M] [4 19.00M] [9 14.90M] [19 31.00M]]] [:db/add (book b) :book/price p]))]
   ["2024-03-01T08:45:00.000Z" [(by "tom" :window) {:book/sku (sku 6) :book/tags [:window/spring :staff-pick]} {:book/sku (sku 25) :book/tags [:window/spring]}]]
   ["2024-03-04T13:00:00.000Z" [{:db/id "r" :review/book (book 6) :review/customer (customer 1) :review/stars 5 :review/text "Read it in one night. — Ada"}]]
   ["2024-03-08T18:22:10.000Z" [(order-tx 4 3 [12 1] [13 1]) (order-tx 5 1 [22 1])]]
   ["2024-03-09T09:00:00.000Z" [(by "tom" :sale) (status 4 :paid) (status 5 :paid)]]
   ["2024-03-11T10:00:00.000Z" [(by "mina" :parcel) (status 4 :shipped) (status 5 :shipped) (status 3 :shipped)]]
   ["2024-03-18T11:11:11.000Z" [(by "tom" :return) (status 4 :returned) (stock 12 7)]]
   ["2024-03-20T09:00:00.000Z" [(by "mina" :moved) {:db/id (customer 4) :customer/address {:address/street "Elbchaussee 9" :address/city "22765 Hamburg"}}]]
   ["2024-04-02T08:00:00.000Z" [(by "tom" :window) [:db/retract (book 6) :book/tags :window/spring] [:db/retract (book 25) :book/tags :window/spring]
                                {:book/sku (sku 33) :book/title "Les Essays" :book/price 34.00M :book/language :language/fr}]]
   ["2024-04-02T08:20:00.000Z" [(by "tom" :correction) (book-tx 33)]]
   ["2024-04-10T16:45:00.000Z" [(customer-tx 7) (customer-tx 8) (order-tx 6 8 [21 1] [22 1])]]
   ["2024-04-11T09:00:00.000Z" [(by "tom" :sale) (status 6 :paid) (stock 21 4) (stock 22 3)]]
   ["2024-04-23T10:00:00.000Z" [(by "mina" :book-day) (book-tx 34)]]
   ["2024-04-23T12:00:00.000Z" [(order-tx 7 7 [34 1])]]
   ["2024-05-06T09:40:00.000Z" [[:db/add (customer 2) :customer/email "bruno.costa@example.com"] [:db/retract (customer 3) :customer/newsletter true]]]
   ["2024-05-13T10:10:10.000Z" [{:review/book (book 28) :review/customer (customer 5) :review/stars 4 :review/text "Bleak, windy, wonderful."}
                                {:review/book (book 22) :review/customer (customer 1) :review/stars 3 :review/text "The cat is right about everything."}]]
   ["2024-05-14T09:00:00.000Z" [(by "mina" :parcel) (status 6 :shipped)]]
   ["2024-05-28T09:00:00.000Z" [(by "tom" :deleted-twice) [:db/retractEntity (book 13)]]]
   ["2024-06-03T08:00:00.000Z" [(customer-tx 9) (customer-tx 10) (order-tx 8 10 [14 1] [15 1] [16 1] [17 2])]]
   ["2024-06-03T17:00:00.000Z" [(by "tom" :sale) (status 8 :paid) (status 7 :paid)]]])

(def until-august
  [["2024-06-17T09:00:00.000Z" [(attr :book/rating :double "mean of the reviews' stars") (many-attr :book/series :string "series it belongs to")]]
   ["2024-06-17T09:10:00.000Z" [(by "mina" :ratings) [:db/add (book 6) :book/rating 5.0] [:db/add (book 28) :book/rating 4.0] [:db/add (book 22) :book/rating 3.0]]]
   ["2024-06-18T10:00:00.000Z" [{:db/ident :genre/travel :db/doc "Travel writing"} (by "mina" :catalogue)]]
   ["2024-06-18T10:05:00.000Z" [[:db/add (book 10) :book/genres :genre/travel] [:db/add (book 34) :book/genres :genre/travel] [:db/retract (book 34) :book/genres :genre/adventure]
                                {:book/sku (sku 9) :book/series ["Voyages extraordinaires"]} {:book/sku (sku 10) :book/series ["Voyages extraordinaires"]}
                                {:book/sku (sku 11) :book/series ["Voyages extraordinaires"]}]]
   ["2024-06-20T11:30:00.000Z" [(by "mina" :parcel) (status 7 :shipped) (status 8 :shipped)]]
   ["2024-06-24T14:00:00.000Z" [(customer-tx 11) (order-tx 9 11 [31 1] [32 1] [29 1])]]
   ["2024-06-25T09:00:00.000Z" [(by "tom" :sale) (status 9 :paid) (stock 31 5) (stock 32 5) (stock 29 2)]]
   ["2024-07-01T08:00:00.000Z" [{:db/id :customer/newsletter :db/ident :customer/mailing} (by "mina" :schema)]]
   ["2024-07-01T08:10:00.000Z" [[:db/add (customer 2) :customer/mailing true] (by "tom" :request)]]
   ["2024-07-01T08:30:00.000Z" (cons (by "mina" :prices) (for [[b p] [[1 12.90M] [2 11.90M] [3 10.40M] [19 29.90M]]] [:db/add (book b) :book/price p]))]
   ["2024-07-04T16:10:00.000Z" [(by "tom" :privacy) [:db/retractEntity (customer 3)]]]
   ["2024-07-05T09:00:00.000Z" [[:db/add [:order/number (order-number 4)] :db/doc "the customer's data was deleted on request"]]]
   ["2024-07-12T13:37:00.000Z" [(customer-tx 12) (order-tx 10 12 [8 1] [6 1] [27 1])]]
   ["2024-07-13T09:00:00.000Z" [(by "tom" :sale) (status 10 :paid) (status 9 :shipped)]]
   ["2024-07-15T10:00:00.000Z" #(vector [:db/add (review % 22 1) :review/stars 4])]
   ["2024-07-15T10:00:00.000Z" [(by "mina" :ratings) [:db/cas (book 22) :book/rating 3.0 4.0]]]
   ["2024-07-22T09:00:00.000Z" [{:db/id :book/shelf :db/doc "aisle and number of the shelf, counted from the door"} {:book/sku (sku 13) :book/title "Nana" :book/stock 1}]]
   ["2024-07-29T17:55:00.000Z" [(by "tom" :window) {:book/sku (sku 7) :book/tags [:window/summer]} {:book/sku (sku 23) :book/tags [:window/summer :staff-pick]} [:db/retract (book 6) :book/tags :staff-pick]]]
   ["2024-08-01T09:00:00.000Z" [(order-tx 11 1 [23 1] [24 1]) (order-tx 12 5 [18 1])]]
   ["2024-08-02T09:00:00.000Z" [(by "tom" :sale) (status 11 :paid) (status 12 :paid) (status 10 :shipped)]]
   ["2024-08-05T08:15:00.000Z" [{:db/id "datomic.tx" :db/doc "stock counted by hand"} (by "mina" :inventory) (stock 23 7) (stock 24 1) (stock 18 0)]]])

;; ---- making it

(defn- transact-all! [conn txs]
  (doseq [[instant data] txs
          :let [data (if (fn? data) (data (d/db conn)) data)]]
    (d/transact conn {:tx-data (cons [:db/add "datomic.tx" :db/txInstant (clojure.instant/read-instant-date instant)] data)})))

(defn- copy! [from to]
  (doseq [f ["db.log" "log.idx" ".lock"]
          :let [target (io/file to f)]]
    (io/make-parents target)
    (io/copy (io/file from f) target)))

(defn build!
  "Makes dir/demo/bookshop and dir/demo/bookshop-later, in the place of what is there."
  [dir]
  (let [tmp (str (java.nio.file.Files/createTempDirectory "dclone-demo" (make-array java.nio.file.attribute.FileAttribute 0)))
        client (d/client {:server-type :datomic-local :storage-dir tmp :system "demo"})
        release #(datomic.local/release-db {:storage-dir tmp :system "demo" :db-name "bookshop"})
        work (io/file tmp "demo" "bookshop")]
    (d/create-database client {:db-name "bookshop"})
    (doseq [[txs target] [[until-june "bookshop"] [until-august "bookshop-later"]]]
      (transact-all! (d/connect client {:db-name "bookshop"}) txs)
      (release)
      (copy! work (io/file dir "demo" target)))
    (doseq [f (reverse (file-seq (io/file tmp)))]
      (io/delete-file f))))

(when-let [[dir] *command-line-args*]
  (build! (.getAbsolutePath (io/file dir)))
  (System/exit 0))
