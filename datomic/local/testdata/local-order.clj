;; Records in which order Datomic Local has the values of an attribute, for TestLocalOrder:
;;
;;	mvn dependency:copy-dependencies -DoutputDirectory=lib   # of com.datomic/local 1.0.291
;;	java -cp 'lib/*' clojure.main local-order.clj > local-order.txt
;;
;; A line is an attribute and a value as Local stores it, in hexadecimal, in the order of AVET.

(require '[datomic.client.api :as d])
(import '[java.math BigDecimal BigInteger] '[java.net URI] '[java.util Date HexFormat Random UUID] '[java.nio.file Files]
        '[java.io ByteArrayOutputStream] '[org.fressian FressianWriter] '[org.fressian.handlers ILookup WriteHandler]
        '[org.fressian.impl Handlers])

(def rnd (Random. 1))
(defn ri [n] (.nextInt ^Random rnd (int n)))
(defn pick [& xs] (nth xs (ri (count xs))))

(defn string [] (apply str (repeatedly (ri 4) #(pick "a" "b" "A" (char 0) "é" "\uFFFD" "😀" (char 0xD83D) (char 0xDE00) "\uE000"))))
(defn part [] (pick "a" "b" "ab" "a.b" "B" "é" "" (string)))
(defn integer []
  (pick (biginteger (- (ri 600) 300)) (BigInteger. (int (ri 80)) rnd) (.negate (BigInteger. (int (ri 80)) rnd))))
(defn decimal []
  (pick (BigDecimal. (biginteger (- (ri 20) 10)) (int (- (ri 8) 4))) (BigDecimal. (.pow BigInteger/TEN (ri 12)) (int (- (ri 24) 12)))
        (BigDecimal. ^BigInteger (integer) (int (- (ri 40) 20)))))
(defn number []
  (let [x (pick (- (ri 10) 5.0) (Double/longBitsToDouble (.nextLong rnd)) 0.0 -0.0 Double/MIN_VALUE ##Inf ##-Inf)]
    (if (Double/isNaN x) 0.5 x)))
(defn small [] (let [x (pick (float (- (ri 10) 5)) (Float/intBitsToFloat (.nextInt rnd)) (float 0.0) (float -0.0))]
                 (if (Float/isNaN x) (float 0.5) x)))
(defn integral [] (pick (- (ri 100) 50) (.nextLong rnd) (bit-shift-right (.nextLong rnd) (ri 64))))
(defn uuid [] (UUID. (pick (.nextLong rnd) 0 -1 Long/MIN_VALUE) (pick (.nextLong rnd) 0 -1 Long/MAX_VALUE)))
;; No registry-based authority: among those the order depends on how they are sorted.
(defn uri []
  (let [s (str (pick "" "" "http:" "HTTP:" "urn:" "a:" "a1+:") (pick "" "//" "//" "//" "/") (pick "" "u@" "U@" "%41@" "@")
               (pick "" "a" "A" "b.com" "B.com" "1.2.3.4" "[::1]" "a-b") (pick "" "" ":" ":80" ":9" ":0080")
               (pick "" "/" "/x" "/X" "/%41" "/%4A" "x;y" "/é") (pick "" "?" "?q" "?Q=%2F" "?%4a") (pick "" "#" "#f" "#F"))
        u (try (URI. s) (catch Exception _))]
    (if (and u (or (.getHost u) (nil? (.getRawAuthority u)))) u (recur))))
(defn tuple [longest f] (vec (repeatedly (+ 2 (ri (dec longest))) #(when (pos? (ri 3)) (f)))))

(def values
  {:string string, :boolean #(pick true false), :long integral, :instant #(Date. (long (integral))),
   :keyword #(keyword (pick nil (part)) (part)), :symbol #(symbol (pick nil (part)) (part)), :float small, :double number,
   :bigint (comp bigint integer), :bigdec decimal, :uuid uuid, :uri uri,
   :longs #(tuple 4 (fn [] (ri 3))), :strings #(tuple 4 (fn [] (pick "a" "b" "" "ab"))),
   :keywords #(tuple 4 (fn [] (pick :a :a/a :b/a :b))), :bigdecs #(tuple 3 (fn [] (pick 1M 1.0M 2M -1M))),
   :bigints #(tuple 3 (fn [] (pick 1N 2N 300N -300N))), :uris #(tuple 3 uri), :doubles #(tuple 3 number),
   :mixed (fn [] [(pick nil 1 2) (pick nil "a" "b") (pick nil :a :b/c) (pick nil true false) (pick nil (Date. 0)) (pick nil (uuid))])})

(def tuple-types {:longs :long, :strings :string, :keywords :keyword, :bigdecs :bigdec, :bigints :bigint, :uris :uri, :doubles :double})
(defn value-type [t] (keyword "db.type" (name t)))
(defn attribute [k]
  (merge {:db/ident k, :db/cardinality :db.cardinality/many}
         (cond (= k :mixed) {:db/valueType :db.type/tuple, :db/tupleTypes (mapv value-type [:long :string :keyword :boolean :instant :uuid])}
               (tuple-types k) {:db/valueType :db.type/tuple, :db/tupleType (value-type (tuple-types k))}
               :else {:db/valueType (value-type k)})))

(defn named [tag]
  {tag (reify WriteHandler
         (write [_ w x] (doto w (.writeTag tag 2) (.writeObject (namespace x) true) (.writeObject (name x) true))))})
(def handlers
  {clojure.lang.Keyword (named "key"), clojure.lang.Symbol (named "sym"),
   clojure.lang.BigInt {"bigint" (reify WriteHandler (write [_ w x] (doto w (.writeTag "bigint" 1) (.writeBytes (.toByteArray (biginteger x))))))}})
(defn fressian [x]
  (let [out (ByteArrayOutputStream.)
        defaults (Handlers/defaultWriteHandlers)]
    (with-open [w (FressianWriter. out (reify ILookup (valAt [_ c] (or (handlers c) (.valAt defaults c)))))]
      (if (vector? x) (.writeList w x) (.writeObject w x)))
    (.formatHex (HexFormat/of) (.toByteArray out))))

(let [dir (str (Files/createTempDirectory "order" (make-array java.nio.file.attribute.FileAttribute 0)))
      client (d/client {:server-type :datomic-local, :storage-dir dir, :system "order"})
      _ (d/create-database client {:db-name "order"})
      conn (d/connect client {:db-name "order"})]
  (d/transact conn {:tx-data (map attribute (keys values))})
  (dotimes [_ 8]
    (d/transact conn {:tx-data (for [i (range 20), [k f] values] [:db/add (str "e" i) k (f)])}))
  (doseq [k (keys values), datom (d/datoms (d/db conn) {:index :avet, :components [k], :limit -1})]
    (println (str (name k) "\t" (fressian (:v datom)))))
  (System/exit 0))
