// Package historytest makes Datomic Local databases for tests, from a seed, and compares clones
// with them.
//
//	h := historytest.New(t, dir, seed)
//	h.Step(40)                                // 40 random transactions
//	…                                         // clone dir to cloneDir
//	historytest.Check(t, dir, cloneDir, sidecar)
//
// A [History] appends to a directory what Datomic Local 1.0.291 would have appended, byte by
// byte but for its choice of random numbers: attributes in partition 0, other new entities in a
// partition drawn for each transaction, installs at the end of the frame, and so on. It makes
// everything a log may hold that a cloner could stumble over; see the weights in step.go.
//
// [Check] and [Read] know nothing of the packages that read logs for dclone, but for the decoder
// of single datoms: they fold a log with maps, and are as slow and as plain as can be.
//
// A test that fails prints its seed; see package seeds.
package historytest
