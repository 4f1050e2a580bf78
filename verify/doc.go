// Package verify proves a clone equal to its source, by another path than the one that wrote it.
//
// A first copy reads the source attribute by attribute, sorted, and folds away what no longer
// holds. Verify reads both logs from the beginning, translates the source's datoms through the
// sidecar's map, and compares
//
//   - sums: every datom is a keyed hash of entity and value, plus where it is added, minus where
//     it is retracted; summed by attribute, order does not matter, and what was retracted is gone;
//   - datoms: those that hold, entity by entity, by their bytes. Where memory ends they go to
//     temporary files, cut by a hash of the entity;
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
package verify
