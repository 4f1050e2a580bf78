package pro

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"dclone"
	"dclone/datomic/segment"
	"dclone/store"
)

// roots are what a database begins with at one time, and what Open finds out from them.
type roots struct {
	store.Root
	index *segment.IndexRoot
	tail  []logPart
	basis dclone.T
	newID [16]byte // of the newest transaction

	pending *excisions // nil until they were looked for
}

// versions of formats that are known.
var versions = []struct {
	of       string
	least    int
	greatest int
	in       func(*roots) int
}{
	{"backup", 0, 3, func(r *roots) int { return r.Version }},
	{"log", 0, 3, func(r *roots) int { return r.LogVersion }},
	{"index", 0, 2, func(r *roots) int { return r.IndexVersion }},
	{"index root", 1, 2, func(r *roots) int { return r.index.Version }},
}

// readRoots reads the roots that lead to a t.
func readRoots(ctx context.Context, n *nodes, t dclone.T, born dclone.T) (*roots, error) {
	root, err := n.db.Root(ctx, t)
	if err != nil {
		return nil, err
	}
	r := &roots{Root: root}
	if r.index, err = node(ctx, n, r.Index, segment.ParseIndexRoot); err != nil {
		return nil, err
	}
	for _, v := range versions {
		if have := v.in(r); have < v.least || have > v.greatest {
			return nil, fmt.Errorf("read root of %s: %s version %d is not known, only up to %d", n.db, v.of, have, v.greatest)
		}
	}
	var last *dclone.Tx
	if r.tail, last, err = splitTail(r.Tail); err != nil {
		return nil, fmt.Errorf("read log tail of %s: %w", n.db, err)
	}
	if last == nil {
		if last, err = (logReader{r, n}).newest(ctx); err != nil {
			return nil, err
		}
	}
	r.basis = born
	if last != nil {
		r.basis, r.newID = last.T, last.ID
	}
	if r.T > r.basis && last != nil {
		err := fmt.Errorf("the log ends at t %d, before the restore point", r.basis)
		return nil, fmt.Errorf("read root at t %d of %s: %w", r.T, n.db, &segment.DamageError{Kind: "log tail", Err: err})
	}
	return r, nil
}

// newest returns the newest transaction of the log's tree, nil where it has none.
func (l logReader) newest(ctx context.Context) (*dclone.Tx, error) {
	var end logPart
	for part, err := range l.leaves(ctx, maxT-1, maxT-1) {
		if err != nil {
			return nil, err
		}
		end = part
	}
	if end.leaf == "" {
		return nil, nil
	}
	b, err := l.parse(ctx, end)
	if err != nil {
		return nil, err
	}
	tx := b.txs[len(b.txs)-1]
	return &tx, nil
}

// uuidText is a transaction's id as text, "" where it has none.
func uuidText(id [16]byte) string {
	if id == ([16]byte{}) {
		return ""
	}
	return uuid.UUID(id).String()
}

// errWentBack says that a storage no longer has the transactions a reader is at.
var errWentBack = errors.New("its history is another one now")
