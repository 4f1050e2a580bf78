package live

import (
	"slices"

	"dclone"
	"dclone/eidmap"
	"dclone/fressian"
)

// claims mints the entities that Datomic might take for others, because a unique identity asserted on them is held.
func (m *making) claims(datoms []dclone.Datom) error {
	t := m.t
	holders := map[claim]dclone.EntityID{}
	asked := map[dclone.EntityID][]dclone.Datom{}
	for _, d := range datoms {
		if at := t.Schema.Attribute(d.A); at == nil || at.Unique != dclone.Kw("db.unique", "identity") {
			continue
		}
		c := claim{d.A, string(d.V)}
		if other, twice := holders[c]; twice && other != d.E {
			m.mintNew(d.E)
			m.mintNew(other)
		}
		holders[c] = d.E
		held, known := t.said[c]
		switch {
		case !d.Added || !m.new[d.E]:
		case known && held:
			m.mintNew(d.E)
		case !known && (!t.Unheld || d.A == dclone.AttrIdent):
			asked[d.A] = append(asked[d.A], d)
		}
	}
	for a, of := range asked {
		if err := m.ask(a, of); err != nil {
			return err
		}
	}
	for c := range holders {
		t.said[c] = false
	}
	for _, d := range datoms {
		if c := (claim{d.A, string(d.V)}); d.Added && holders[c] != 0 {
			t.said[c] = true
		}
	}
	return nil
}

// mintNew mints an entity that is new. An attribute has its place by what it is installed with.
func (m *making) mintNew(e dclone.EntityID) {
	if m.new[e] && !m.installs(e) {
		m.mint[e] = true
	}
}

// installs reports whether the work makes an attribute or a partition of e.
func (m *making) installs(e dclone.EntityID) bool {
	if e.Partition() != dclone.PartDB {
		return false
	}
	valueType, partition := m.t.entity("db", "valueType"), m.t.entity("db.install", "partition")
	return slices.ContainsFunc(m.w.Datoms, func(d dclone.Datom) bool {
		switch {
		case !d.Added:
		case d.A == valueType:
			return d.E == e && m.t.Schema.Attribute(e) != nil
		case d.A == partition:
			id, _, ok := fressian.Int(d.V)
			return ok && dclone.EntityID(id) == e
		}
		return false
	})
}

// ask looks values up in the clone.
func (m *making) ask(a dclone.EntityID, of []dclone.Datom) error {
	t := m.t
	clone, _, err := t.clone(a)
	if err != nil || clone < 0 {
		return err // nobody has values of what is not there yet
	}
	var values []dclone.Value
	var entities []dclone.EntityID
	for _, d := range of {
		open := false
		v, err := eidmap.Rewrite(nil, d.V, t.Schema.Refs(a), func(src dclone.EntityID) (dclone.EntityID, error) {
			id, _, err := m.id(src)
			open = open || id < 0
			return max(id, 0), err
		})
		if err != nil {
			return err
		}
		if !open { // nothing holds a ref to what is not there yet
			values, entities = append(values, v), append(entities, d.E)
		}
	}
	if len(values) == 0 {
		return nil
	}
	held, err := t.Clone.Held(clone, values)
	if err != nil {
		return err
	}
	for i, is := range held {
		if is {
			m.mintNew(entities[i])
		}
	}
	return nil
}
