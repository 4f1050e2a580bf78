package verify

import (
	"context"
	"slices"

	"dclone"
	"dclone/datomic/live"
	"dclone/datomic/local"
	"dclone/fit"
	"dclone/schema"
)

// births is what source and clone were born with: their bootstraps.
type births struct {
	alike  bool           // the source was born with all that the clone was; where a running Datomic writes that, with no more
	datoms []dclone.Datom // of the source's bootstrap
	src    builtins
	clone  builtins

	kind     fit.Clone                // the clone's
	has      map[dclone.EntityID]bool // of the clone's base schema
	upgrades map[dclone.T]bool        // of it, behind the bootstrap
}

// builtins are the attributes that mean something to verify, -1 where there is none.
type builtins struct{ txInstant, alter, doc, preds, unique, index dclone.EntityID }

// A birth is the bootstrap of one database.
type birth struct {
	schema   schema.Schema
	datoms   []dclone.Datom // those of upgrades as if they were of the last transaction
	upgrades map[dclone.T]bool
}

// A kind is that of a clone whose bootstrap only it can tell.
type kind struct {
	*birth
	name string // as package datomic/live has it
}

// KindName names the kind.
func (k kind) KindName() string { return k.name }

// Transacts reports that some datoms would have been commands.
func (k kind) Transacts() bool { return true }

// EachBorn calls f with the datoms of the bootstrap.
func (k kind) EachBorn(f func(dclone.Datom)) {
	for _, d := range k.datoms {
		f(d)
	}
}

// HasType reports whether attributes of a value type can have values.
func (k kind) HasType(valueType dclone.Keyword) bool {
	if k.name == live.KindLocal {
		return local.Kind{}.HasType(valueType)
	}
	_, ok := k.schema.Entity(valueType)
	return ok
}

// readBirths reads both bootstraps. Where the clone is not of a running Datomic, its kind is "".
func readBirths(ctx context.Context, src, clone Database, of string) (*births, error) {
	s, err := readBirth(ctx, src)
	if err != nil {
		return nil, dclone.InSource(err)
	}
	c, err := readBirth(ctx, clone)
	if err != nil {
		return nil, dclone.InDest(err)
	}
	b := &births{alike: s.hasAll(c), datoms: s.datoms, src: s.builtins(), kind: local.Kind{}, has: map[dclone.EntityID]bool{}}
	if of != "" {
		if err := c.addUpgrades(ctx, clone); err != nil {
			return nil, dclone.InDest(err)
		}
		b.kind, b.upgrades, b.alike = kind{c, of}, c.upgrades, b.alike && c.hasAll(s)
	}
	b.clone = c.builtins()
	for _, d := range c.datoms {
		b.has[d.E] = true
	}
	return b, nil
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
	return builtins{txInstant: id("db", "txInstant"), alter: id("db.alter", "attribute"), doc: id("db", "doc"),
		preds:  id("db.attr", "preds"),
		unique: id("db", "unique"), index: id("db", "index")}
}
