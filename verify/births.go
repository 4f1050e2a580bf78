package verify

import (
	"context"
	"slices"

	"dclone"
	"dclone/datomic/local"
	"dclone/schema"
)

// births is what source and clone were born with: their bootstraps.
type births struct {
	ids    map[dclone.EntityID]dclone.EntityID // builtins, source to clone
	clones map[dclone.EntityID]bool            // builtins of the clone
	alike  bool                                // the source was born with all that the clone was
	src    builtins
	clone  builtins
}

// builtins are the attributes that mean something to verify.
type builtins struct{ txInstant, alter dclone.EntityID }

// A birth is the bootstrap of one database.
type birth struct {
	schema schema.Schema
	datoms []dclone.Datom
}

func readBirths(ctx context.Context, src, clone Database) (*births, error) {
	s, err := readBirth(ctx, src)
	if err != nil {
		return nil, dclone.InSource(err)
	}
	c, err := readBirth(ctx, clone)
	if err != nil {
		return nil, dclone.InDest(err)
	}
	b := &births{ids: map[dclone.EntityID]dclone.EntityID{}, clones: map[dclone.EntityID]bool{},
		alike: s.hasAll(c), src: s.builtins(), clone: c.builtins()}
	for _, d := range s.datoms {
		for _, e := range []dclone.EntityID{d.E, d.Tx} {
			if clone, ok := c.entity(s, e); ok {
				b.ids[e] = clone
				b.clones[clone] = true
			}
		}
	}
	return b, nil
}

func readBirth(ctx context.Context, db Database) (*birth, error) {
	b := new(birth)
	for tx, err := range db.Txs(ctx, 0) {
		if err != nil {
			return nil, err
		}
		if tx.T > local.BootstrapT {
			break
		}
		if err := b.schema.Apply(tx.Datoms); err != nil {
			return nil, err
		}
		for _, d := range tx.Datoms {
			d.V = slices.Clone(d.V)
			b.datoms = append(b.datoms, d)
		}
	}
	return b, nil
}

// entity finds the entity that stands for one of another bootstrap: by its ident, or by its t.
func (b *birth) entity(other *birth, e dclone.EntityID) (dclone.EntityID, bool) {
	if e.IsTx() {
		return e, e.T() <= local.BootstrapT
	}
	return b.schema.Entity(other.schema.Ident(e))
}

// hasAll reports whether b has every datom of c, as it is.
func (b *birth) hasAll(c *birth) bool {
	has := map[bornDatom]bool{}
	for _, d := range b.datoms {
		has[bornDatom{d.E, d.A, string(d.V), d.Added}] = true
	}
	for _, d := range c.datoms {
		if !has[bornDatom{d.E, d.A, string(d.V), d.Added}] {
			return false
		}
	}
	return true
}

type bornDatom struct {
	e, a  dclone.EntityID
	v     string
	added bool
}

func (b *birth) builtins() builtins {
	id := func(ns, name string) dclone.EntityID {
		e, ok := b.schema.Entity(dclone.Kw(ns, name))
		if !ok {
			return -1
		}
		return e
	}
	return builtins{txInstant: id("db", "txInstant"), alter: id("db.alter", "attribute")}
}
