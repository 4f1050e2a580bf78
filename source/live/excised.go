package live

import (
	"context"

	"dclone"
	"dclone/datomic/live"
)

// Excised reports whether the database has a transaction at or after a t that asks for an excision. What that took away may
// have been of any time.
func (c *Conn) Excised(ctx context.Context, from dclone.T) (bool, error) {
	for _, tx := range c.born {
		for _, d := range tx.Datoms {
			if d.A != dclone.AttrIdent || !d.Added {
				continue
			}
			kw, err := keyword(d)
			if err != nil {
				return false, err
			}
			if kw == dclone.Kw("db", "excise") {
				return c.has(ctx, d.E, from)
			}
		}
	}
	return false, nil
}

// has reports whether an attribute has datoms of a t, or of a later one.
func (c *Conn) has(ctx context.Context, a dclone.EntityID, from dclone.T) (bool, error) {
	for datoms, err := range c.db.Datoms(ctx, live.Range{Attr: a, At: c.Basis(), History: true, Chunk: c.opt.Chunk}) {
		if err != nil {
			return false, err
		}
		for _, d := range datoms {
			if d.Tx.T() >= from {
				return true, nil
			}
		}
	}
	return false, nil
}
