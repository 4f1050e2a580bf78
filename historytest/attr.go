package historytest

import (
	"fmt"
	"slices"

	"dclone"
)

// attr is what the builder knows of an attribute it installed.
type attr struct {
	id    dclone.EntityID
	kind  string // of its values: a scalar's name, or tuple
	many  bool
	since dclone.T

	unique    dclone.EntityID // 37, 38 or 0
	component bool
	noHistory bool

	all      string   // of a homogeneous tuple
	elements []string // of a heterogeneous tuple
	parts    []*attr  // of a composite
}

// install makes a new attribute.
func (x *tx) install() {
	r := x.h.r
	id := dclone.MakeEntityID(dclone.PartDB, x.h.nextDB)
	x.h.nextDB++
	a := &attr{id: id, since: x.t, many: r.IntN(3) == 0}
	kind, valueType := "tuple", typeTuple
	if len(x.h.attrs) < 4 || r.IntN(3) > 0 {
		s := scalars[r.IntN(len(scalars))]
		kind, valueType = s.name, s.id
	}
	a.kind = kind
	card := cardOne
	var more []dclone.Datom
	say := func(p dclone.EntityID, v any) {
		more = append(more, dclone.Datom{E: id, A: p, V: encode(v)})
	}
	if kind == "tuple" {
		a.tuple(x, say)
	}
	if a.many {
		card = cardMany
	}
	if a.canBeUnique() && r.IntN(4) == 0 {
		a.unique = pick(r, dclone.EntityID(37), 38)
		say(aUnique, int64(a.unique))
	}
	if kind == "ref" && r.IntN(4) == 0 {
		a.component = true
		say(aComponent, true)
	}
	if r.IntN(4) == 0 {
		a.noHistory = r.IntN(3) > 0
		say(aNoHistory, a.noHistory)
	}
	if r.IntN(2) == 0 {
		say(aDoc, pick(r, texts...))
	}
	if r.IntN(4) == 0 {
		say(aAttrPreds, dclone.Symbol(dclone.Kw("clojure.core", "some?")))
		say(aAttrPreds, dclone.Symbol(dclone.Kw("clojure.core", "any?")))
	}
	kw := x.h.newKeyword("attr")
	for !x.touchKeyword(kw) {
		kw = x.h.newKeyword("attr")
	}
	say(aIdent, kw)
	say(aValueType, int64(valueType))
	say(aCardinality, int64(card))
	r.Shuffle(len(more), func(i, j int) { more[i], more[j] = more[j], more[i] })
	for _, d := range more {
		x.put(d.E, d.A, d.V, true)
	}
	x.touched[touch{e: id, a: aIdent}] = true
	x.installed = append(x.installed, id)
	x.h.attrs = append(x.h.attrs, a)
}

// tuple makes a an attribute of one of the three kinds of tuple.
func (a *attr) tuple(x *tx, say func(dclone.EntityID, any)) {
	r := x.h.r
	var parts []*attr
	for _, p := range x.h.attrs {
		named := x.h.db.Keyword[x.h.db.Name[p.id]] == p.id // its last name may be another's by now
		if p.since < x.t && named && !p.many && p.kind != "tuple" && p.kind != "double" && p.kind != "float" {
			parts = append(parts, p)
		}
	}
	switch n := r.IntN(3); {
	case n == 0 && len(parts) >= 2:
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		a.parts, a.many = parts[:min(len(parts), 2+r.IntN(2))], false
		var kws []any
		for _, p := range a.parts {
			kw := x.h.aName(p.id)
			x.h.reserved[kw] = p.id
			kws = append(kws, kw)
		}
		say(aTupleAttrs, kws)
	case n == 1:
		a.all = pick(r, elements...)
		say(aTupleType, dclone.Kw("db.type", a.all))
	default:
		var kws []any
		for range 2 + r.IntN(7) {
			a.elements = append(a.elements, pick(r, elements...))
			kws = append(kws, dclone.Kw("db.type", a.elements[len(a.elements)-1]))
		}
		say(aTupleTypes, kws)
	}
}

// aName returns a keyword that resolves to e: mostly its present name, sometimes an old one.
func (h *History) aName(e dclone.EntityID) dclone.Keyword {
	if h.r.IntN(3) == 0 {
		for _, kw := range h.kws {
			if h.db.Keyword[kw] == e {
				return kw
			}
		}
	}
	return h.db.Name[e]
}

func (a *attr) canBeUnique() bool {
	return a.kind != "boolean" && a.kind != "double" && a.kind != "float" && a.kind != "tuple"
}

// value makes a value of a. It returns nil where a's are derived.
func (x *tx) value(a *attr) dclone.Value {
	h := x.h
	switch {
	case a.parts != nil:
		return nil
	case a.unique != 0:
		return x.uniqueValue(a)
	case a.kind == "ref":
		return encode(int64(x.target()))
	case a.kind == "tuple":
		return encode(x.tupleValue(a))
	case a.kind == "string" && h.r.IntN(150) == 0:
		return encode(h.bigText())
	case a.kind == "bigint" && h.r.IntN(200) == 0:
		return encode(h.bigInt())
	}
	return encode(scalar(h.r, a.kind))
}

