package live

import (
	"dclone"
	"dclone/datomic/live"
)

// Held reports which of some values are held in the clone.
func (c *Clone) Held(a dclone.EntityID, values []dclone.Value) ([]bool, error) {
	if _, err := c.conn.DB.Refresh(c.ctx); err != nil {
		return nil, err
	}
	found, err := c.conn.DB.Lookup(c.ctx, a, values)
	if err != nil {
		return nil, err
	}
	held := make([]bool, len(values))
	for i, e := range found {
		held[i] = e != 0
	}
	return held, nil
}

// Ident returns the builtin of a name.
func (c *Clone) Ident(kw dclone.Keyword) dclone.EntityID { return c.born.idents[kw] }

// MaxDatoms returns how many datoms a transaction may have: what takes long to transact runs into time limits.
func (c *Clone) MaxDatoms() int { return c.opt.MaxDatoms }

// MaxString returns how long a string may be. Datomic Local and Cloud say so.
func (c *Clone) MaxString() int {
	switch c.born.kind {
	case live.KindPeer, live.KindPeerServer:
		return 0
	}
	return 4096
}
