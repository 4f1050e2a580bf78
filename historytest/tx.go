package historytest

import (
	"slices"

	"dclone"
)

// A tx is a transaction that is being made.
type tx struct {
	h         *History
	t         dclone.T
	instant   dclone.Instant
	partition dclone.Partition // of new entities

	datoms    []dclone.Datom
	altered   []dclone.EntityID
	installed []dclone.EntityID
	touched   map[touch]bool
	entities  []dclone.EntityID // whose composites must be looked at
}

// A touch keeps a transaction from saying two things of one value, or two of what has one value.
type touch struct {
	e, a dclone.EntityID
	v    string
}

func (h *History) begin() *tx {
	t := h.Basis() + 1
	if h.r.IntN(15) == 0 {
		t += dclone.T(h.r.IntN(40))
	}
	if h.r.IntN(6) > 0 {
		h.instant += dclone.Instant(h.r.IntN(100_000))
	}
	if h.r.IntN(20) == 0 { // Datomic Local was closed and opened
		for _, d := range h.db.Txs {
			for _, datom := range d.Datoms {
				h.next = max(h.next, datom.E.Eidx()+1)
			}
		}
	}
	return &tx{h: h, t: t, instant: h.instant, partition: dclone.Partition(17 + h.r.IntN(7)), touched: map[touch]bool{}}
}

// id returns the transaction's own entity.
func (x *tx) id() dclone.EntityID { return dclone.TxID(x.t) }

// put adds a datom, and tells the model at once.
func (x *tx) put(e, a dclone.EntityID, v dclone.Value, added bool) {
	d := dclone.Datom{E: e, A: a, V: v, Tx: x.id(), Added: added}
	x.datoms = append(x.datoms, d)
	x.h.db.schema(d)
	x.h.db.add(d)
	x.entities = append(x.entities, e)
}

// claim reports whether the transaction may still say something of a value.
func (x *tx) claim(e, a dclone.EntityID, many bool, v dclone.Value) bool {
	k := touch{e: e, a: a}
	if many {
		k.v = canon(v)
	}
	if x.touched[k] {
		return false
	}
	x.touched[k] = true
	return true
}

// add asserts a value the way transact does: nothing where it is there, a retraction of the
// present one where there can be but one.
func (x *tx) add(e dclone.EntityID, a *attr, v dclone.Value) {
	have := x.h.db.values(e, a.id)
	if clashes(have, v) || !x.claim(e, a.id, a.many, v) {
		return
	}
	if a.many || len(have) == 0 {
		x.put(e, a.id, v, true)
		return
	}
	old := have[len(have)-1]
	if x.h.r.IntN(5) == 0 && canon(old) != canon(v) { // an explicit retraction in front
		x.put(e, a.id, old, false)
		x.put(e, a.id, v, true)
		return
	}
	x.put(e, a.id, v, true)
	x.put(e, a.id, old, false)
}

// clashes reports whether adding v would do nothing: it is there, or Local takes it for equal to
// something that is. Of decimals only the newest counts, its scale included.
func clashes(have []dclone.Value, v dclone.Value) bool {
	_, decimal := decode(v).(dclone.Decimal)
	same := slices.DeleteFunc(slices.Clone(have), func(w dclone.Value) bool { return canon(w) != canon(v) })
	if len(have) > 0 && (isNaN(v) || isNaN(have[0])) {
		return true
	}
	if decimal {
		return slices.ContainsFunc(same, func(w dclone.Value) bool { return string(w) == string(v) })
	}
	return len(same) > 0
}

// retract ends a value. Of decimals that are equal but for the scale it must name the newest, and
// ends all.
func (x *tx) retract(e dclone.EntityID, a *attr, v dclone.Value) {
	if !x.claim(e, a.id, a.many, v) {
		return
	}
	for _, w := range x.h.db.values(e, a.id) {
		if canon(w) == canon(v) {
			v = w
		}
	}
	if x.h.r.IntN(2) == 0 {
		v = respell(v)
	}
	x.put(e, a.id, v, false)
}

// commit ends the transaction: composites, alters, installs. :db/txInstant comes at a place among
// the plain datoms, which is the first unless the transaction gave it itself.
func (x *tx) commit(place int) {
	plain := len(x.datoms)
	x.composites()
	for _, a := range x.altered {
		x.put(0, aAlter, encode(int64(a)), true)
	}
	for _, a := range x.installed {
		x.put(0, aInstall, encode(int64(a)), true)
	}
	instant := dclone.Datom{E: x.id(), A: aTxInstant, V: encode(x.instant), Tx: x.id(), Added: true}
	x.datoms = slices.Insert(x.datoms, min(place, plain), instant)
	x.h.db.add(instant)
	from := x.h.end
	x.h.write(x.t, x.datoms)
	x.h.db.Txs = append(x.h.db.Txs, Tx{T: x.t, Instant: x.instant, Datoms: x.datoms, From: from, To: x.h.end})
	x.h.db.Length = x.h.end
}

// composites derives the tuples of the entities that were touched.
func (x *tx) composites() {
	slices.Sort(x.entities)
	for _, e := range slices.Compact(x.entities) {
		for _, a := range x.h.attrs {
			if a.parts == nil || a.since >= x.t || !x.touchedAny(e, a.parts) {
				continue
			}
			x.composite(e, a)
		}
	}
}

func (x *tx) touchedAny(e dclone.EntityID, parts []*attr) bool {
	return slices.ContainsFunc(x.datoms, func(d dclone.Datom) bool {
		return d.E == e && slices.ContainsFunc(parts, func(p *attr) bool { return p.id == d.A })
	})
}

func (x *tx) composite(e dclone.EntityID, a *attr) {
	tuple := make([]any, len(a.parts))
	empty := true
	for i, p := range a.parts {
		if have := x.h.db.values(e, p.id); len(have) > 0 {
			tuple[i], empty = decode(have[len(have)-1]), false
		}
	}
	have := x.h.db.values(e, a.id)
	v := encode(tuple)
	if len(have) > 0 && canon(have[0]) == canon(v) {
		return
	}
	if !empty {
		x.put(e, a.id, v, true)
	}
	if len(have) > 0 {
		x.put(e, a.id, have[0], false)
	}
}
