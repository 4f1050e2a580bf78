// Package replay carries transactions into a clone: those of a first copy, and after it those of
// the source's log, through one loop.
//
// A group is the transactions that become durable together. In replay it goes: write the intent
// to the sidecar, write the group, make it durable, commit position and bindings. While a
// first copy is loading nobody else sees the clone, so the intent can be left out: what a crash
// leaves is cut back to the last commit.
package replay

import (
	"errors"

	"dclone"
	"dclone/eidmap"
	"dclone/state"
)

// A Clone is what transactions are written to. An error of Append or Sync leaves open what is
// written; the sidecar and the clone tell the next run.
type Clone interface {
	// Append writes encoded transactions, given back to back with the length of each, in order.
	Append(frames []byte, lengths []int) error
	// Sync makes what was appended durable.
	Sync() error
	// Mark returns the newest transaction that was appended.
	Mark() (dclone.Mark, error)
}

// A Binder is a Clone that gives out the ids itself: what they are is known when a group is written.
// Its intents have the frames in them.
type Binder interface {
	Clone
	// Bound returns the ids of the group that was appended.
	Bound() []eidmap.Run
}

// A Store is where commits go.
type Store interface {
	Update(func(*state.Tx) error) error
	View(func(*state.Tx) error) error
}

// A Step is transactions, encoded, and what is true when they are in the clone. It is good until
// the next is asked for.
type Step struct {
	Frames  []byte // back to back
	Lengths []int  // bytes of each
	Datoms  int64

	Source     dclone.T // the source's transaction that this carries; 0 in a first copy
	Cursor     int64    // where a first copy goes on behind this; 0 where the clone's t tells
	Ends       bool     // the group ends with it: what is next made of the source needs it in the clone
	Next       eidmap.First
	Runs       []eidmap.Run
	Schema     []dclone.Datom
	NotCarried []dclone.NotCarried
}

// ErrStopped says that the run was told to stop, and did so between two groups.
var ErrStopped = errors.New("stopped")
