package live

import (
	"errors"
	"fmt"
	"slices"

	"dclone"
	"dclone/datomic/local"
	"dclone/eidmap"
	"dclone/fressian"
	"dclone/replay"
)

// A making is a work on its way to be frames.
type making struct {
	t     *Translator
	w     *Work
	self  bool // the transaction stands for w.Self
	forms []form
	new   map[dclone.EntityID]bool // entities without clone that something is asserted of
	mint  map[dclone.EntityID]bool // entities that need an id before
}

// frames translates w.
func (t *Translator) frames(w *Work) ([]*frame, error) {
	m := &making{t: t, w: w, new: map[dclone.EntityID]bool{}, mint: map[dclone.EntityID]bool{}}
	if w.Instant < t.instant && w.Self != 0 {
		t.note(t.name("txInstant"), ReasonLater, w.T)
	}
	t.instant = max(t.instant, w.Instant)
	if w.Self != 0 {
		// Something may have referred to the number of this transaction before there was one.
		_, known, err := t.clone(w.Self)
		if err != nil {
			return nil, err
		}
		if m.self = !known; known {
			t.note(t.name("txInstant"), ReasonOrdinary, w.T)
		}
	}
	datoms, err := m.choose()
	if err != nil {
		return nil, err
	}
	for _, d := range datoms {
		if err := m.add(d); err != nil {
			return nil, fmt.Errorf("entity %d, attribute %d: %w", d.E, d.A, err)
		}
	}
	if err := m.claims(datoms); err != nil {
		return nil, err
	}
	helpers, err := m.indexes(datoms)
	return append(helpers, m.cut()...), err
}

// choose returns the datoms of the work that are to be said, those that bring composite tuples about among them.
func (m *making) choose() ([]dclone.Datom, error) {
	var chosen, composites []dclone.Datom
	for _, d := range m.w.Datoms {
		kind, err := m.judge(d)
		if err != nil {
			return nil, err
		}
		switch kind {
		case said:
			chosen = append(chosen, d)
			if d.Added {
				if _, known, err := m.id(d.E); err != nil {
					return nil, err
				} else if !known {
					m.new[d.E] = true
				}
			}
		case composite:
			composites = append(composites, d)
		}
	}
	chosen = m.withoutImplied(chosen)
	for _, d := range composites {
		if d.Added {
			part, ok, err := m.t.part(d, chosen)
			if err != nil {
				return nil, err
			}
			if ok {
				chosen = append(chosen, part)
			}
		}
	}
	return chosen, nil
}

// withoutImplied leaves out retractions that Datomic adds by itself, where it must: of what is replaced with an equal value
// in another form, because it takes the two for a contradiction when both are said; and of what defines an attribute,
// because that cannot be without for the time of a part.
func (m *making) withoutImplied(datoms []dclone.Datom) []dclone.Datom {
	type place struct{ e, a dclone.EntityID }
	now := map[place]dclone.Value{}
	for _, d := range datoms {
		if at := m.t.Schema.Attribute(d.A); d.Added && at != nil && !at.Many {
			now[place{d.E, d.A}] = d.V
		}
	}
	return slices.DeleteFunc(datoms, func(d dclone.Datom) bool {
		v, replaced := now[place{d.E, d.A}]
		return !d.Added && replaced && (m.defines(d) || local.CompareValues(v, d.V) == 0)
	})
}

// defines reports whether d is said of an attribute by a builtin. Names are no part of it: they may move.
func (m *making) defines(d dclone.Datom) bool {
	_, builtin := m.t.Fit.Builtin(d.A)
	return builtin && d.A != dclone.AttrIdent && m.t.Schema.Attribute(d.E) != nil
}

// A judgement says what becomes of a datom.
type judgement int

const (
	dropped judgement = iota
	said
	composite
)