func (x *tx) tupleValue(a *attr) []any {
	kinds := a.elements
	if kinds == nil {
		for range 2 + x.h.r.IntN(7) {
			kinds = append(kinds, a.all)
		}
	}
	tuple := make([]any, len(kinds))
	for i, kind := range kinds {
		if x.h.r.IntN(4) == 0 {
			continue
		}
		switch kind {
		case "ref":
			tuple[i] = int64(x.target())
		case "double":
			tuple[i] = float64(x.h.r.IntN(7)) / 2
		case "string":
			tuple[i] = texts[x.h.r.IntN(len(texts)-1)]
		default:
			tuple[i] = scalar(x.h.r, kind)
		}
	}
	return tuple
}

// alter changes what the schema says of an attribute.
func (x *tx) alter(a *attr) {
	r := x.h.r
	bool2 := func(p dclone.EntityID, now bool) bool {
		if !x.claim(a.id, p, false, nil) {
			return now
		}
		have := x.h.db.values(a.id, p)
		x.put(a.id, p, encode(!now), true)
		if len(have) > 0 {
			x.put(a.id, p, have[0], false)
		}
		x.alters(a)
		return !now
	}
	switch r.IntN(6) {
	case 0:
		if a.parts == nil && a.unique == 0 && (!a.many || x.h.single(a)) && x.claim(a.id, aCardinality, false, nil) {
			from, to := cardOne, cardMany
			if a.many {
				from, to = cardMany, cardOne
			}
			if !a.many && x.h.isPart(a) {
				return
			}
			x.put(a.id, aCardinality, encode(int64(to)), true)
			x.put(a.id, aCardinality, encode(int64(from)), false)
			a.many = !a.many
			x.alters(a)
		}
	case 1:
		x.alterUnique(a)
	case 2:
		a.noHistory = bool2(aNoHistory, a.noHistory)
	case 3:
		if a.kind == "ref" {
			a.component = bool2(aComponent, a.component)
		}
	case 4:
		doc := &attr{id: aDoc}
		x.add(a.id, doc, encode(pick(r, texts...)))
	case 5:
		pred := encode(dclone.Symbol(dclone.Kw("my", pick(r, "p?", "q?"))))
		if x.claim(a.id, aAttrPreds, true, pred) {
			have := slices.ContainsFunc(x.h.db.values(a.id, aAttrPreds), func(v dclone.Value) bool { return string(v) == string(pred) })
			x.put(a.id, aAttrPreds, pred, !have)
			x.alters(a)
		}
	}
}

// alterUnique only takes uniqueness away, or swaps its kind: whether it may be given depends on
// all the data.
func (x *tx) alterUnique(a *attr) {
	if a.unique == 0 || !x.claim(a.id, aUnique, false, nil) {
		return
	}
	old, now := a.unique, dclone.EntityID(0)
	if x.h.r.IntN(2) == 0 {
		now = 37 + 38 - old
		x.put(a.id, aUnique, encode(int64(now)), true)
	}
	x.put(a.id, aUnique, encode(int64(old)), false)
	a.unique = now
	x.alters(a)
}

func (x *tx) alters(a *attr) {
	if a.since < x.t && !slices.Contains(x.altered, a.id) {
		x.altered = append(x.altered, a.id)
	}
}

// single reports whether no entity has more than one value of a.
func (h *History) single(a *attr) bool {
	for e := range h.db.held {
		if len(h.db.values(e, a.id)) > 1 {
			return false
		}
	}
	return true
}

func (h *History) isPart(a *attr) bool {
	return slices.ContainsFunc(h.attrs, func(c *attr) bool { return slices.Contains(c.parts, a) })
}

// newKeyword makes an ident: a new one, or one that another entity had once and nothing reserves.
func (h *History) newKeyword(space string) dclone.Keyword {
	if len(h.kws) > 0 && h.r.IntN(3) == 0 {
		kw := h.kws[h.r.IntN(len(h.kws))]
		if _, reserved := h.reserved[kw]; !reserved && !h.holds(kw) {
			return kw
		}
	}
	h.serial++
	kw := dclone.Kw(space, fmt.Sprintf("n%d", h.serial))
	if h.r.IntN(8) == 0 {
		kw = dclone.Kw("db."+space, fmt.Sprintf("n%d", h.serial)) // a name like a builtin's
	}
	h.kws = append(h.kws, kw)
	return kw
}

// holds reports whether some entity has kw as its ident now.
func (h *History) holds(kw dclone.Keyword) bool {
	e, ok := h.db.Keyword[kw]
	return ok && slices.ContainsFunc(h.db.values(e, aIdent), func(v dclone.Value) bool { return decode(v) == kw })
}
