;; Values as bytes: as much of fressian as the two sides of the pipe need. A Sink writes, a Source reads.
;;
;; A Sink uses no caches, so that a value within a frame is the same bytes as the value alone, keywords and symbols
;; excepted, which the other side writes anew. Of org.fressian's own forms it takes the shortest, as FressianWriter does.
;; Nothing here needs org.fressian, which a client of Datomic Cloud does not have.

(ns dclone.wire
  (:import [clojure.lang BigInt IPersistentMap IPersistentSet Keyword Ratio Sequential Symbol]
           [java.math BigDecimal BigInteger]
           [java.net URI]
           [java.nio ByteBuffer]
           [java.util ArrayList Arrays Date List UUID]))

(set! *warn-on-reflection* true)
(set! *unchecked-math* true)

;; ---- writing

(definterface ISink
  (^void room [^long n])
  (^void code [^long c])
  (^void fixed [^long v ^long n])
  (^void integer [^long v])
  (^void raw [^bytes b ^long from ^long n])
  (^void ascii [^String s])
  (^long size [])
  (^void patch [^long at ^long v])
  (^void clear [])
  (^void writeTo [^java.io.OutputStream out]))

(deftype Sink [^:unsynchronized-mutable ^bytes b ^:unsynchronized-mutable ^long n]
  ISink
  (room [_ k]
    (when (> (+ n k) (alength ^bytes b))
      (set! b (Arrays/copyOf ^bytes b (int (max (+ n k) (* 2 (alength ^bytes b))))))))
  (code [this c]
    (.room this 1)
    (aset ^bytes b n (unchecked-byte c))
    (set! n (inc n)))
  (fixed [this v k]
    (.room this k)
    (loop [i (dec k) at n]
      (when (>= i 0)
        (aset ^bytes b at (unchecked-byte (bit-shift-right v (* 8 i))))
        (recur (dec i) (inc at))))
    (set! n (+ n k)))
  (integer [this v]
    (let [m (if (neg? v) (bit-not v) v)]
      (cond
        (and (<= 0 v) (< v 64)) (.code this v)
        (== v -1) (.code this 0xFF)
        (< m 0x1000) (.fixed this (+ v 0x5000) 2)
        (< m 0x80000) (.fixed this (+ v 0x680000) 3)
        (< m 0x2000000) (.fixed this (+ v 0x72000000) 4)
        (< m 0x200000000) (.fixed this (+ v 0x7600000000) 5)
        (< m 0x20000000000) (.fixed this (+ v 0x7A0000000000) 6)
        (< m 0x2000000000000) (.fixed this (+ v 0x7E000000000000) 7)
        :else (do (.code this 0xF8) (.fixed this v 8)))))
  (raw [this from-b from k]
    (.room this k)
    (System/arraycopy from-b from b n k)
    (set! n (+ n k)))
  (ascii [this s]
    (let [k (.length s)]
      (.room this k)
      (.getBytes s 0 k ^bytes b (int n))
      (set! n (+ n k))))
  (size [_] n)
  (patch [_ at v]
    (dotimes [i 4]
      (aset ^bytes b (+ at i) (unchecked-byte (bit-shift-right v (* 8 (- 3 i)))))))
  (clear [_]
    (when (> (alength ^bytes b) 0x400000)
      (set! b (byte-array 0x10000)))
    (set! n 0))
  (writeTo [_ out]
    (.write out ^bytes b 0 (int n))))

(defn sink ^dclone.wire.Sink [] (Sink. (byte-array 0x10000) 0))

(defn- ascii? [^String s]
  (let [n (.length s)]
    (loop [i 0]
      (cond
        (== i n) true
        (< (int (.charAt s i)) 0x80) (recur (inc i))
        :else false))))

