;; Directories as the storage of backups. Datomic's backup code asks for this namespace by name when it sees a file: URI, and
;; the peer library does not have it. A key is a path below the directory; bytes are kept as they are.

(ns datomic.fsbackup
  (:require [clojure.string :as str]
            [datomic.backup :as backup])
  (:import [java.io File FileOutputStream]
           java.net.URI
           java.nio.ByteBuffer
           java.nio.file.Files))

(defn- file ^File [^File dir k]
  (File. dir ^String k))

(deftype Directory [^File dir]
  backup/Storage
  (exists? [_ k]
    (.exists (file dir k)))
  (list-keys [_ prefix]
    {:ks (vec (for [^File f (.listFiles (file dir prefix))
                    :when (.isFile f)]
                (str (str/replace prefix #"/$" "") "/" (.getName f))))})
  (retrieve [_ k]
    (let [f (file dir k)]
      (when (.exists f)
        {:v (ByteBuffer/wrap (Files/readAllBytes (.toPath f)))})))
  (store [_ k v]
    (let [f (file dir k)]
      (.mkdirs (.getParentFile f))
      (with-open [out (FileOutputStream. f)]
        (doseq [^ByteBuffer b (if (instance? ByteBuffer v) [v] v)]
          (.write (.getChannel out) (.duplicate b))))
      {:k k})))

(defn storage-from-uri [uri]
  (let [u (URI. (str uri))
        dir (File. ^String (or (.getPath u) (.getSchemeSpecificPart u)))]
    (.mkdirs dir)
    (Directory. dir)))
