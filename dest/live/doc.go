// Package live writes clones through a running Datomic, by what its own library offers: transact, and the log.
//
// # Frames
//
// A frame is one transaction as it will be sent, but for the ids that only the transactions before it in its group
// will tell. It is a fressian list:
//
//	frame := [binds form*]                 binds: the source's transaction entity that the clone's stands for, or 0
//	form  := [added e a v tempids]         tempids: which parts of v may be tempids, as dclone.Refs; 0 is none
//
// A tempid is minus the id of the source's entity that it stands for, so that two frames mean the same entity by it;
// the smallest integer is the transaction itself. Sent, it is the string "s" and the source's id, or "datomic.tx";
// where an earlier transaction of the group has bound it, it is the clone's id.
//
// # Groups
//
// The transactions of a group are sent one after the other. A source transaction comes as one, or as several where it
// needs helpers: entities that must have an id before they are used are minted by two (a :db/doc is added, then retracted),
// and one that is too large is cut in parts. All have its instant. Which ids the entities got is known afterwards and
// becomes true with the position (Bound).
//
// # Never merge
//
// Datomic takes a tempid for the entity that holds a unique identity asserted on it. So whatever holds one, in the clone or
// by another datom of the group, has the tempid's entity minted first. Minted are also those that occur only as values or
// within tuples. No two tempids may come out as one entity, nor one as an entity that stands for another.
//
// # Unknown outcomes
//
// Only what was not accepted (busy) is sent again as it is. After an answer that says neither no nor done, nothing more
// is sent: the child is ended, another started, and after a while (Options.Settle) the clone's log beyond the group's
// beginning is compared with the group. The same is done at every start with the intent.
//
// # Alignment
//
// The i-th transaction of the log beyond must be the i-th frame. The order of a log is that of the tx-data. Datoms that
// Datomic derives (installs and alterations of attributes, implied retractions, composite tuples) come on top; a datom that
// held already is missing. What tempids stand for follows from the places of their datoms; if these do not fit, one
// binding for all of the group is searched. A prefix of the group is completed; anything else is drift.
package live
