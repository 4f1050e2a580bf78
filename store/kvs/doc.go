// Package kvs reads and restores Datomic Pro databases in PostgreSQL.
//
// # The table
//
// Datomic keeps all it has in one table, datomic_kvs, of four columns:
//
//	id                     rev   map                                             val
//	<uuid>                       {}                                              a segment, as a backup has it
//	<uuid>_<hex digits>          {}                                              the same, of full text
//	pod-catalog            n     {:tail "<piece>"}
//	pod-log-tail/<db-id>   n     {:d/r "<log root>" :d/l 3 :tail "<piece>" …}
//	ref-index-root/<db-id> n     {:key "<index root>"}
//	ref-gc-root/<db-id>    n     {:key "<garbage root>"}
//	ref-log-root/<db-id>   n     {:key "<log root>"}, where :d/l is 1 or is not there
//	<uuid>                       {:prev "<older piece>"}, or {} in the oldest    a piece of a pod
//	pod-coord, pod-standby       the transactors' heartbeat, with a password
//
// Rows without a rev never change. Those with one count their changes by it, which a transactor makes on
// condition that the rev is what it was. A pod is the pieces from the oldest to the newest, one behind
// the other: that of the catalog is EDN,
//
//	{"name" {:db-id "…"}, …, :datomic/deleted #{"db-id" …}}
//
// and that of a log's tail is the newest transactions, not gzip. Each transaction adds a piece. An
// indexing job makes a new index root; then a new log root and a tail of one piece.
//
// # What is never read
//
// Of pod-coord this package reads the rev and nothing else, of pod-standby nothing. All its statements
// name the ids they want, and an id that came out of the data is not asked for unless it looks like that
// of a segment: in the statements that follow pieces, PostgreSQL sees to it.
//
// # One root at one moment
//
// [Database.Root] is one statement, which sees the table as it was at one moment, on a primary and on a
// standby: the row of the index root, that of the log's tail, and the pieces from there on, back to the
// oldest or to the newest one known from before. A transaction is in the log before it is in an index,
// so the log of that moment never ends before its index. There is one case where it does: Datomic's own
// restore of an older point in time puts the index root in place first, a moment before the log. The t
// of the index is then greater than that of the log, which the reader of the two sees, and reads the
// root again.
//
// The segments a root names are there at that moment. Later, when the database has been indexed anew,
// its garbage may be collected: a reader that misses a segment reads the root again. A database is in
// the catalog a little before it has roots: Root waits for them for some seconds.
//
// # Restoring
//
// Segments are put first, which nobody sees: [Storage.PutSegments]. Then [Storage.Publish] writes what
// Datomic's own restore writes, the name and all the roots, in one transaction of PostgreSQL. The
// garbage root is a new one that is empty, because segments that were garbage may belong to the restored
// point in time. Nothing that is in the storage is ever removed.
package kvs
