package pro

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"dclone"
	"dclone/source"
	"dclone/store"
)

// A Conn is an open Datomic Pro database. A transactor may be writing to it.
type Conn struct {
	db    store.Database
	at    dclone.T // restore point, or store.Newest
	nodes *nodes
	born  []dclone.Tx // the bootstrap

	mu    sync.Mutex
	now   *roots
	stale bool // the store was asked for newer roots than now
}

var _ source.Conn = (*Conn)(nil)

// Open opens a database as of a restore point, or of store.Newest. Closing the Conn closes db.
func Open(ctx context.Context, db store.Database, t dclone.T) (*Conn, error) {
	c := &Conn{db: db, at: t, nodes: newNodes(db)}
	var seen store.Root
	for try := 0; ; try++ {
		err := c.open(ctx)
		if err == nil {
			return c, nil
		}
		if !errors.Is(err, store.ErrMissing) {
			return nil, err
		}
		next, again := db.Root(ctx, t)
		if again != nil || try == maxRenewals || try > 0 && sameRoot(next, seen) {
			return nil, err
		}
		seen = next
	}
}

func (c *Conn) open(ctx context.Context) error {
	r, err := readRoots(ctx, c.nodes, c.at, 0)
	if err != nil {
		return err
	}
	if c.born, err = c.bootstrap(ctx, r); err != nil {
		return err
	}
	r.basis = max(r.basis, c.Born())
	c.now = r
	return nil
}

// Close closes the store.
func (c *Conn) Close() error { return c.db.Close() }

// roots returns those of now.
func (c *Conn) roots() *roots {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// DatabaseID returns the name the database was created under, and a uuid.
func (c *Conn) DatabaseID() string { return c.roots().DatabaseID }

// Born returns the newest t of the bootstrap.
func (c *Conn) Born() dclone.T { return c.born[len(c.born)-1].T }

// Basis returns the t of the newest transaction.
func (c *Conn) Basis() dclone.T { return c.roots().basis }

// A changer is a store that can tell cheaply whether a database has changed since its root was read.
type changer interface {
	Changed(ctx context.Context) (bool, error)
}

// Refresh reads the roots again where the database has changed, and reports whether it has. The
// basis may be less than before, where an older t was restored. Snapshots stay what they are.
func (c *Conn) Refresh(ctx context.Context) (changed bool, err error) {
	if c.at != store.Newest {
		return false, nil // a restore point does not change
	}
	c.mu.Lock()
	old, stale := c.now, c.stale
	c.mu.Unlock()
	if s, ok := c.db.(changer); ok && !stale {
		if changed, err := s.Changed(ctx); err != nil || !changed {
			return false, err
		}
	}
	next, err := c.newRoots(ctx)
	if err != nil {
		return false, err
	}
	if next.DatabaseID != old.DatabaseID {
		return false, fmt.Errorf("read root of %s: database %s is there, not %s", c.db, next.DatabaseID, old.DatabaseID)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.stale = next, false
	return next.basis != old.basis || next.newID != old.newID || !sameRoot(next.Root, old.Root), nil
}

// newRoots reads those that are there now. From here on the store tells of changes since then.
func (c *Conn) newRoots(ctx context.Context) (*roots, error) {
	c.mu.Lock()
	c.stale = true
	c.mu.Unlock()
	for try := 0; ; try++ {
		r, err := readRoots(ctx, c.nodes, c.at, c.Born())
		if try == maxRenewals || !errors.Is(err, store.ErrMissing) {
			return r, err
		}
	}
}

func sameRoot(a, b store.Root) bool {
	return a.Index == b.Index && a.Log == b.Log && string(a.Tail) == string(b.Tail)
}

// maxRenewals bounds how often a reader takes up new roots without getting any further.
const maxRenewals = 5

// renew returns roots to go on with instead of old, of which a segment was missing: cause says which.
// The transaction at a t must still be the one it was. Where there is nothing else to read, the
// cause remains.
func (c *Conn) renew(ctx context.Context, old *roots, cause error) (next *roots, err error) {
	if !errors.Is(cause, store.ErrMissing) {
		return nil, cause
	}
	for try := 0; ; try++ {
		next, err = c.renewOnce(ctx, old, cause)
		// The newer roots may be outdated in their turn before their log was looked at.
		if try == maxRenewals || err == cause || !errors.Is(err, store.ErrMissing) {
			return next, err
		}
	}
}

func (c *Conn) renewOnce(ctx context.Context, old *roots, cause error) (*roots, error) {
	next, err := c.newRoots(ctx)
	switch {
	case err != nil:
		return nil, err
	case next.Index == old.Index && next.Log == old.Log:
		return nil, cause
	case next.DatabaseID != old.DatabaseID:
		return nil, fmt.Errorf("read %s again: %w", c.db, errWentBack)
	}
	for tx, err := range c.txs(ctx, next, old.basis, old.basis) {
		if err != nil {
			return nil, err
		}
		if tx.ID == old.newID {
			next.basis, next.newID = old.basis, old.newID
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.now == old {
				c.now = next
			}
			return next, nil
		}
	}
	return nil, fmt.Errorf("read %s again: t %d: %w", c.db, old.basis, errWentBack)
}
