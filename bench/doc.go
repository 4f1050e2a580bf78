//go:build unix

// Command bench measures dclone as its users meet it: whole processes, side by side in one run.
//
// It generates databases of a growing company, and takes real ones from DCLONE_DATA where they
// are. Every figure stands beside two others of the same database: the floor, one pass of one
// goroutine that turns every value into a Go value and does nothing with it, and cp + fsync of
// the log. It prints; it asserts nothing. Memory is the process's high-water mark of resident
// memory (VmHWM); that of the bench itself, which a child inherits at its start, is below 20 MiB.
//
//	go run ./bench                 # all of it
//	go run ./bench -size 100000    # smaller
//	go run ./bench -peer DIR       # and the Clojure library, in a checkout of kennyjwilli/datomic-backup
//
// With -peer, the smaller generated database and mbrainz are copied by that library too, between Datomic
// Local databases, once each, and it catches up with the 2,000 small transactions.
package main
