package live

import (
	"slices"

	"dclone"
	"dclone/fressian"
)

// cut makes frames of the forms: helpers first, then as many as they need.
func (m *making) cut() []*frame {
	t := m.t
	room := max(1, t.Max-1)
	if len(m.forms) > room {
		for e := range m.new {
			m.mintNew(e) // a part could use what a later one asserts something of
		}
	}
	frames := m.mints()
	forms := m.forms
	if len(forms) > room {
		forms = lastSelf(forms)
	}
	for len(forms) > room {
		n := room
		for n > 1 && forms[n-1].e == forms[n].e {
			n-- // an attribute is installed at once
		}
		if n == 1 {
			n = room
		}
		frames = append(frames, t.frame(0, forms[:n]))
		forms = forms[n:]
	}
	binds := dclone.EntityID(0)
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

// lastSelf puts retractions first, so that what is unique is free when it moves, and what is of the transaction
// itself last.
func lastSelf(forms []form) []form {
	rank := func(x form) int {
		of := x.e == self
		_ = x.each(func(e dclone.EntityID) { of = of || e == self })
		switch {
		case of:
			return 2
		case x.added:
			return 1
		}
		return 0
	}
	forms = slices.Clone(forms)
	slices.SortStableFunc(forms, func(x, y form) int { return rank(x) - rank(y) })
	return forms
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
	for some := range slices.Chunk(all, max(1, t.Max-1)) {
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
