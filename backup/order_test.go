package backup

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/segment"
	"dclone/fressian"
)

func value(t *testing.T, v any) dclone.Value {
	b, err := fressian.Append(nil, v)
	require.NoError(t, err)
	return b
}

// TestCompareDatoms knows the four orders.
func TestCompareDatoms(t *testing.T) {
	d := func(e, a dclone.EntityID, v any, tx dclone.EntityID) dclone.Datom {
		return dclone.Datom{E: e, A: a, V: value(t, v), Tx: tx}
	}
	ordered := map[segment.Index][]dclone.Datom{
		segment.EAVT: {d(1, 9, "z", 1), d(2, 1, "b", 1), d(2, 2, "a", 9), d(2, 2, "a", 8), d(2, 2, "b", 9)},
		segment.AEVT: {d(9, 1, "z", 1), d(1, 2, "b", 1), d(2, 2, "a", 9), d(2, 2, "a", 8), d(2, 2, "b", 9)},
		segment.AVET: {d(9, 1, "z", 1), d(9, 2, "a", 1), d(1, 2, "b", 9), d(1, 2, "b", 8), d(2, 2, "b", 9)},
		segment.RAET: {d(9, 9, int64(1), 1), d(9, 1, int64(2), 1), d(1, 2, int64(2), 9), d(1, 2, int64(2), 8), d(2, 2, int64(2), 9)},
	}
	for x, datoms := range ordered {
		for i := range datoms {
			for j := range datoms {
				c := compareDatoms(x, datoms[i], datoms[j])
				switch {
				case i < j:
					require.Negative(t, c, "%s: %d %d", x, i, j)
				case i > j:
					require.Positive(t, c, "%s: %d %d", x, i, j)
				default:
					require.Zero(t, c)
				}
			}
		}
	}
}

// TestCompareKey takes what a key leaves out for less than all there is.
func TestCompareKey(t *testing.T) {
	d := dclone.Datom{E: 5, A: 7, V: value(t, "Old Avar"), Tx: dclone.TxID(9)}
	for _, c := range []struct {
		x    segment.Index
		key  segment.Key
		want int
	}{
		{segment.EAVT, segment.Key{E: 5}, -1},
		{segment.EAVT, segment.Key{E: 5, A: 7}, 0},
		{segment.EAVT, segment.Key{E: 5, A: 8}, 1},
		{segment.EAVT, segment.Key{E: 5, A: 7, V: value(t, "Old B")}, 1},
		{segment.AEVT, segment.Key{A: 7}, -1},
		{segment.AEVT, segment.Key{A: 7, E: 6}, 1},
		{segment.AEVT, segment.Key{A: 8}, 1},
		{segment.AVET, segment.Key{A: 7}, 0},
		{segment.AVET, segment.Key{A: 7, V: value(t, "Old Av")}, -1},
		{segment.AVET, segment.Key{A: 7, V: value(t, "Old Avar")}, -1},
		{segment.AVET, segment.Key{A: 7, V: value(t, "Old Avar"), E: 5, T: 9}, 0},
		{segment.AVET, segment.Key{A: 6, V: value(t, "Z")}, -1},
		{segment.RAET, segment.Key{}, 0},
	} {
		require.Equal(t, c.want, compareKey(c.x, &c.key, d), "%s %+v", c.x, c.key)
	}
}

// TestUnordered raises no alarm where the order is not known.
func TestUnordered(t *testing.T) {
	for _, c := range []struct {
		a, b  any
		known bool
	}{
		{2.0, 1.0, true}, {2.0, math.NaN(), false}, {math.NaN(), 2.0, false},
		{float32(2), float32(math.NaN()), false},
		{[]any{int64(1), 2.0}, []any{int64(1), math.NaN()}, false},
		{dclone.URI("b:x"), dclone.URI("a:x"), false},
		{"b", "a", true},
	} {
		x, y := compareValues(value(t, c.a), value(t, c.b)), compareValues(value(t, c.b), value(t, c.a))
		require.Equal(t, c.known, x > 0 || y > 0, "%v %v", c.a, c.b)
	}
}
