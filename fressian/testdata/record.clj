;; Records testdata/vectors from the real org.fressian, with the Clojure handlers of data.fressian.
;; In testdata, with a JDK (17 was used) and Maven:
;;
;;   mvn -q dependency:build-classpath -Dmdep.outputFile=target/classpath
;;   java -cp "$(cat target/classpath)" clojure.main record.clj vectors
;;   rm -r target
;;
;; The output depends on nothing but this file and the versions in pom.xml. A vector is
;;
;;   value: what was written, in the notation below        value: what the reader returned
;;   bytes: what the writer wrote, in hex                  reads: what it was given, in hex
;;
;;   error: what the reader threw
;;   refuses: what it was given, in hex
;;
;; Notation: nil true false 12 "text" and (type part ...). A \uXXXX in text is one UTF-16 unit.
;; Floats and doubles are their bits in hex. (x n "text") and (x n HEX) are n times that. In a
;; value, !reset !footer !begin !open !end are calls of the writer between values. In bytes,
;; (n*HEX) is n times that.

(ns record
  (:require [clojure.data.fressian :as fressian]
            [clojure.string :as str])
  (:import [java.io ByteArrayInputStream ByteArrayOutputStream File]
           [java.math BigInteger]
           [java.util Date LinkedHashMap LinkedHashSet List Map Random Set UUID]
           [java.util.regex Pattern]
           [java.net URI]
           [org.fressian CachedObject FressianWriter TaggedObject]))

(set! *warn-on-reflection* false)

;; ---- notation

