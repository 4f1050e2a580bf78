package backup

import (
	"cmp"
	"math"

	"dclone"
	"dclone/datomic/local"
	"dclone/datomic/segment"
	"dclone/fressian"
)

// compareDatoms orders datoms as an index does. The newest transaction comes first.
func compareDatoms(x segment.Index, a, b dclone.Datom) int {
	return cmp.Or(compareEAV(x, a, b), cmp.Compare(b.Tx, a.Tx))
}

func compareEAV(x segment.Index, a, b dclone.Datom) int {
	switch x {
	case segment.EAVT:
		if c := cmp.Or(cmp.Compare(a.E, b.E), cmp.Compare(a.A, b.A)); c != 0 {
			return c
		}
		return compareValues(a.V, b.V)
	case segment.AEVT:
		if c := cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.E, b.E)); c != 0 {
			return c
		}
		return compareValues(a.V, b.V)
	case segment.AVET:
		if c := cmp.Compare(a.A, b.A); c != 0 {
			return c
		}
		return cmp.Or(compareValues(a.V, b.V), cmp.Compare(a.E, b.E))
	}
	return cmp.Or(compareValues(a.V, b.V), cmp.Compare(a.A, b.A), cmp.Compare(a.E, b.E))
}

// compareKey orders a key and a datom, as far as the key goes: what it leaves out is 0, which is
// before all else, and nil for the value, which is before all else too.
func compareKey(x segment.Index, k *segment.Key, d dclone.Datom) int {
	if k.V == nil {
		switch x {
		case segment.EAVT:
			return cmp.Or(cmp.Compare(k.E, d.E), cmp.Compare(k.A, d.A))
		case segment.AEVT:
			return cmp.Or(cmp.Compare(k.A, d.A), cmp.Compare(k.E, d.E))
		case segment.AVET:
			return cmp.Compare(k.A, d.A)
		}
		return 0
	}
	return compareEAV(x, dclone.Datom{E: k.E, A: k.A, V: k.V}, d)
}

// compareValues is 0 where the order is not known for sure: a false alarm is worse than none, for
// the bytes are checked by other means too.
func compareValues(a, b dclone.Value) int {
	c := local.CompareValues(a, b)
	if c > 0 && !(ordered(a) && ordered(b)) {
		return 0
	}
	return c
}

// ordered reports whether the order of a value is known: Datomic holds NaN equal to everything, and for
// URIs and functions goes by rules of Java's that data has not proved.
func ordered(v dclone.Value) bool {
	x, _, err := fressian.Decode(v)
	return err == nil && orderedValue(x)
}

func orderedValue(x any) bool {
	switch x := x.(type) {
	case float64:
		return !math.IsNaN(x)
	case float32:
		return !math.IsNaN(float64(x))
	case dclone.URI, fressian.Tagged, fressian.Map:
		return false
	case []any:
		for _, e := range x {
			if !orderedValue(e) {
				return false
			}
		}
	}
	return true
}
