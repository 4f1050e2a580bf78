// Package verify proves a clone equal to its source, by another path than the one that wrote it.
//
// A first copy reads the source attribute by attribute, sorted, and folds away what no longer
// holds. Verify reads both logs from the beginning, translates the source's datoms through the
// sidecar's map, and compares
//
//   - sums: every datom is a keyed hash of entity and value, plus where it is added, minus where
//     it is retracted; summed by attribute, order does not matter, and what was retracted is gone;
//   - datoms: those that hold, entity by entity, by their bytes, and in which order those of them came that
//     Datomic takes for equal. Where memory ends they go to temporary files, cut by a hash of the entity;
//   - the replayed transactions, one for one and in order;
//   - schemas and idents, as both logs say they are;
//   - the map, which must be one-to-one.
//
// Sums find everything, but may differ where databases do not: a log may assert twice what holds,
// and Datomic Local takes some values of different bytes for equal. So a sum that differs only
// says which attribute's datoms are to be compared.
//
// What holds is compared twice: now, and as it was when the first copy was made, because a replayed
// retraction hides what the first copy lacked.
//
// What is not compared: :db.alter/attribute of the source's past, and how the first copy was cut
// into transactions. An instant may be later in the clone than in the source where that of the
// transaction before it is, and a retraction may be missing of what the clone never had.
//
// # Live clones
//
// A clone that a running Datomic writes, as its sidecar says, is compared at the same levels, as its own library reads it
// or as dclone reads it in its storage. What holds must be equal to the byte, now and as of the end of the first copy,
// composite tuples included. What differs is the way it came there, and that Datomic has a say in it:
//
//   - the transactions that a replayed one became are those behind the one before, up to the one that stands for it in
//     the map. Together they must say what it said, each datom once, in any order, and each must have its instant. Where an
//     ordinary entity stands for it, it is compared together with the next ones;
//   - two transactions that give entities an id, by a :db/doc that is added and then retracted, are left out, in the first
//     copy too, where they have the instant of the one they help. So is one that gives :db/index to attributes that the
//     replayed one makes unique, and what the clone has by it. All others must say something, but the last;
//   - a datom may be missing that would have changed nothing then: what held already, or what retracts what did not hold.
//     A retraction may be added, or be there twice, where another value takes the place of one;
//   - :db.alter/attribute is not compared at all, and the installs of attributes as any datoms are;
//   - what cannot be carried may be missing where the sidecar says that of the attribute it did not carry all: predicates,
//     what redefines a builtin, strings that are too long, tuples that refer to their own transaction, :db/excise;
//   - upgrades of the base schema, by whomever, are part of the bootstrap.
//
// The mark in the sidecar is of what a transaction says, whatever the order. Which ids are yet to be given out the
// sidecar does not know; instead, a run of the map must lead back from its end.
package verify
