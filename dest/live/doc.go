// Package live writes clones through a running Datomic, by what its own library offers: transact, and the log.
//
// # Frames
//
// A frame is one transaction as it will be sent, but for the ids that only the transactions before it in its group
// will tell. It is a fressian list:
//
//	frame := [binds form*]                 binds: the source's transaction entity that the clone's stands for, 0, or -1: free
//	form  := [added e a v tempids]         tempids: which parts of v may be tempids, as dclone.Refs; 0 is none
//
// A tempid is minus the id of the source's entity that it stands for, so that two frames mean the same entity by it;
// the smallest integer is the transaction itself. Sent, it is the string "s" and the source's id, or "datomic.tx";
// where an earlier transaction of the group has bound it, it is the clone's id.
//
// # Groups
//
// The transactions of a group are sent one after the other, but for those that are free: a first copy's datoms of
// attributes that mean nothing to Datomic, on entities that do not either. Of them, some may be under way at once
// (Options.Window), in any order, while none needs an id that another brings. What their reports say they came after must
// be each other, and nothing else.
//
// A source transaction comes as one, or as several where it
// needs helpers: entities that must have an id before they are used are minted by two (a :db/doc is added, then retracted),
// and one that is too large is cut in parts. All have its instant. Which ids the entities got is known afterwards and
// becomes true with the position (Bound).
//
// The parts of one that is cut come in this order: unique values that are taken away; attributes and partitions, each
// whole; other datoms, by entity; composite tuples and predicates, which know nothing of what comes with them in
// one transaction; what is said of the transaction itself. The last part stands for the source's transaction.
//
// # Base schema
//
// A destination may have been born before there were tuples, attribute predicates, entity specs and symbols. What an upgrade
// of its base schema would bring is missed before anything is written that needs it (BaseSchemaError); what none would
// bring is not carried. An upgrade is a transaction that nobody made to write to the clone: it is passed over wherever
// it follows the newest that is known.
//
// # Predicates
//
// Datomic installs any :db.attr/preds, and looks for the function when the next value is asserted, which it then refuses
// if there is none. So each is tried first, with nothing written: an attribute of the same type is made with it, and then
// given some value. A predicate that has been asked for its opinion is carried, in a first copy behind all values; others are
// listed. Through the peer API a trial is run by the child, whose class path should have what the transactor's has.
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
// The i-th transaction of the log beyond must be the i-th frame; frames that are free may be in another order, and some of
// them missing, up to the next that is not. The order of a log is that of the tx-data. Datoms that
// Datomic derives (installs and alterations of attributes, implied retractions, composite tuples) come on top; a datom that
// held already is missing. What tempids stand for follows from the places of their datoms; if these do not fit, one
// binding for all of the group is searched. What is missing of the group is sent; anything else is drift, unless the sidecar
// is a copy from an earlier time: then the source's next transactions explain all that is beyond (Witness).
package live
