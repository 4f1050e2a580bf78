// Package pro reads Datomic Pro databases, from backups and from storages, as sources.
//
// # What there is to read
//
// A root names an index root, a log root and a tail, see package store. The log has every
// transaction but those of the bootstrap: a tree of leaves, and the tail with what came after. The
// indexes have every datom, those of the bootstrap too, up to a t of their own, the index's basis.
// Each index is up to three trees: main has what holds, hist the retractions and the assertions
// they end, mid both kinds, of late. What is said here of AEVT is true of EAVT likewise.
//
// # Transactions
//
// Those of the bootstrap have a t below 1000. They are rebuilt of the datoms EAVT has of them: the
// instant first, then idents, because attributes are known by those, then by entity, attribute,
// a retraction before an assertion, value. The others come as the log has them.
//
// # Snapshots
//
// The datoms of one attribute are merged of the trees of AEVT, of the log behind the index's basis,
// and made to tell what was true as of t: of the datoms of one entity and value up to t, the newest
// says whether it holds, and the oldest assertion since the last retraction is the one that counts.
// So any t will do, older than the index's basis or newer, and what comes out is the same whichever
// trees the source had put a datom into: a first copy can be taken up again after an index job.
//
// Where a transaction asserted again what held already, :db.alter/attribute of every alteration,
// the peer shows the datom twice; Current has it once.
//
// Of attributes with :db/noHistory the indexes have no history. As of a t before the index's basis
// their datoms are read from the log, which has them all. Their History is what the indexes kept.
//
// Values are in the order of local.CompareValues, which is the one the trees have, but for NaN. Of
// attributes that can hold one, the datoms of an entity are sorted again. What is equal by that
// order, 1.0M and 1.00M, may hold side by side; a retraction of one hides those that are older.
//
// # Memory
//
// Segments are fetched, unpacked and parsed ahead of the reader, a dozen per stream and up to a
// bound in bytes: a stream waits for its store more than for a processor, so Options.Jobs has no
// part in it. Nodes are cached, leaves are not, unless several spans share one. What the log has
// behind the index's basis is sorted in memory, and in temporary files where it is more than
// Options.MaxMemory. In memory whatever the options say are the tail as it is stored, the largest
// segments of the database, all datoms that one entity has of one attribute with float, double or
// tuple values, and in History those of any attribute.
//
// # Damage and loss
//
// Nothing that is read is believed: keys, entries, counts, order of datoms and ts are checked, and
// what is wrong is an error that wraps a *segment.DamageError and names segment and store. The
// levels of a tree are fixed, so a node that refers back to one above it is of the wrong kind.
//
// A storage drops segments after index jobs. A reader who misses one reads the root again and goes
// on where it was, in the new trees, as of the same t.
package pro