(defn- cesu8
  "Each UTF-16 unit by itself in 1 to 3 bytes."
  ^bytes [^String s]
  (let [bytes (ByteBuffer/allocate (* 3 (.length s)))]
    (dotimes [i (.length s)]
      (let [c (int (.charAt s i))]
        (cond
          (< c 0x80) (.put bytes (unchecked-byte c))
          (< c 0x800) (do (.put bytes (unchecked-byte (bit-or 0xC0 (bit-shift-right c 6))))
                          (.put bytes (unchecked-byte (bit-or 0x80 (bit-and c 0x3F)))))
          :else (do (.put bytes (unchecked-byte (bit-or 0xE0 (bit-shift-right c 12))))
                    (.put bytes (unchecked-byte (bit-or 0x80 (bit-and (bit-shift-right c 6) 0x3F))))
                    (.put bytes (unchecked-byte (bit-or 0x80 (bit-and c 0x3F))))))))
    (Arrays/copyOf (.array bytes) (.position bytes))))

(defn- text-head! [^Sink w ^long n]
  (if (< n 8)
    (.code w (+ 0xDA n))
    (do (.code w 0xE3) (.integer w n))))

(defn- unit-end
  "The greatest index of text, to at most, that parts no unit."
  ^long [^bytes text ^long to]
  (if (== 0x80 (bit-and 0xC0 (aget text to)))
    (recur text (dec to))
    to))

(defn- long-text! [^Sink w ^bytes text]
  (let [n (alength text)]
    (loop [from 0]
      (if (> (- n from) 65536)
        (let [to (unit-end text (+ from 65536))]
          (.code w 0xE2)
          (.integer w (- to from))
          (.raw w text from (- to from))
          (recur to))
        (do (text-head! w (- n from))
            (.raw w text from (- n from)))))))

(defn text! [^Sink w ^String s]
  (if (and (<= (.length s) 65536) (ascii? s))
    (do (text-head! w (.length s))
        (.ascii w s))
    (long-text! w (cesu8 s))))

(defn bytes! [^Sink w ^bytes v]
  (let [n (alength v)]
    (if (< n 8)
      (do (.code w (+ 0xD0 n)) (.raw w v 0 n))
      (loop [from 0]
        (if (> (- n from) 65535)
          (do (.code w 0xD8) (.integer w 65535) (.raw w v from 65535) (recur (+ from 65535)))
          (do (.code w 0xD9) (.integer w (- n from)) (.raw w v from (- n from))))))))

(defn list-head! [^Sink w ^long n]
  (if (< n 8)
    (.code w (+ 0xE4 n))
    (do (.code w 0xEC) (.integer w n))))

(defn- double! [^Sink w ^double v]
  (cond
    (== v 0.0) (.code w 0xFB)
    (== v 1.0) (.code w 0xFC)
    :else (do (.code w 0xFA) (.fixed w (Double/doubleToLongBits v) 8))))

(defn- uuid! [^Sink w ^UUID v]
  (.code w 0xC3)
  (.code w 0xD9)
  (.code w 16)
  (.fixed w (.getMostSignificantBits v) 8)
  (.fixed w (.getLeastSignificantBits v) 8))

(defn- named! [^Sink w ^long c ns name]
  (.code w c)
  (if (nil? ns) (.code w 0xF7) (text! w ns))
  (text! w name))

(def ^:private fn-fields [:lang :imports :requires :params :code])

(declare value!)

(defn- items! [w xs]
  (list-head! w (count xs))
  (doseq [x xs] (value! w x)))

(defn- map! [^Sink w entries]
  (.code w 0xC0)
  (list-head! w (* 2 (count entries)))
  (doseq [[k v] entries] (value! w k) (value! w v)))

(defn- function? [v]
  (= "datomic.function.Function" (.getName (class v))))

(defn- function! [^Sink w f]
  (.code w 0xEF)
  (text! w "datomic/fn")
  (.integer w 1)
  (map! w (map (fn [k] [k (get f k)]) fn-fields)))

