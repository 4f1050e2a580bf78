// Package store is where the segments of Datomic Pro databases lie.
//
// Datomic Pro keeps a database as segments: values that never change, each under an id of its
// own, the nodes and leaves of its indexes and its log. A root names the segments to begin with. A
// backup holds segments and a root for each point in time that can be restored; a storage
// holds those of all its databases, and for each the roots of now.
//
// What a segment means, package datomic/segment knows. Here they are bytes, as they are stored:
// gzip, mostly.
package store

import (
	"context"
	"errors"

	"dclone"
)

var (
	// ErrMissing says that a store has no such segment, file or row.
	ErrMissing = errors.New("it is not there")
	// ErrNoRoot says that a store has no root for the t asked for, or none at all.
	ErrNoRoot = errors.New("no such restore point")
	// ErrNoDatabase says that there is no backup, or that a storage has no such database.
	ErrNoDatabase = errors.New("no such database")
	// ErrLocked says that another process writes there.
	ErrLocked = errors.New("another process is writing there")
)

// Newest asks for the newest root there is.
const Newest dclone.T = -1

// Segments are read by their ids. Many goroutines may do so at once.
type Segments interface {
	// Segment returns the bytes of a segment as they are stored. The error wraps ErrMissing where
	// there is none; it names the segment and where it was looked for.
	Segment(ctx context.Context, id string) ([]byte, error)
}

// A Database is the segments of one database, and its roots.
type Database interface {
	Segments
	// Points returns the restore points, newest first; a storage has none.
	Points(ctx context.Context) ([]dclone.T, error)
	// Root returns the root at a restore point, or the Newest. The error wraps ErrNoRoot where there
	// is none.
	Root(ctx context.Context, t dclone.T) (Root, error)
	// String returns the address, without passwords.
	String() string
	Close() error
}

// A Root is where a database, as of some t, begins.
type Root struct {
	DatabaseID string   // the name it was created under, and a uuid
	T          dclone.T // of the restore point; Newest where it is that of a storage
	Index, Log string   // segments
	Tail       []byte   // transactions behind those of Log; not gzip

	Version, IndexVersion, LogVersion int // of the backup's format, 0 in a storage; of the two trees
}

// MaxFile bounds a file of a backup. Segments have some 50 kB; a root may carry a log tail as big as
// a transactor's memory index.
const MaxFile = 1 << 30

// Files are what a backup lies in: bytes under keys that pass CheckKey and keep their case. Many
// goroutines may use one at once. The bytes handed over and those returned are the caller's.
type Files interface {
	// Get returns a file. The error wraps ErrMissing where there is none.
	Get(ctx context.Context, key string) ([]byte, error)
	// Put writes a file: whole and durable when it returns, its directory entry included, and never
	// seen in part. It replaces one that is there. So what refers to others, written after they were
	// Put, is never there without them.
	Put(ctx context.Context, key string, data []byte) error
	// Create is Put for a file that must not be there; it reports false, and writes nothing, where
	// one is.
	Create(ctx context.Context, key string, data []byte) (bool, error)
	// Has reports whether there is a file.
	Has(ctx context.Context, key string) (bool, error)
	// List returns the names of the files directly below dir, in no order; none where there is no dir.
	List(ctx context.Context, dir string) ([]string, error)
	// Lock is called before anything is written. It keeps other processes that call it out until
	// Close, where the store has such locks; its error wraps ErrLocked where it is kept out itself.
	Lock(ctx context.Context) error
	// String returns the address, without passwords.
	String() string
	Close() error
}
