// Package live reaches running Datomic databases through Datomic's own libraries, in a child JVM that it
// starts, feeds and ends.
//
// # The child
//
// The child is `java … clojure.main -e BOOT`, with a class path that has Clojure and a library of
// Datomic's: com.datomic/local for Datomic Local, a client library for Cloud or peer-server, com.datomic/peer
// for peer URIs. BOOT reads the bridge, a few files of Clojure embedded here, from stdin:
//
//	count:u32  (name  source)*      each a length:u32 and so many bytes of UTF-8
//
// Its stdout is the protocol's alone; what anything in it prints goes to stderr, whose lines are given to
// Options.Log. It ends when its stdin does, so that it outlives nobody, and on Linux with the process that
// started it; it is in a process group of its own, for what stops dclone from a terminal is not meant for it.
// When it ends before it was told to, every request under way fails with a *GoneError.
//
// What a library has only as source, the first child of a class path compiles into dclone/compiled in the user's cache
// directory, by a digest of the files' names, sizes and times. The others have that on their class path before the rest.
//
// # Frames
//
//	length:u32  value
//
// The value is fressian. From dclone it is a request, a list of id, operation, credit and arguments; to
// dclone an answer, a list of id, kind and value:
//
//	0  ok      the request is done; the answer with id 0 says that the child is ready
//	1  part    some of what was asked for; more follows, and ok in the end
//	2  error   a map: class, message, anomaly, db/error, data
//
// Several requests may be under way; those that are do not wait for each other. A request may be answered
// with as many parts as it has credit, which [id "more" n] adds to: a slow reader of one stream keeps the
// others from nothing, and no side gathers more than a window. [id "cancel"] asks for no more parts.
//
//	load      name source               a file of the bridge
//	compile   namespace directory       loads a library, and keeps there what its sources are compiled to
//	connect   api arg db                a map: database (a handle), id, kind, basis
//	databases api arg                   a list: the names of databases
//	create    api arg db                whether a database was made
//	upgrade   api arg db                brings the base schema of a database up to date
//	refresh   db                        takes up the newest database value; a map: basis
//	sync      db                        the same, once all that was transacted before is in it
//	datoms    db a t history end chunk  parts: datoms of an attribute as of t, up to entity end
//	txs       db from to chunk          parts: transactions
//	present   db t as                   those of the attributes that have datoms, of all time
//	stats     db                        a list: ident, count …
//	index     db                        has an index written, where that can be asked for
//	lookup    db a vs                   a list: the entity that holds each value, or nil
//	transact  db forms                  a list: basis before, basis after, a map of tempids, datoms
//	with      db forms*                 the same of the last of some, one upon the other, and nothing is written
//
// A datom is four values of the list it is in: e, a, t<<1 | added, v. A transaction is t, its id or nil, the
// number of its datoms, and these; it may go on in the next part. The bridge writes without caches, so that a
// value is the same bytes in a frame as alone.
//
// # Exactness
//
// Values keep their types: a long is no int, a BigDecimal keeps its scale, a string its lone surrogates, a
// URI its text. What a database has once told from another value is told here, in the form of
// fressian.Append, which is that of the databases on disk.
//
// # What is refused
//
// Lengths, ids and kinds are checked, a frame's memory is allocated as it arrives, and what is in it is read by
// package fressian. Anything else than the protocol on the pipe ends the child.
package live