(defn- other! [^Sink w v]
  (cond
    (instance? UUID v) (uuid! w v)
    (instance? Float v) (do (.code w 0xF9) (.fixed w (Float/floatToIntBits v) 4))
    (instance? BigDecimal v) (do (.code w 0xC7)
                                 (bytes! w (.toByteArray (.unscaledValue ^BigDecimal v)))
                                 (.integer w (.scale ^BigDecimal v)))
    (instance? BigInteger v) (do (.code w 0xC6) (bytes! w (.toByteArray ^BigInteger v)))
    (instance? BigInt v) (do (.code w 0xC6) (bytes! w (.toByteArray (.toBigInteger ^BigInt v))))
    (instance? URI v) (do (.code w 0xC5) (text! w (str v)))
    (instance? Symbol v) (named! w 0xC9 (namespace v) (name v))
    (bytes? v) (bytes! w v)
    (number? v) (.integer w (long v))
    (function? v) (function! w v)
    (instance? IPersistentMap v) (map! w v)
    (instance? IPersistentSet v) (do (.code w 0xC1) (items! w v))
    (or (sequential? v) (instance? List v)) (items! w v)
    (.isArray (class v)) (items! w (seq v))
    :else (throw (ex-info (str "no value of a database: " (.getName (class v))) {:class (class v)}))))

(defn value! [^Sink w v]
  (cond
    (instance? Long v) (.integer w (long v))
    (instance? String v) (text! w v)
    (nil? v) (.code w 0xF7)
    (instance? Keyword v) (named! w 0xCA (namespace v) (name v))
    (instance? Date v) (do (.code w 0xC8) (.integer w (.getTime ^Date v)))
    (instance? Double v) (double! w (double v))
    (instance? Boolean v) (.code w (if (.booleanValue ^Boolean v) 0xF5 0xF6))
    :else (other! w v)))

;; ---- reading

(deftype Reader [^ByteBuffer in ^ArrayList refs ^ArrayList types])

(defn reader [^bytes b] (Reader. (ByteBuffer/wrap b) (ArrayList.) (ArrayList.)))

(declare read-value)

(defn- octet ^long [^Reader r] (bit-and 0xFF (.get ^ByteBuffer (.-in r))))

(defn- octets
  "The next n bytes as a number without a sign."
  ^long [r ^long n]
  (loop [i 0 v 0]
    (if (== i n) v (recur (inc i) (bit-or (bit-shift-left v 8) (octet r))))))

(defn- read-int
  "The int whose code is c, nil where c begins none."
  [r ^long c]
  (let [near (fn [^long zero ^long n]
               (+ (bit-shift-left (- c zero) (* 8 n)) (octets r n)))]
    (cond
      (< c 0x40) c
      (< c 0x60) (near 0x50 1)
      (< c 0x70) (near 0x68 2)
      (< c 0x74) (near 0x72 3)
      (< c 0x78) (near 0x76 4)
      (< c 0x7C) (near 0x7A 5)
      (< c 0x80) (near 0x7E 6)
      (== c 0xF8) (octets r 8)
      (== c 0xFF) -1)))

(defn- read-count ^long [r]
  (long (read-int r (octet r))))

(defn- run ^bytes [^Reader r ^long n]
  (let [^ByteBuffer in (.-in r)]
    (when (> n (.remaining in))
      (throw (ex-info "a length beyond the end of the frame" {})))
    (let [b (byte-array n)]
      (.get in b)
      b)))

(defn- decode-cesu8 [^bytes b]
  (let [n (alength b)
        sb (StringBuilder. n)
        at (fn [^long i] (bit-and 0x3F (aget b i)))]
    (loop [i 0]
      (when (< i n)
        (let [c (bit-and 0xFF (aget b i))]
          (cond
            (< c 0x80) (do (.append sb (char c)) (recur (inc i)))
            (< c 0xE0) (do (.append sb (char (bit-or (bit-shift-left (bit-and c 0x1F) 6) (long (at (inc i))))))
                           (recur (+ i 2)))
            :else (do (.append sb (char (bit-or (bit-shift-left (bit-and c 0xF) 12)
                                                (bit-shift-left (long (at (inc i))) 6) (long (at (+ i 2))))))
                      (recur (+ i 3)))))))
    (str sb)))

