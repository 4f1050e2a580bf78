// Package schema folds the datoms of a log into what they say of attributes and idents.
//
// Two rules are Datomic's own and differ from what current datoms would say. A keyword names the
// entity that was the last to be given it, and goes on naming it when the ident is retracted or
// replaced. And an entity's name is the ident it was given last.
package schema

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"dclone"
	"dclone/fressian"
)

// A Schema is what the transactions applied so far say. Its zero value is ready; the first
// transactions applied to it must be those of the bootstrap, because attributes such as
// :db/valueType are known to it only by their idents.
type Schema struct {
	attrs map[dclone.EntityID]*dclone.Attribute
	byKw  map[dclone.Keyword]dclone.EntityID
	roles map[dclone.EntityID]role
}

// A role is what an attribute of the bootstrap means to a Schema.
type role func(s *Schema, a *dclone.Attribute, v any, added bool)

var roles = map[dclone.Keyword]role{
	dclone.Kw("db", "ident"):             nil, // see applyIdent
	dclone.Kw("db", "valueType"):         ref(func(a *dclone.Attribute) *dclone.Keyword { return &a.ValueType }),
	dclone.Kw("db", "unique"):            ref(func(a *dclone.Attribute) *dclone.Keyword { return &a.Unique }),
	dclone.Kw("db", "cardinality"):       applyCardinality,
	dclone.Kw("db", "isComponent"):       flag(func(a *dclone.Attribute) *bool { return &a.IsComponent }),
	dclone.Kw("db", "noHistory"):         flag(func(a *dclone.Attribute) *bool { return &a.NoHistory }),
	dclone.Kw("db", "doc"):               applyDoc,
	dclone.Kw("db", "tupleType"):         applyTupleType,
	dclone.Kw("db", "tupleTypes"):        list(func(a *dclone.Attribute) *[]dclone.Keyword { return &a.TupleTypes }),
	dclone.Kw("db", "tupleAttrs"):        list(func(a *dclone.Attribute) *[]dclone.Keyword { return &a.TupleAttrs }),
	dclone.Kw("db.install", "attribute"): nil, // see applyInstall
}

// Relevant reports whether d can change the schema: it gives an entity of the db partition a
// builtin's property. Only such datoms need be kept to build the same Schema again.
func (s *Schema) Relevant(d dclone.Datom) bool {
	if d.E.Partition() != dclone.PartDB {
		return false
	}
	if d.A == dclone.AttrIdent {
		return true
	}
	_, ok := s.roles[d.A]
	return ok
}

// Apply adds the transaction that datoms belong to; datoms that are not of the schema are
// passed over. It fails where a value is not of the type its attribute demands.
func (s *Schema) Apply(datoms []dclone.Datom) error {
	var installed []dclone.EntityID
	for _, d := range datoms {
		if !s.Relevant(d) {
			continue
		}
		v, rest, err := fressian.Decode(d.V)
		if err != nil || len(rest) > 0 {
			return fmt.Errorf("read schema: attribute %d of entity %d at t %d: value is damaged", d.A, d.E, d.Tx.T())
		}
		switch r := s.roles[d.A]; {
		case d.A == dclone.AttrIdent:
			s.applyIdent(d.E, v, d.Added)
		case r != nil:
			r(s, s.attr(d.E), v, d.Added)
		default:
			if id, ok := v.(int64); ok && d.Added {
				s.attr(dclone.EntityID(id)).Installed = true
				installed = append(installed, dclone.EntityID(id))
			}
		}
	}
	for _, id := range installed {
		s.setRefs(s.attrs[id])
	}
	return nil
}

func (s *Schema) attr(e dclone.EntityID) *dclone.Attribute {
	a := s.attrs[e]
	if a == nil {
		if s.attrs == nil {
			s.attrs = map[dclone.EntityID]*dclone.Attribute{}
		}
		a = &dclone.Attribute{ID: e}
		s.attrs[e] = a
	}
	return a
}

func (s *Schema) applyIdent(e dclone.EntityID, v any, added bool) {
	kw, ok := v.(dclone.Keyword)
	if !ok || !added {
		return
	}
	if s.byKw == nil {
		s.byKw, s.roles = map[dclone.Keyword]dclone.EntityID{}, map[dclone.EntityID]role{}
	}
	s.byKw[kw] = e
	s.attr(e).Ident = kw
	if r, ok := roles[kw]; ok {
		s.roles[e] = r
	}
}

// setRefs finds where the values of an attribute hold entity ids. A composite tuple's parts
// are looked up by the names they had when it was installed.
func (s *Schema) setRefs(a *dclone.Attribute) {
	typeRef := dclone.Kw("db.type", "ref")
	switch {
	case a.ValueType == typeRef:
		a.Refs = dclone.WholeRef
	case a.TupleType == typeRef:
		a.Refs = dclone.AllRefs
	default:
		types := a.TupleTypes
		for _, kw := range a.TupleAttrs {
			part := s.attrs[s.byKw[kw]]
			if part == nil {
				part = new(dclone.Attribute)
			}
			types = append(types[:len(types):len(types)], part.ValueType)
		}
		for i, t := range types {
			if t == typeRef && i < 62 {
				a.Refs |= 1 << i
			}
		}
	}
}

// Attribute returns what is known of an attribute, nil where no such one is installed.
func (s *Schema) Attribute(id dclone.EntityID) *dclone.Attribute {
	if a := s.attrs[id]; a != nil && a.Installed {
		return a
	}
	return nil
}

// Refs returns which parts of an attribute's values are entity ids.
func (s *Schema) Refs(id dclone.EntityID) dclone.Refs {
	if a := s.attrs[id]; a != nil {
		return a.Refs
	}
	return dclone.NoRefs
}

// Entity returns the entity of the db partition that a keyword names.
func (s *Schema) Entity(kw dclone.Keyword) (dclone.EntityID, bool) {
	e, ok := s.byKw[kw]
	return e, ok
}

// Ident returns the name of an entity of the db partition, zero where it has none.
func (s *Schema) Ident(e dclone.EntityID) dclone.Keyword {
	if a := s.attrs[e]; a != nil {
		return a.Ident
	}
	return dclone.Keyword{}
}

// Attributes yields the installed attributes by id.
func (s *Schema) Attributes() iter.Seq[*dclone.Attribute] {
	return func(yield func(*dclone.Attribute) bool) {
		for _, id := range slices.Sorted(maps.Keys(s.attrs)) {
			if a := s.attrs[id]; a.Installed && !yield(a) {
				return
			}
		}
	}
}
