package live

import (
	"slices"

	"dclone"
	"dclone/fressian"
)

// cut makes frames of the forms: helpers first, then as many as they need.
func (m *making) cut() []*frame {
	t := m.t
	room := max(1, t.Clone.MaxDatoms()-1)
	if len(m.forms) > room {
		for e := range m.new {
			m.mintNew(e) // a part could use what a later one asserts something of
		}
	}
	frames := m.mints()
	forms := m.forms
	if len(forms) > room {
		var parts [][]form
		parts, forms = m.parts(room)
		for _, part := range parts {
			frames = append(frames, t.frame(0, part))
		}
	}
	binds := dclone.EntityID(0)
	if len(frames) == 0 && m.free() {
		binds = beside
	}
	if m.self {
		binds = m.w.Self
		t.pending[binds] = true
	}
	for e := range m.new {
		if e.IsTx() && !m.mint[e] {
			t.note(t.name("txInstant"), ReasonOrdinary, m.w.T)
		}
		t.pending[e] = true
	}
	return append(frames, t.frame(binds, forms))
}

// free reports whether the work may be done beside others, in any order: it is of a first copy, of entities that are
// nothing to Datomic itself.
func (m *making) free() bool {
	if m.t.step.Cursor == 0 || m.w.Self != 0 {
		return false
	}
	for _, d := range m.w.Datoms {
		at := m.t.Schema.Attribute(d.A)
		if _, builtin := m.t.Fit.Builtin(d.A); builtin || at == nil || at.TupleAttrs != nil || d.E.Partition() == dclone.PartDB {
			return false
		}
		if at.Many && !sameBytes[at.ValueType] {
			return false // values of an entity that are equal in other forms are in an order
		}
	}
	return true
}

// sameBytes are the types whose values are equal to Datomic only where their bytes are.
var sameBytes = map[dclone.Keyword]bool{
	dclone.Kw("db.type", "ref"): true, dclone.Kw("db.type", "keyword"): true, dclone.Kw("db.type", "string"): true,
	dclone.Kw("db.type", "boolean"): true, dclone.Kw("db.type", "long"): true, dclone.Kw("db.type", "instant"): true,
	dclone.Kw("db.type", "uuid"): true, dclone.Kw("db.type", "symbol"): true,
}

// mints returns the helpers that give ids to entities.
func (m *making) mints() (frames []*frame) {
	t := m.t
	var all []dclone.EntityID
	for e := range m.mint {
		all = append(all, e)
	}
	slices.Sort(all)
	doc := t.Clone.Ident(dclone.Kw("db", "doc"))
	v, _ := fressian.Append(nil, "dclone")
	for some := range slices.Chunk(all, max(1, t.Clone.MaxDatoms()-1)) {
		var add, retract []form
		for _, e := range some {
			if e.IsTx() {
				t.note(t.name("txInstant"), ReasonOrdinary, m.w.T)
			}
			t.pending[e] = true
			add = append(add, form{added: true, e: -e, a: doc, v: v})
			retract = append(retract, form{e: -e, a: doc, v: v})
		}
		frames = append(frames, t.frame(0, add), t.frame(0, retract))
	}
	return frames
}

// frame makes a frame with the instant that is due.
func (t *Translator) frame(binds dclone.EntityID, forms []form) *frame {
	v, _ := fressian.Append(nil, t.instant)
	instant := form{added: true, e: self, a: t.Clone.Ident(dclone.Kw("db", "txInstant")), v: v}
	return &frame{binds: binds, forms: append([]form{instant}, forms...)}
}
