package verify

import (
	"bytes"
	"cmp"
	"slices"

	"dclone"
	"dclone/datomic/local"
)

// sortValues sorts a group by value, and leaves the records of one value in the order of the log.
func sortValues(group []record) {
	if len(group) > 1 {
		slices.SortStableFunc(group, func(x, y record) int { return local.CompareValues(x.v, y.v) })
	}
}

// cutValue cuts off the records of the first value. Which values are the same is Datomic Local's
// to say: 1.0M retracts 1.00M.
func cutValue(group []record) (first, rest []record) {
	n := 1
	for n < len(group) && local.CompareValues(group[n].v, group[0].v) == 0 {
		n++
	}
	return group[:n], group[n:]
}

// appendHeld appends what holds of a sorted group: the assertions that no retraction of the same
// value has ended. A retraction ends what is older, and nothing of its own transaction; so
// values of different bytes can hold side by side. With past, the group is taken as it was when
// the first copy was made.
func appendHeld(dst, group []record, past bool) []record {
	nan := nanEnds(group, past)
	for len(group) > 0 {
		var run []record
		run, group = cutValue(group)
		ended, isBorn, from := nan, flags(0), len(dst)
		for _, r := range run {
			if r.counts(past) && r.flags&added == 0 {
				ended = max(ended, r.t)
			}
		}
		for _, r := range run {
			if r.counts(past) && r.flags&added != 0 && r.t >= ended && !has(dst[from:], r.v) {
				dst = append(dst, r)
			}
			isBorn |= r.flags & born
		}
		slices.SortFunc(dst[from:], func(x, y record) int { return bytes.Compare(x.v, y.v) })
		for i := range dst[from:] {
			dst[from+i].flags |= isBorn
		}
	}
	return dst
}

// counts reports whether r was there already, when past asks that.
func (r record) counts(past bool) bool { return !past || r.flags&(firstCopy|born) != 0 }

func has(list []record, v dclone.Value) bool {
	return slices.ContainsFunc(list, func(r record) bool { return bytes.Equal(r.v, v) })
}

// nanEnds returns the newest t that retracts NaN, which Datomic Local takes for equal to every
// number.
func nanEnds(group []record, past bool) (t dclone.T) {
	for _, r := range group {
		if r.flags&added == 0 && r.counts(past) && local.IsNaN(r.v) {
			t = max(t, r.t)
		}
	}
	return t
}

// idle returns the records of the first copy that change nothing: they assert what holds, or
// retract what does not.
func idle(group []record) (list []record) {
	for len(group) > 0 {
		var run []record
		run, group = cutValue(group)
		if len(run) == 1 && run[0].flags&added != 0 {
			continue
		}
		var held []record
		for _, r := range run {
			does := r.flags&added != 0
			if r.flags&firstCopy != 0 && (does && has(held, r.v) || !does && len(held) == 0) {
				list = append(list, r)
			}
			if does {
				held = append(held, r)
			} else {
				held = slices.DeleteFunc(held, func(h record) bool { return h.t < r.t })
			}
		}
	}
	return list
}

// A pair is one value that source and clone do not both have. One of the two may be missing.
type pair struct{ src, clone *record }

// pairs compares what holds on either side of one entity and attribute, in the order of values.
func pairs(src, clone []record) []pair {
	var missing, extra []record
	for len(src) > 0 || len(clone) > 0 {
		switch order := compareHeads(src, clone); {
		case order < 0:
			missing, src = append(missing, src[0]), src[1:]
		case order > 0:
			extra, clone = append(extra, clone[0]), clone[1:]
		default:
			src, clone = src[1:], clone[1:]
		}
	}
	if len(missing) == 1 && len(extra) == 1 {
		return []pair{{&missing[0], &extra[0]}}
	}
	var list []pair
	for i := range missing {
		list = append(list, pair{src: &missing[i]})
	}
	for i := range extra {
		list = append(list, pair{clone: &extra[i]})
	}
	return list
}

// compareHeads compares the first values of two lists, of which one may be empty.
func compareHeads(src, clone []record) int {
	switch {
	case len(clone) == 0:
		return -1
	case len(src) == 0:
		return 1
	}
	s, c := src[0].v, clone[0].v
	if bytes.Equal(s, c) {
		return 0
	}
	return cmp.Or(local.CompareValues(s, c), bytes.Compare(s, c))
}

func (p pair) equal(q pair) bool { return sameRecord(p.src, q.src) && sameRecord(p.clone, q.clone) }

func sameRecord(x, y *record) bool {
	return x == nil && y == nil || x != nil && y != nil && bytes.Equal(x.v, y.v)
}

// kind says what a pair is, "" where it is no difference: an instant may be later in the clone
// because that of the transaction before it is, or be there because every transaction has one.
func (p pair) kind(txInstant dclone.EntityID) Kind {
	instant := p.clone != nil && p.clone.a == txInstant && p.clone.e.IsTx()
	switch {
	case p.clone == nil && p.src.flags&unmapped != 0:
		return KindUnmapped
	case p.clone == nil:
		return KindMissing
	case instant && p.clone.flags&forced != 0 && (p.src == nil || later(p.clone.v, p.src.v)):
		return ""
	case p.src == nil:
		return KindExtra
	case instant:
		return KindInstant
	}
	return KindValue
}

func later(v, than dclone.Value) bool {
	x, ok1 := local.Instant(v)
	y, ok2 := local.Instant(than)
	return ok1 && ok2 && x > y
}
