// Package snapshot cuts the present state of a source into the transactions of a first copy.
//
// They come in one agreed order, so that a first copy that was interrupted can go on at any of
// them, and comes out the same byte for byte:
//
//  1. the bootstrap;
//  2. one empty transaction, with its own instant, for each of the source's transaction entities
//     that is needed: it has data of its own, or something refers to it;
//  3. attributes in the order they were installed, each with all the schema says of it, and
//     between them the idents that were given to entities later, because a keyword names the entity
//     that got it last;
//  4. the datoms of one attribute after the other, builtins first, then by ident, each
//     attribute's by source entity and value, batched.
//
// (3) and (4) carry the greatest instant of the source: replay can keep true instants afterwards.
//
// Every entity's id is known before anything is written (eidmap.Assignment): so transactions can be
// made in parallel, and refs may point forward, backward and in circles.
package snapshot

import (
	"context"
	"iter"

	"dclone"
	"dclone/fit"
	"dclone/schema"
	"dclone/source"
)

// A Source is the database value that is copied; source.Snapshot says more.
type Source interface {
	Basis() dclone.T
	Born() dclone.T
	MaxInstant() dclone.Instant
	Schema() *schema.Schema
	SchemaDatoms() []dclone.Datom
	Attributes() []source.AttributeCount
	Current(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error]
	Holders(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error]
	History(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error]
}

// A Dest is what a first copy must know of the clone it is made for. Its methods may be called
// by many goroutines at once.
type Dest interface {
	fit.Clone
	// Bootstrap returns the transactions every database of its kind is born with, and the ids
	// and the t that come next.
	Bootstrap() (frames []byte, lengths []int, next Next)
	// Same reports whether one transaction cannot hold both values of one entity and attribute,
	// because the clone takes them for equal.
	Same(a, b dclone.Value) bool
	// Encode appends tx, whose ids are the clone's, as it will be stored.
	Encode(dst []byte, tx *dclone.Tx) ([]byte, error)
}

// Options shape the transactions of a first copy. They must not change while one is under way.
type Options struct {
	MaxBatchSize int        // datoms in a transaction
	TxEntities   TxEntities // which transaction entities stay transaction entities
	Jobs         int        // goroutines; changes nothing that is written
	// SourceIDs leaves all ids as they are in the source, for a clone that gives out its own; attributes
	// whose values refer to entities come last then.
	SourceIDs bool
}

// TxEntities says which of the source's transaction entities stay such in the clone.
type TxEntities string

// The choices for transaction entities. With TxNone those that are needed become ordinary
// entities, without their instant.
const (
	TxUsed TxEntities = "used"
	TxAll  TxEntities = "all"
	TxNone TxEntities = "none"
)
