// Package source says what dclone asks of a database that is read, whatever it is stored in.
//
// Its packages read one kind each. None writes to what it reads, nor takes a lock that would
// stop the owner.
package source

import (
	"context"
	"errors"
	"iter"

	"dclone"
	"dclone/schema"
)

// ErrNoTx says that a source has no transaction of the t asked for.
var ErrNoTx = errors.New("no such transaction")

// A Conn is an open source. What is committed after it was opened is not seen.
type Conn interface {
	// DatabaseID returns what the source calls itself, "" where it has no name of its own.
	DatabaseID() string
	// Born returns the newest t of the transactions the source was born with.
	Born() dclone.T
	// Basis returns the source's basis-t.
	Basis() dclone.T
	// First returns the digest of the first transaction after the bootstrap, zero where there is none.
	First(key dclone.DigestKey) (dclone.Digest, error)
	// Fingerprint returns that of transaction t. The error wraps ErrNoTx where there is no t.
	Fingerprint(key dclone.DigestKey, t dclone.T) (dclone.Fingerprint, error)
	// Txs yields the transactions from a t on, in order, up to the basis; from 0 on, those the
	// source was born with are the first. A Tx is good until the next is asked for.
	Txs(ctx context.Context, from dclone.T) iter.Seq2[*dclone.Tx, error]
	// Snapshot returns the database as of t.
	Snapshot(ctx context.Context, t dclone.T, opt Options) (Snapshot, error)
	Close() error
}

// Options change how fast a snapshot is read and how much memory that takes, not what it holds.
type Options struct {
	Jobs      int    // goroutines
	MaxMemory int64  // bytes
	TempDir   string // for what MaxMemory has no room for
}

// A Snapshot is a database value.
type Snapshot interface {
	// Basis returns the t it was asked for, or the greatest one before it.
	Basis() dclone.T
	// Born is Conn.Born.
	Born() dclone.T
	// MaxInstant returns the greatest instant of its transactions.
	MaxInstant() dclone.Instant
	// Schema returns the schema.
	Schema() *schema.Schema
	// SchemaDatoms returns the datoms of all time that entities of the db partition have of builtin
	// attributes, those the source was born with among them, in the order of the log.
	SchemaDatoms() []dclone.Datom
	// Attributes returns the attributes that datoms have, by id, with the number of datoms of
	// all time.
	Attributes() []AttributeCount
	// Current yields the datoms of one attribute that hold, by entity and value, in slices that
	// are good until the next is asked for. Several goroutines may read an attribute each.
	Current(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error]
	// Holders is Current for who wants to know which entities have the attribute: V and Tx may be
	// left out where they need not be read.
	Holders(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error]
	// History yields, in the same way, the datoms of all time, by entity and then by t.
	History(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error]
	Close() error
}

// An AttributeCount tells how many datoms a database has of an attribute.
type AttributeCount struct {
	A     dclone.EntityID
	Count int64
}
