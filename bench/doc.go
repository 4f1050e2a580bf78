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
//	go run ./bench -pro            # Datomic Pro instead: backups, storage, and Datomic's own code
//	go run ./bench -live           # clones through Datomic Local's client API instead; -peer DIR for the Clojure library beside
//
// With -peer, the smaller generated database and mbrainz are copied by that library too, between Datomic
// Local databases, once each, and it catches up with the 2,000 small transactions.
//
// With -pro, Datomic's own code makes a backup of such a company, and one of a tenth of it, so that it
// shows what grows with the database; each has a second restore point 2,000 small transactions and an index job
// later. They are kept with -dir, for the large one takes minutes to make. Rows that read or write storage are there
// where PostgreSQL is. The floor is the one pass over the backup's log, and cp + fsync copies the backup, file by
// file. "log scan" is a process of the bench's own that reads all values through package source/pro; so is the
// one that polls. Datomic's own code runs once for each row, a JVM each time; what its calls took without
// the start of the JVM is printed below the rows. It reads and writes backups through a stand-in for the part that Datomic does
// not publish, which syncs nothing; dclone makes each file durable.
//
// With -live, source and clone are Datomic Local databases that a JVM of each program's serves, one for both
// databases. Processor time is that of dclone and its JVM; the peaks are apart. The floor is the transactor's own work:
// the transactions of dclone's clone, built before, transacted once more in one JVM. What the clones hold in the end is
// counted, by attribute. dclone's JVM finds what others of their class path have compiled in the user's cache.
package main
