package local

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
)

func TestSortRecords(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 2, 3, 100, fewRecords - 1, fewRecords, 5000} {
		for _, mask := range []uint64{0, 1, 0xff, 7<<42 | 0xfffff, 1 << 63, 1<<63 | 1, 1<<64 - 1} {
			r := make([]Record, n)
			for i := range r {
				r[i] = Record{dclone.EntityID(rnd.Uint64() & mask), Pointer(i)}
			}
			want := slices.Clone(r)
			slices.SortStableFunc(want, func(x, y Record) int { return cmp.Compare(uint64(x.E), uint64(y.E)) })
			sortRecords(r, make([]Record, n))
			require.Equal(t, want, r)
		}
	}
}

func TestMerger(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		a := &area{}
		var runs []stretch
		var want []Record
		for i := range rnd.IntN(12) {
			r := make([]Record, rnd.IntN(40))
			for j := range r {
				r[j] = Record{dclone.EntityID(rnd.IntN(20)), Pointer(i<<32 | j)}
			}
			slices.SortStableFunc(r, func(x, y Record) int { return cmp.Compare(x.E, y.E) })
			runs = append(runs, stretch{a, int64(len(a.mem)), int64(len(r))})
			a.mem = append(a.mem, r...)
			want = append(want, r...)
		}
		slices.SortStableFunc(want, func(x, y Record) int { return cmp.Compare(x.E, y.E) })
		m, err := newMerger(runs, make([]Record, rnd.IntN(60)))
		require.NoError(t, err)
		var got []Record
		for {
			r, err := m.fill(make([]Record, 7))
			require.NoError(t, err)
			got = append(got, r...)
			if len(r) < 7 {
				break
			}
		}
		require.True(t, slices.Equal(want, got))
	}
}
