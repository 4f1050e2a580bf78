// Package segment reads and writes the segments of Datomic Pro databases: what is behind the ids of
// a storage or a backup. It does no I/O.
//
// The format is undocumented; what follows was measured on what peer 1.0.7277 wrote, and the tests
// hold it against that. What is said of versions before is from reading the peer, not from data.
//
// # Segments
//
// A segment is gzip of one fressian value, a node, named by a uuid or, a piece of a full-text file,
// by a uuid and the number of the piece: _ and 15 upper-case hexadecimal digits. It never changes.
// [Unpack] takes off the gzip. Every node but a log leaf has a fressian footer behind it: its length
// and checksum. [Children] says of what kind a node is and which others it names.
//
// Below, (tag a b) is a struct, {:k v} a map, x[] an array, [x …] a list.
//
//	index root       {:version 2, :rev, :nextT, :basisT, :birth-level, :schema-level, :buildRevision,
//	                  :eavt-main :eavt-mid :eavt-hist, … aevt, avet, raet: uuid of a root node, or nil
//	                  :fulltext :fulltext-hist: uuid of a full-text root}
//	                 version 1 has :eavt … for :eavt-main …, and no mid
//	root node        (index-root-node keys, uuid[])                       keys are tdata
//	dir node         (index-dir-node keys, uuid[], offsets int[], counts int[])
//	leaf             (index-tdata values, e long[], a int[], t long[], added boolean[])
//	                 values are Object[] or a list
//	log root, dir    [(log-dir t uuid) …]                 a root names dirs, a dir names leaves
//	log leaf         [tx …]                               a list up to its end, ED; no footer
//	log tail         [tx …]                               a list up to the end of input, EE
//	tx               {:id uuid, :t t, :data [datum …]}    behind a reset of the caches, FE
//	datum            (datum added partition eidx attribute value t)
//	full-text root   (search-root {attribute uuid})
//	full-text files  (clusterfs-root {name {:base uuid, :length n}}, size)
//	full-text chunk  (clusterfs-chunk bytes)              n bytes are in pieces of size, the last shorter
//
// Entity ids are partition<<42 | eidx, and a transaction is named by t, its eidx in partition 3. t
// grows from one transaction to the next, but not by 1.
//
// # Indexes
//
// Four indexes order datoms by e a v, a e v, a v e and v a e, then the newest first. An index is
// three trees: main, what holds; hist, retractions and the assertions they ended; mid, where there
// is one, assertions and retractions since main was written. An entry of a dir is count datoms of a
// leaf from offset on, so that one leaf may have several. The key of an entry is before or at its
// first datom and behind all that is before: 0 and nil stand for what need not be said, and a string
// may be cut short, as "Old Av" for "Old Avar". So keys are compared, and never taken for datoms.
//
// # Log
//
// The t of an entry in a root or dir is that of the first transaction below, or less: the first is
// 0. The transactions with which a database is born are in no log, only in the indexes. A
// leaf that was written anew by an excision is one list of known length, with a footer, and with
// caches that all its transactions share. The eidx and t of a datum go through the priority cache;
// so do the names of keywords, in values too.
//
// For example a tail of one transaction with two datoms, its instant and [72 :db/ident :my/name]:
//
//	EE                                    list, up to the end
//	FE                                    empty caches
//	C0 EA                                 map of 3 keys
//	CA F7 CD DC 69 64  C3 D9 10 0100…00   :id, cached as 0; a uuid
//	CA F7 CD DB 74  68 13 88              :t, cached as 1; 5000
//	CA F7 CD DE 64 61 74 61  E6           :data, cached as 2; list of 2
//	EF DF 64 61 74 75 6D 06               struct "datum" of 6 fields, type 0
//	  F5  03  CD 68 13 88  32             added, partition 3, eidx 5000 cached as 3, attribute 50
//	  C8 7B 6F 5E 66 E8 00  83            instant 1577836800000; t, the cached 3
//	A0                                    struct of type 0
//	  F5  00  50 48  0A                   added, partition 0, eidx 72, attribute 10
//	  CA CD DC 6D 79 CD DE 6E 61 6D 65    :my/name, cached as 4 and 5
//	  83                                  t
//
// # Values
//
// A value that is read stands alone: bytes that fressian.Append could have written. Those that use
// no caches are the bytes of the segment, and alias it; keywords, symbols, functions, and tuples
// that hold such, are written anew. A double keeps its bits, though fressian would change -0.0.
//
// # Backup roots
//
// A file of a backup that is neither gzip nor a segment says where a database begins:
//
//	{:backup/version 3, :log/version 3, :index/version 2, :db/id text, :index/root-id text,
//	 :log/root-id text, :log/tail bytes}
//
// Version 1 says :db-id, :index-root-id, :log-root-id, :log-tail, and no versions.
//
// # What is refused
//
// Nothing read is believed: see package fressian. Beyond that, numbers out of range, columns that
// differ in length, a t that does not grow, a datom of another transaction, a kind that is not known,
// and bytes behind the end are a [DamageError], which says where.
package segment
