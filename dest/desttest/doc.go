// Package desttest is what every kind of destination must do: one suite that all of them pass.
//
//	desttest.Run(t, desttest.Kind{Caps: …, New: …})
//
// # The contract
//
//   - After a run the clone says at present what the source says at its basis, entity ids translated: every
//     datom as often, with exactly its value, and every ident. One entity of the source is one of the clone.
//   - What is replayed is one transaction of the clone for one of the source, in order, with its instant, its
//     datoms and what is said of the transaction itself. Helpers, where the destination needs any, leave nothing behind.
//   - A run without news writes nothing.
//   - A run may be cut anywhere. The next ends with the clone that a calm run makes, not a transaction more.
//   - What somebody else has written is never written over or built upon: drift, a database that is none of
//     the session's, one that was put in the clone's place, a source that is another one. Such a run changes nothing.
//   - Where a source cannot be carried, the run says which attribute and why, and the rest is there.
//
// Caps says where kinds may differ. Whatever it does not name is the same for all.
//
// # Comparing
//
// [Check] reads clone and source by package historytest, which folds logs with maps and knows nothing of
// the packages that make clones.
package desttest