// judge decides about a datom, and notes what is lost with it.
func (m *making) judge(d dclone.Datom) (judgement, error) {
	t := m.t
	c, ok := t.columns[d.A]
	if !ok {
		c = t.Fit.Column(d.A)
		t.columns[d.A] = c
	}
	lost := func(attribute, reason string) (judgement, error) {
		if d.Added && reason != "" {
			t.note(attribute, reason, m.w.T)
		}
		return dropped, nil
	}
	if d.A == t.entity("db", "excise") {
		return lost(t.Schema.Ident(d.A).String(), replay.ReasonExcised)
	}
	if why, refused := c.Refuses(d); refused {
		if err := t.missing(d); err != nil {
			return dropped, err
		}
		return lost(why.Attribute, why.Reason)
	}
	at := t.Schema.Attribute(d.A)
	_, builtin := t.Fit.Builtin(d.A)
	_, onBuiltin := t.Fit.Builtin(d.E)
	switch ident := t.Schema.Ident(d.A); {
	case d.A == t.entity("db", "txInstant") && d.E == m.w.Self,
		d.A == t.entity("db.install", "attribute"), d.A == t.entity("db.alter", "attribute"):
		return dropped, nil
	case d.A == t.entity("db.attr", "preds"):
		if runs, err := t.runs(d); err != nil || !runs {
			kind, _ := lost(t.Schema.Ident(d.E).String(), ReasonPredicates)
			return kind, dclone.InDest(err)
		}
	case builtin && onBuiltin && ident.Namespace != "db.install":
		return lost(ident.String(), ReasonRedefines)
	case at != nil && at.TupleAttrs != nil:
		return composite, nil
	case at != nil && at.ValueType == dclone.Kw("db.type", "string") && t.tooLong(d.V):
		return lost(ident.String(), ReasonLong)
	}
	return said, nil
}

// add makes a form of a datom. One that retracts what the clone never had makes none.
func (m *making) add(d dclone.Datom) error {
	x := form{added: d.Added, v: d.V}
	if at := m.t.Schema.Attribute(d.A); at != nil && !d.Added {
		x.frees = at.Unique != dclone.Keyword{}
	}
	var knownE, knownA bool
	var err error
	if x.e, knownE, err = m.id(d.E); err != nil {
		return err
	}
	if x.a, knownA, err = m.id(d.A); err != nil {
		return err
	}
	switch {
	case !knownE && !d.Added:
		return nil
	case !knownA:
		return errors.New("the attribute has no clone")
	}
	refs := m.t.Schema.Refs(d.A)
	if refs == dclone.NoRefs {
		m.forms = append(m.forms, x)
		return nil
	}
	tuple, lost, failed := refs.IsTuple(), false, error(nil)
	x.v, err = eidmap.Rewrite(nil, d.V, refs, func(src dclone.EntityID) (dclone.EntityID, error) {
		id, known, err := m.id(src)
		failed = errors.Join(failed, err)
		switch {
		case id == self && tuple:
			lost = true
		case !known && !d.Added:
			lost = true
		case !known && (tuple || !m.new[src]):
			m.mint[src] = true
		}
		if id < 0 {
			x.tempids |= refs
		}
		return id, nil
	})
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	if lost {
		if d.Added {
			m.t.note(m.t.Schema.Ident(d.A).String(), ReasonOwnTx, m.w.T)
		}
		return nil
	}
	m.forms = append(m.forms, x)
	return nil
}

// id returns the clone's id for an entity of the source, or a tempid. known reports that there is one, or will be before
// the transaction.
func (m *making) id(src dclone.EntityID) (id dclone.EntityID, known bool, err error) {
	if m.self && src == m.w.Self {
		return self, true, nil
	}
	return m.t.clone(src)
}

// tooLong reports whether the clone takes no string as long as v.
func (t *Translator) tooLong(v dclone.Value) bool {
	limit := t.Clone.MaxString()
	if limit == 0 || len(v) <= limit {
		return false
	}
	decoded, _, _ := fressian.Decode(v)
	text, _ := decoded.(string)
	units := 0
	for _, r := range text {
		if units++; r > 0xFFFF {
			units++
		}
	}
	return units > limit
}