(defn compress
  "Splits xs into [period times] runs; what does not repeat often comes with times 1."
  [xs]
  (let [xs (vec xs) n (count xs)
        repeats (fn [i p] (loop [k 1]
                            (let [j (+ i (* k p))]
                              (if (and (<= (+ j p) n) (= (subvec xs i (+ i p)) (subvec xs j (+ j p))))
                                (recur (inc k)) k))))
        run-at (fn [i] (first (for [p (range 1 7) :when (<= (+ i (* 2 p)) n)
                                    :let [k (repeats i p)] :when (>= (* p k) 48)] [p k])))]
    (loop [i 0 literal [] out []]
      (let [flush #(if (seq literal) (conj out [literal 1]) out)]
        (if (>= i n)
          (flush)
          (if-let [[p k] (run-at i)]
            (recur (+ i (* p k)) [] (conj (flush) [(subvec xs i (+ i p)) k]))
            (recur (inc i) (conj literal (xs i)) out)))))))

(defn hex [bs] (apply str (map #(format "%02X" (bit-and % 0xFF)) bs)))

(defn quoted [units]
  (str \" (apply str (for [c units :let [i (int c)]]
                       (cond (#{\" \\} c) (str \\ c)
                             (<= 0x20 i 0x7E) c
                             :else (format "\\u%04X" i)))) \"))

(defn parts [show runs]
  (str/join " " (for [[xs n] runs] (if (= n 1) (show xs) (format "(x %d %s)" n (show xs))))))

(defn show-text [s]
  (let [runs (compress s)]
    (if (and (<= (count runs) 1) (every? #(= 1 (second %)) runs))
      (quoted s)
      (str "(text " (parts quoted runs) ")"))))

(declare show)
(defn form [head & xs] (str "(" (str/join " " (cons head xs)) ")"))
(defn show-all [head xs] (apply form head (map show xs)))
(defn bits32 [f] (format "%08X" (Float/floatToRawIntBits f)))
(defn bits64 [d] (format "%016X" (Double/doubleToRawLongBits d)))
(defrecord Op [text call])

(defn show [v]
  (condp instance? v
    Op (:text v)
    CachedObject (form "cached" (show (.getObjectToCache v)))
    Boolean (str v)
    Long (str v)
    Integer (str v)
    Float (form "float" (bits32 v))
    Double (form "double" (bits64 v))
    String (show-text v)
    Character (form "tagged" "\"char\"" (int v))
    clojure.lang.Ratio (form "tagged" "\"ratio\"" (show (numerator v)) (show (denominator v)))
    clojure.lang.Keyword (form "key" (show (namespace v)) (show (name v)))
    clojure.lang.Symbol (form "sym" (show (namespace v)) (show (name v)))
    clojure.lang.BigInt (form "bigint" (str (biginteger v)))
    BigInteger (form "bigint" (str v))
    BigDecimal (form "bigdec" (str (.unscaledValue v)) (.scale v))
    Date (form "inst" (.getTime v))
    UUID (form "uuid" (str v))
    URI (form "uri" (show (str v)))
    Pattern (form "regex" (show (.pattern v)))
    TaggedObject (apply form "tagged" (show (.getTag v)) (map show (.getValue v)))
    clojure.lang.IRecord (form "tagged" "\"record\"" (show (-> v class .getName symbol)) (show-all "map" (mapcat identity v)))
    Map (show-all "map" (mapcat (fn [e] [(.getKey e) (.getValue e)]) v))
    Set (show-all "set" v)
    List (show-all "list" v)
    (class (byte-array 0)) (str "(bytes " (parts hex (compress v)) ")")
    (class (int-array 0)) (show-all "ints" v)
    (class (long-array 0)) (show-all "longs" v)
    (class (float-array 0)) (apply form "floats" (map bits32 v))
    (class (double-array 0)) (apply form "doubles" (map bits64 v))
    (class (boolean-array 0)) (show-all "bools" v)
    (class (object-array 0)) (show-all "objects" v)
    (if (nil? v) "nil" (throw (ex-info "no notation" {:value v :class (class v)})))))

(defn show-bytes [bs]
  (apply str (for [[xs n] (compress bs)] (if (= n 1) (hex xs) (format "(%d*%s)" n (hex xs))))))

;; ---- the real library

(def reset (->Op "!reset" #(.resetCaches %)))
(def footer (->Op "!footer" #(.writeFooter %)))
(def begin (->Op "!begin" #(.beginClosedList %)))
(def open (->Op "!open" #(.beginOpenList %)))
(def end (->Op "!end" #(.endList %)))

(defn write [items]
  (let [out (ByteArrayOutputStream.) w (fressian/create-writer out)]
    (doseq [x items] (if (instance? Op x) ((:call x) w) (.writeObject ^FressianWriter w x)))
    (.toByteArray out)))

(defn read-all [bs]
  (let [in (ByteArrayInputStream. bs) r (fressian/create-reader in :checksum? true)]
    (loop [out []]
      (cond (zero? (.available in)) out
            (= -49 (aget bs (- (alength bs) (.available in)))) (do (.validateFooter r) (recur out)) ; 0xCF
            :else (recur (conj out (.readObject r)))))))

(defn unhex [s]
  (byte-array (map #(unchecked-byte (Integer/parseInt (apply str %) 16)) (partition 2 s))))

(defn written [& items]
  (format "value: %s\nbytes: %s\n" (str/join " " (map show items)) (show-bytes (write items))))

(defn reads
  "A vector of bytes that this writer does not write."
  [s]
  (let [values (try (read-all (unhex s)) (catch Throwable e (throw (ex-info "reader refuses" {:bytes s} e))))]
    (format "value: %s\nreads: %s\n" (str/join " " (map show values)) s)))

(defn refuses [s]
  (let [cause (try (read-all (unhex s)) nil (catch Throwable e e))]
    (when-not cause (throw (ex-info "reader does not refuse" {:bytes s})))
    (format "error: %s\nrefuses: %s\n" (first (str/split (str cause) #" \(")) s)))

;; ---- values

(defn times [n s] (apply str (repeat n s)))
(defn lset [& xs] (LinkedHashSet. (vec xs)))
(defn lmap [& kvs] (let [m (LinkedHashMap.)] (doseq [[k v] (partition 2 kvs)] (.put m k v)) m))
(defn tagged [tag & fields] (TaggedObject. tag (object-array fields)))
(defn cached [v] (CachedObject. v))
(defn nested [n wrap v] (nth (iterate wrap v) n))

(def int-edges
  (sort (distinct (concat [-2 -1 0 1 62 63 64 65 127 128 255 256 -128 -129
                           Long/MIN_VALUE (inc Long/MIN_VALUE) Long/MAX_VALUE (dec Long/MAX_VALUE)]
                          (for [k [12 19 25 33 41 49] d [-2 -1 0 1] sign [1 -1]]
                            (+ (* sign (bit-shift-left 1 k)) d))
                          (for [k (range 0 63)] (bit-shift-left 1 k))))))

(def text-edges
  (concat ["" "a" "abcdefg" "abcdefgh" (times 63 "a") (times 64 "a") (times 4095 "b") (times 4096 "b")
           "\u0000" "a\u0000b" "\u007F\u0080" "\u07FF\u0800" "\uFFFD\uFFFE\uFFFF" "\u00E9t\u00E9"
           "\u20AC\u20AC" "\u20AC\u20AC\u20AC" "\uD83D\uDE00" "a\uD83D\uDE00" "ab\uD83D\uDE00" "\uDBFF\uDFFF"
           "\uD83D" "\uDE00" "\uDE00\uD83D" "\uD83D\uD83D\uDE00" "\uD83D\uDE00\uDE00" "x\uD800y" "\uDFFF"]
          (for [n [65534 65535 65536 65537 65543 65544 131071 131072 131073]] (times n "a"))
          ;; what stands at the border of a chunk
          (for [n [65533 65534 65535 65536]
                s ["\u00E9" "\u20AC" "\uD83D\uDE00" "\uD83D" "\uDE00" "\u0000" "\u00E9tail of it"]]
            (str (times n "a") s))
          (for [n [65530 65531 65532]] (str (times n "a") "\uD83D\uDE00"))
          ;; both sides of the border
          [(times 65536 "\u0000") (times 65537 "\u0000") (times 32769 "\u00E9") (times 21846 "\u20AC")
           (times 10923 "\uD83D\uDE00") (str "a" (times 10923 "\uD83D\uDE00")) (times 22000 "\uD83D")
           (times 21845 "\uDE00\uD83D") (times 10922 "\u20ACa\u00E9")]))

(def bytes-edges
  (for [n [0 1 6 7 8 9 63 64 4096 65534 65535 65536 65537 65542 131070 131071]]
    (byte-array (repeat n 0xAB))))

(def float-edges
  (map #(Float/intBitsToFloat (unchecked-int %))
       [0 0x80000000 0x3F800000 0xBF800000 1 0x7F7FFFFF 0x7F800000 0xFF800000 0x7FC00000 0x7FC00001 0xFFC00000 0x40490FDB]))

(def double-edges
  (map #(Double/longBitsToDouble (unchecked-long %))
       [0 0x8000000000000000 0x3FF0000000000000 0xBFF0000000000000 1 0x3FEFFFFFFFFFFFFF 0x3FF0000000000001
        0x7FEFFFFFFFFFFFFF 0x7FF0000000000000 0xFFF0000000000000 0x7FF8000000000000 0x7FF8000000000001
        0xFFF8000000000000 0x400921FB54442D18]))

(def bigs
  (map bigint (concat [0 1 -1 127 128 -128 -129 255 256 -256 32767 32768 -32768 -32769]
                      (for [k [62 63 64 127 128 2048 6000] d [-1 0 1] sign [1 -1]] (+ (* sign (.pow (biginteger 2) k)) d)))))

(def decimals
  (for [[u s] [[0 0] [0 3] [10 1] [100 2] [-1 0] [123456789012345678901234567890 15] [1 -5] [-129 300]
               [7 Integer/MAX_VALUE] [7 Integer/MIN_VALUE]]]
    (java.math.BigDecimal. (biginteger u) (int s))))

(def named
  [["a" "a"] [nil "a"] ["" "a"] ["db" "ident"] ["db.type" "string"] [nil ""] ["" ""] ["a" ""] [nil "a/b"]
   ["\u00E9" "\uD83D\uDE00"] ["a" "\u0000"] [(times 70 "n") (times 300 "m")]])

(def scalars
  [(Date. 0) (Date. 1) (Date. -1) (Date. 1700000000123) (Date. Long/MIN_VALUE) (Date. Long/MAX_VALUE)
   (UUID. 0 0) (UUID. -1 -1) (UUID/fromString "5e1d1f5c-0102-4304-8506-0708090a0b0c")
   (URI. "") (URI. "http://example.com/a?b=c#d") (URI. "urn:isbn:123") (URI. "HTTP://\u00E9.example/%20")
   (re-pattern "") (re-pattern "a+[^\\d]\"$")])

(def lists
  [[] [1] (vec (range 7)) (vec (range 8)) (vec (range 70)) [nil nil] [nil true false 1 1.0 "x" :k 's]
   [[[[]]]] [[1 [2 [3 [4]]]] [] [[]]] '(1 2 3) (nested 40 vector 7)
   (lset) (lset 1 2 3) (lset :a :b "a" nil) (apply lset (range 20)) (lset [1] (lset 1))
   (lmap) (lmap :a 1) (lmap :a 1 :b [2 3] "c" nil) (lmap nil nil) (lmap [1 2] (lmap 3 4)) (lmap (lmap) (lset))
   (apply lmap (range 40)) (lmap :a (lmap :a (lmap :a {})))])

(def arrays
  (concat
   (for [n [0 1 7 8 9 100]] (int-array (range n)))
   (for [n [0 1 7 8 9 100]] (long-array (range n)))
   [(int-array [Integer/MIN_VALUE -1 0 1 Integer/MAX_VALUE]) (long-array int-edges)
    (float-array []) (float-array float-edges) (double-array []) (double-array double-edges)
    (boolean-array []) (boolean-array [true false true]) (boolean-array 20)
    (object-array []) (object-array [1 "a" :a :a nil [1] (object-array [2])]) (object-array (range 9))
    [(int-array [1]) (object-array [[]])]]))

(def caches
  (let [texts (map #(str "t" %) (range 40)) keys (map #(keyword "k" (str "n" %)) (range 40))]
    [[[:a/a :a/a]] [[:a/b :b/a 'a/b 'b/a]] [[:a 'a "a" (cached "a") (cached "a")]] [:a/b :a/b] [:x :x :y]
     [(vec (concat keys keys))] [(vec (concat (map cached texts) (map cached texts)))]
     ;; indexes around the ends of the packed ones
     [(vec (concat (map cached (take 31 texts)) [(cached "last") (cached "last") (cached "over") (cached "over")]))]
     [(vec (concat (map cached (map #(+ 5000 %) (range 70))) (map cached (map #(+ 5000 %) (range 70)))))]
     ;; what is cached and what is too short
     [(mapv cached [nil true false 0 63 64 4095 -4096 "" 0.0 1.0 -0.0 nil true false 0 63 64 4095 -4096 "" 0.0 1.0])]
     [(mapv cached [4096 -4097 4096 -4097 2.0 2.0 "x" "x" (float 0) (float 0) (float 1) (float 1)])]
     [(mapv cached [Double/NaN Double/NaN :a/b :a/b 's 's 12345678901234567890N 12345678901234567890N 1.50M 1.50M 1.5M])]
     [(mapv cached [(Date. 5) (Date. 5) (UUID. 1 2) (UUID. 1 2) (URI. "a") (URI. "a")])]
     [(mapv cached [[1 2] [1 2] [1 [2]] [1 [2]] [] [] (lmap :a 1) (lmap :a 1) (lset 1) (lset 1)])]
     ;; a value takes its index before what is in it
     [[(cached [:a/b :c/d]) :a/b (cached [:a/b :c/d])]] (let [x (cached "x") y (cached [x])] [[(cached [y]) x y]])
     [(cached "top") (cached "top") "top"]
     [:a/b reset :a/b :a/b reset reset :a/b] [[:a/b] footer [:a/b :a/b] footer]
     [(lmap (cached "k") (cached "v") "x" (cached "v"))] [(object-array [(cached "k") (cached "k")])]
     [(tagged "t" (cached "t") (cached "t"))] [(mapv cached (repeat 2 (tagged "t" 1)))]]))

(def structs
  (let [types (map #(str "type" %) (range 20))]
    [[(tagged "d" 1 2 3 "v")] [(tagged "d" 1) (tagged "d" 2)] [(tagged "" )] [(tagged "none") (tagged "none")]
     [(tagged "datum" true 4 1001 10 :a/b 13)]
     [(vec (concat (map #(tagged % 1) types) (map #(tagged % 2) types)))]
     [(tagged "outer" (tagged "inner" (tagged "outer" 1) nil) )] [(tagged "a" :x) reset (tagged "a" :x)]
     [(tagged (times 70000 "t") 1)] [(apply tagged "wide" (range 100))] [(tagged "\u20AC" 1)]
     [(nested 20 #(tagged "n" %) nil)]]))

(def streams
  [[1 2 3] [1 footer] [footer] [footer footer 1] [1 footer 2 footer 3] ["a" :a/b footer :a/b footer]
   [(times 70000 "x") footer] [(byte-array (repeat 70000 1)) footer] [[] footer]
   [begin end] [begin 1 2 3 end] [begin begin 1 end begin end end 5] [begin :a/b :a/b end :a/b] [begin 1 end footer]
   [open] [open 1 2] [open 1 2 end] [open end] [open (lmap :id 1) reset (lmap :id 2)] [1 footer open 2] [open begin 1 end]
   [open reset (lmap :id (UUID. 1 2) :t 1000 :data [(tagged "datum" true 0 63 10 :a/b 1000)])
    reset (lmap :id (UUID. 3 4) :t 1001 :data [(tagged "datum" false 4 64 63 "x" 1001) (tagged "datum" true 4 64 63 "y" 1001)])]])


(defrecord Point [x y])

(defn random-value [^Random r depth]
  (let [pick #(nth % (.nextInt r (count %)))
        text #(apply str (repeatedly (.nextInt r 12) (fn [] (char (pick [97 98 0 0xE9 0x20AC 0xD83D 0xDE00])))))
        many #(vec (repeatedly (.nextInt r 11) (fn [] (random-value r (dec depth)))))
        scalar #(case (.nextInt r 15)
                  0 nil, 1 (.nextBoolean r), 2 (bit-shift-right (.nextLong r) (.nextInt r 64))
                  3 (float (.nextGaussian r)), 4 (.nextGaussian r), 5 (text)
                  6 (byte-array (repeatedly (.nextInt r 20) (fn [] (unchecked-byte (.nextInt r)))))
                  7 (keyword (pick [nil "" "a" "b" (text)]) (text)), 8 (symbol (pick [nil "a" "b"]) (pick ["a" "b" "c"]))
                  9 (bigint (BigInteger. (.nextInt r 200) r)), 10 (BigDecimal. (BigInteger. (.nextInt r 100) r) (.nextInt r 50))
                  11 (Date. (bit-shift-right (.nextLong r) (.nextInt r 64))), 12 (UUID. (.nextLong r) (.nextLong r))
                  13 (URI. (str "x:" (.nextInt r 1000))), 14 (long-array (repeatedly (.nextInt r 5) (fn [] (.nextLong r)))))]
    (if (zero? depth)
      (scalar)
      (case (.nextInt r 8)
        (0 1) (many)
        2 (apply lset (repeatedly (.nextInt r 9) scalar))
        3 (apply lmap (interleave (repeatedly (.nextInt r 9) scalar) (many)))
        4 (object-array (many))
        5 (let [n (.nextInt r 4)] (apply tagged (str (pick ["p" "q" "r"]) n) (repeatedly n (fn [] (random-value r (dec depth))))))
        6 (cached (pick ["c" "d" :c/d 70000 [1 2]]))
        7 (scalar)))))

;; ---- files

(defn vectors-file [dir file what vectors]
  (spit (File. dir (str file ".txt"))
        (str "how: record.clj, " what "\n"
             "library: org.fressian/fressian 0.6.8, org.clojure/data.fressian 1.1.1\n\n"
             (str/join "\n" vectors))))

(let [dir (File. (or (first *command-line-args*) "vectors"))
      file (partial vectors-file dir)]
  (file "ints" "int-edges" (map written int-edges))
  (file "atoms" "nil, booleans, floats, doubles" (map written (concat [nil true false] float-edges double-edges)))
  (file "text" "text-edges" (map written text-edges))
  (file "bytes" "bytes-edges" (map written bytes-edges))
  (file "numbers" "bigs, decimals" (map written (concat bigs decimals)))
  (file "named" "keywords and symbols" (mapcat (fn [[ns n]] [(written (keyword ns n)) (written (symbol ns n))]) named))
  (file "scalars" "scalars" (map written scalars))
  (file "lists" "lists" (map written lists))
  (file "arrays" "arrays" (map written arrays))
  (file "caches" "caches" (map #(apply written %) caches))
  (file "structs" "structs" (map #(apply written %) structs))
  (file "streams" "streams" (map #(apply written %) streams))
  (file "random" "random-value, seeds 1 to 100"
        (for [seed (range 1 101) :let [r (Random. seed)]]
          (apply written (doall (repeatedly (inc (.nextInt r 3)) #(random-value r 2))))))
  (file "clojure" "values whose handlers write structs"
        [(written \a) (written 1/3) (reads (hex (write [(->Point 1 "q") (->Point :a/b nil)])))])
  (load-file "record_reads.clj")
  (file "reads" "record_reads.clj" (map reads @(resolve 'record/readable)))
  (file "refuses" "record_reads.clj" (map refuses @(resolve 'record/unreadable))))
