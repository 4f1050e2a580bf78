package verify

import (
	"context"
	"slices"

	"dclone"
	"dclone/schema"
)

// births is what source and clone were born with: their bootstraps.
type births struct {
	alike  bool           // the source was born with all that the clone was
	datoms []dclone.Datom // of the source's bootstrap
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
	return &births{alike: s.hasAll(c), datoms: s.datoms, src: s.builtins(), clone: c.builtins()}, nil
}

func readBirth(ctx context.Context, db Database) (*birth, error) {
	b := new(birth)
	for tx, err := range db.Txs(ctx, 0) {
		if err != nil {
			return nil, err
		}
		if tx.T > db.Born() {
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
