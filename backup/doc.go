// Package backup does natively what Datomic's backup-db, list-backups, verify-backup and
// restore-db do: it copies the segments of a database between a storage and a backup, and looks whether
// a backup is whole.
//
//	Copy     a storage, or another backup → a backup
//	Points   the restore points of a backup, and when they were
//	Verify   is each segment there, and is it what it should be
//	Restore  a backup → a storage
//
// # Trees
//
// A root names two segments and holds the newest transactions itself. Below them:
//
//	index root ─┬─ tree ── dir ── leaf        12 trees at most: eavt, aevt, avet, raet; main, mid, hist
//	            └─ full-text root ── files ── chunk
//	log root ───── log dir ── log leaf
//
// A node must be what its place in the trees says, so that a walk ends wherever a damaged node may
// lead: it is never deeper than five.
//
// # What is promised
//
//   - A node is written when all below it is durable, and a root after all nodes. So whatever is there
//     is complete, a copy may be killed at any instant, and the next one goes on from there. That is
//     also what makes copies differential: of a node that is there, nothing below it is looked at.
//   - A restore point is never changed: one of the same t is written anew only if its newest transaction is
//     the same, as after an indexing job; one that is damaged with Full.
//   - No segment is copied before it was unpacked and read to its end: damage does not spread. Datomic's
//     own restore-db writes garbage into the storage and says that it succeeded.
//   - A storage may be written to, and its garbage collected, while it is copied: a copy begins again
//     from the roots as they are then when a segment has gone.
//   - Nothing is locked in the source, and two copies into one backup do no harm to each other.
//   - In a storage a node may be there without what is below it, because garbage collection may have been
//     cut short; Restore looks for every segment. No peer sees any of it before all are in.
//   - Verify tells all that is bad, not only the first of it.
//
// # Memory
//
// Walks go depth first. Each of the Concurrency workers holds the nodes above the one it is at, and of those
// the ids: some megabytes, whatever the size of the database. A worker takes one child of a node,
// and another of the same node if it is idle, so that there is no list of what is left to do.
// Verify counts each segment once, also one that two nodes name, and keeps 16 bytes of each id, in a table
// that takes some 40 bytes for each segment: 6 MB for each 100 million datoms or so.
package backup

import (
	"time"

	"dclone"
)

// Options change what is done and how fast. The zero Options do it to the newest restore point.
type Options struct {
	T           dclone.T      // the restore point; 0 and store.Newest: the newest
	Empty       bool          // the restore point is 0, that of a database that nothing was transacted to
	Concurrency int           // segments read and written at once; 0 is DefaultConcurrency
	Pace        time.Duration // Copy: each worker rests so long after a segment it wrote
	Full        bool          // Copy: believe no node that is there, mend what is missing or bad
	ReadAll     bool          // Verify: read every segment, not only those that lead to others
	Force       bool          // Restore: also where a transactor seems to be alive

	// AliveWait is how long Restore waits for a transactor to show that it is alive; 0 is
	// DefaultAliveWait.
	AliveWait time.Duration
	// Progress is told of every segment, by one worker at a time. Its Report has no Missing or Unreadable.
	Progress func(Report)
}

const (
	// DefaultConcurrency is Datomic's for backups in directories; it has 25 for S3.
	DefaultConcurrency = 5
	// DefaultAliveWait is longer than a transactor may be silent for before another takes over.
	DefaultAliveWait = 15 * time.Second
)

// A Report says what was done.
type Report struct {
	DatabaseID string
	T          dclone.T // of the restore point

	// Of Copy and Restore.
	Copied, Skipped int64 // segments written; segments that were there, those below them not counted
	Bytes           int64 // written
	Unchanged       bool  // Copy: this root was there already, and was not written again
	Restarts        int   // Copy: how often the source's garbage collection made it begin again

	// Newer are restore points of the backup that are newer than the one Copy has made. Where that is the
	// newest of its source, the source's history went back: an older t was restored over it. What it
	// was before is still the newest in the backup.
	Newer []dclone.T

	// Of Verify.
	Total      int64 // segments that something names
	Missing    []Bad // by id
	Unreadable []Bad // by id
}

// A Bad is a segment, or a root, that is not there or not what it should be.
type Bad struct {
	ID   string // "" for a root
	Kind string // what it should be
	File string
	Why  string
	// Leads says that others are below it. What it does not lead to any more was not looked at.
	Leads bool
}
