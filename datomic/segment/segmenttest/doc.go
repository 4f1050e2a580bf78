// Package segmenttest builds small databases of Datomic Pro in memory, for tests: every kind of
// node, in trees several levels deep though there are few datoms.
//
//	db := segmenttest.Build(t, []dclone.Tx{
//		segmenttest.Tx(t, 1000, segmenttest.Datom(t, 72, 10, dclone.Kw("my", "name"), true), …),
//	}, segmenttest.Options{Tail: 1})
//	raw := db.Segments[db.Root.Index]
//
// What Build makes has the bootstrap of a real database, trees of all four indexes with what holds
// and what did, a mid tier where one is asked for, a log of root, dirs and leaves, a tail, and
// full-text files, though not what Lucene would write. An id depends on the content alone: two
// databases of which one is the beginning of the other share segments, as two backups of one do.
package segmenttest
