package live

import (
	"cmp"
	"slices"

	"dclone"
)

// A rank says when a form comes, of those of a transaction that is parted.
type rank int

const (
	frees    rank = iota // what is unique, so that it can move
	installs             // an attribute or a partition
	plain
	late  // composite tuples, which in one transaction would come about by none of its datoms; predicates, which would judge none
	later // refers to one of them
	own   // is said of the transaction itself
)

// A placed is a form that has its place.
type placed struct {
	form
	rank
	of dclone.EntityID // what is parted last: an entity, or what is installed
}

// parts returns the forms in the order in which they can be parted: so many as there is room for, and the rest.
func (m *making) parts(room int) (parts [][]form, rest []form) {
	places := m.placed()
	last := 0
	for _, p := range places {
		rest = append(rest, p.form)
		if p.rank == own {
			last++
		}
	}
	for len(rest) > max(room, last) {
		n := min(border(places, room), len(rest)-last)
		parts = append(parts, rest[:n:n])
		rest, places = rest[n:], places[n:]
	}
	return parts, rest
}

// border returns how many of some forms a part has: so many as there is room for, or less, so that an entity is not parted.
// One that is larger is parted nevertheless, but not what installs it.
func border(places []placed, room int) int {
	parted := func(n int) bool {
		return n < len(places) && places[n].of == places[n-1].of && places[n].rank == places[n-1].rank
	}
	n := room
	for n > 1 && parted(n) {
		n--
	}
	if n > 1 || !parted(1) {
		return n
	}
	n = room
	for parted(n) && (places[n].rank == installs || places[n].rank == late) {
		n++
	}
	return n
}

// placed returns the forms in their order.
func (m *making) placed() []placed {
	behind := m.composites()
	first := map[dclone.EntityID]int{}
	places := make([]placed, len(m.forms))
	for i, x := range m.forms {
		p := placed{form: x, of: x.e}
		if e := m.installed(x); e != 0 {
			p.of = e
		}
		if _, known := first[p.of]; !known {
			first[p.of] = i
		}
		p.rank = m.rank(x, behind)
		places[i] = p
	}
	slices.SortStableFunc(places, func(x, y placed) int { return cmp.Or(int(x.rank-y.rank), first[x.of]-first[y.of]) })
	return places
}

// composites returns the tempids of the composite tuples that are installed.
func (m *making) composites() map[dclone.EntityID]bool {
	all := map[dclone.EntityID]bool{}
	for _, x := range m.forms {
		if x.a == m.t.Clone.Ident(dclone.Kw("db", "tupleAttrs")) && x.added {
			all[x.e] = true
		}
	}
	return all
}

func (m *making) rank(x form, composites map[dclone.EntityID]bool) rank {
	refers, ofTx := false, x.e == self
	_ = x.each(func(e dclone.EntityID) { refers, ofTx = refers || composites[e], ofTx || e == self })
	switch {
	case ofTx:
		return own
	case x.frees:
		return frees
	case composites[x.e], x.added && x.a == m.t.Clone.Ident(dclone.Kw("db.attr", "preds")):
		return late
	case refers:
		return later
	case x.added && m.installed(x) != 0:
		return installs
	}
	return plain
}

// installed returns the tempid of what is to be an attribute or a partition, and x is a part of, or 0.
func (m *making) installed(x form) (of dclone.EntityID) {
	is := func(e dclone.EntityID) bool { return e < 0 && e != self && m.new[-e] && !m.mint[-e] }
	if is(x.e) {
		return x.e
	}
	if x.a == m.t.Clone.Ident(dclone.Kw("db.install", "partition")) {
		_ = x.each(func(e dclone.EntityID) {
			if is(e) {
				of = e
			}
		})
	}
	return of
}