(defn- read-text [r ^long c]
  (cond
    (< c 0xE2) (decode-cesu8 (run r (- c 0xDA)))
    (== c 0xE3) (decode-cesu8 (run r (read-count r)))
    :else (loop [sb (StringBuilder.) c c]
            (.append sb ^String (decode-cesu8 (run r (if (< c 0xE2) (- c 0xDA) (read-count r)))))
            (if (== c 0xE2) (recur sb (octet r)) (str sb)))))

(defn- read-bytes ^bytes [r ^long c]
  (if (< c 0xD8)
    (run r (- c 0xD0))
    (let [out (java.io.ByteArrayOutputStream.)]
      (loop [c c]
        (let [^bytes b (run r (read-count r))]
          (.write out b 0 (alength b)))
        (when (== c 0xD8) (recur (octet r))))
      (.toByteArray out))))

(defn- read-items [r ^long n]
  (loop [i 0 v (transient [])]
    (if (== i n) (persistent! v) (recur (inc i) (conj! v (read-value r))))))

(defn- uuid-of [^bytes b]
  (let [in (ByteBuffer/wrap b)]
    (UUID. (.getLong in) (.getLong in))))

(def make-function
  "Makes a database function of a map; whoever has the means sets it."
  (atom (fn [m] (throw (ex-info "this API has no database functions" {:function m})))))

(defn- read-struct [r tag ^long n]
  (let [fields (read-items r n)]
    (if (= tag "datomic/fn")
      (@make-function (first fields))
      (throw (ex-info (str "unknown struct " tag) {})))))

(defn- new-struct [^Reader r]
  (let [type [(read-value r) (read-count r)]]
    (.add ^ArrayList (.-types r) type)
    (read-struct r (type 0) (type 1))))

(defn- known-struct [^Reader r ^long i]
  (let [type (.get ^ArrayList (.-types r) (int i))]
    (read-struct r (type 0) (type 1))))

(defn- put [^Reader r]
  (let [^ArrayList refs (.-refs r)
        i (.size refs)]
    (.add refs nil)
    (let [v (read-value r)]
      (.set refs i v)
      v)))

(defn- read-number [r ^long c]
  (case c
    0xF9 (Float/intBitsToFloat (unchecked-int (octets r 4)))
    0xFA (Double/longBitsToDouble (octets r 8))
    0xFB 0.0
    0xFC 1.0
    0xC6 (bigint (BigInteger. ^bytes (read-value r)))
    0xC7 (let [unscaled (BigInteger. ^bytes (read-value r))]
           (BigDecimal. unscaled (int (read-count r))))))

(defn- read-builtin [^Reader r ^long c]
  (case c
    (0xF9 0xFA 0xFB 0xFC 0xC6 0xC7) (read-number r c)
    0xF5 true
    0xF6 false
    0xF7 nil
    0xC0 (apply array-map (read-value r))
    0xC1 (set (read-value r))
    0xC3 (uuid-of (read-value r))
    0xC5 (URI. (read-value r))
    0xC8 (Date. (read-count r))
    0xC9 (let [ns (read-value r)] (symbol ns (read-value r)))
    0xCA (let [ns (read-value r)] (keyword ns (read-value r)))
    0xCC (.get ^ArrayList (.-refs r) (int (read-count r)))
    0xCD (put r)
    0xEC (read-items r (read-count r))
    0xEF (new-struct r)
    0xF0 (known-struct r (read-count r))
    (throw (ex-info (str "code " c " begins no value") {}))))

(defn read-value [^Reader r]
  (let [c (octet r)]
    (cond
      (or (< c 0x80) (== c 0xF8) (== c 0xFF)) (read-int r c)
      (< c 0xA0) (.get ^ArrayList (.-refs r) (int (- c 0x80)))
      (< c 0xB0) (known-struct r (- c 0xA0))
      (<= 0xD0 c 0xD9) (read-bytes r c)
      (<= 0xDA c 0xE3) (read-text r c)
      (<= 0xE4 c 0xEB) (read-items r (- c 0xE4))
      :else (read-builtin r c))))
