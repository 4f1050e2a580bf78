package verify

import (
	"dclone"
	"dclone/fit"
	"dclone/schema"
)

// A side is what one pass gathers of one database.
type side struct {
	columns map[dclone.EntityID]*column // by the side's own attributes
	last    *column
	schema  schema.Schema
	fit     *fit.Fit         // of the source's side
	born    dclone.T         // the newest t of the bootstrap
	idents  map[string]named // what keywords name, by their bytes
	pile    *pile
	sums    bool
	key     []byte // of the datom at hand
}

// A column is what is gathered of one attribute.
type column struct {
	a       dclone.EntityID // the side's
	clone   dclone.EntityID // the clone's
	mapped  bool            // false where an attribute of the source has no clone
	skipped bool            // it is not compared as such
	wanted  bool            // its datoms go to the pile

	// Of the source's side.
	fit     fit.Column
	refs    dclone.Refs
	text    bool // its values are strings
	builtin bool // it is a builtin, and installs nothing

	count     int64 // asserted less retracted, the bootstrap's excepted
	sum       sum
	lostCount int64 // the same of datoms whose entities have no clone: they must all be gone
	lost      sum
}

// named is the entity that a keyword names: the one that got it last.
type named struct {
	src, clone dclone.EntityID
	mapped     bool
	t          dclone.T
}

func newSide(p *pass, db Database) *side {
	s := &side{born: db.Born(), columns: map[dclone.EntityID]*column{}, idents: map[string]named{}, sums: p.sums}
	if p.wanted != nil {
		s.pile = newPile(p.run.opt.MaxMemory/4, p.run.opt.TempDir) // a slice that grows takes twice its bytes
	}
	return s
}

// column returns the column of an attribute; found makes one.
func (s *side) column(a dclone.EntityID, found func(*column) error) (*column, error) {
	if s.last != nil && s.last.a == a {
		return s.last, nil
	}
	c := s.columns[a]
	if c == nil {
		c = &column{a: a}
		if err := found(c); err != nil {
			return nil, err
		}
		s.columns[a] = c
	}
	s.last = c
	return c, nil
}

// take takes in a datom of e and t whose key is s.key.
func (s *side) take(c *column, e dclone.EntityID, t dclone.T, f flags) error {
	a := c.clone
	count, sum := &c.count, &c.sum
	if f&unmapped != 0 {
		a, count, sum = c.a, &c.lostCount, &c.lost
	}
	if f&born == 0 {
		if f&added != 0 {
			*count++
		} else {
			*count--
		}
	}
	if s.sums {
		sum.add(s.key, f&added != 0)
	}
	if c.wanted {
		return s.pile.add(record{flags: f, e: e, a: a, t: t, v: s.key[entitySize:]})
	}
	return nil
}

// flagsOf returns the flags of a datom. The first copy is what the source had up to a t, and what
// the clone has up to another.
func (s *side) flagsOf(d *dclone.Datom, upTo dclone.T) flags {
	var f flags
	if d.Added {
		f |= added
	}
	switch t := d.Tx.T(); {
	case t <= s.born:
		f |= born
	case t <= upTo:
		f |= firstCopy
	}
	return f
}
