package eidmap

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/historytest/seeds"
)

func randomIDs(r *rand.Rand) map[dclone.EntityID]bool {
	ids := map[dclone.EntityID]bool{}
	for range r.IntN(6) {
		from := dclone.MakeEntityID(dclone.Partition(r.IntN(30)), r.Int64N(1<<18))
		n, step := r.IntN(9000), dclone.EntityID(1+r.IntN(1<<r.IntN(10)))
		for i := range n {
			ids[from+dclone.EntityID(i)*step] = true
		}
	}
	return ids
}

func setOf(r *rand.Rand, ids map[dclone.EntityID]bool) *Set {
	s := &Set{}
	order := slices.Sorted(maps.Keys(ids))
	if r.IntN(2) == 0 {
		r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	for i, id := range order {
		s.Add(id)
		if i%7 == 0 {
			s.Add(order[r.IntN(i+1)])
		}
	}
	return s
}

func TestRandomSets(t *testing.T) {
	for _, seed := range seeds.Of(t, 20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			ids, more := randomIDs(r), randomIDs(r)
			s := setOf(r, ids)
			require.Equal(t, slices.Sorted(maps.Keys(ids)), slices.Collect(s.All()))
			s.Merge(setOf(r, more))
			maps.Copy(ids, more)
			sorted := slices.Sorted(maps.Keys(ids))
			require.Equal(t, sorted, slices.Collect(s.All()))
			require.EqualValues(t, len(ids), s.Len())
			require.EqualValues(t, len(ids), s.freeze())
			for rank, id := range sorted {
				got, ok := s.rank(id)
				if !ok || got != int64(rank) {
					require.Fail(t, "rank is wrong", "of %d it is %d, %v; want %d", id, got, ok, rank)
				}
				for _, near := range []dclone.EntityID{id - 1, id + 1, id + chunkSize} {
					if _, ok := s.rank(near); ok != ids[near] || s.Has(near) != ids[near] {
						require.Fail(t, "set is wrong", "of %d", near)
					}
				}
			}
			stopped := 0
			for range s.All() {
				if stopped++; stopped == 3 {
					break
				}
			}
		})
	}
}

// An assignment is one-to-one, keeps the order of the source's ids, says the same as its runs,
// and leaves no number of Datomic Local's own to an entity without datoms.
func TestRandomAssignments(t *testing.T) {
	for _, seed := range seeds.Of(t, 40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			e := randomEntities(r, r.IntN(300))
			a := Assign(e, First{DB: 73, User: 73, Value: 1, T: 6})
			to, from := map[dclone.EntityID]dclone.EntityID{}, map[dclone.EntityID]dclone.EntityID{}
			for run := range a.Runs() {
				require.Positive(t, run.N)
				for i := range dclone.EntityID(run.N) {
					require.Zero(t, to[run.Src+i])
					require.Zero(t, from[run.Clone+i])
					to[run.Src+i], from[run.Clone+i] = run.Clone+i, run.Src+i
				}
			}
			next := a.Next()
			total := 0
			for _, kind := range []struct {
				set   *Set
				place func(src, clone dclone.EntityID) bool
			}{
				{&e.DB, func(_, c dclone.EntityID) bool { return c.Partition() == 0 && c.Eidx() >= 73 && c.Eidx() < next.DB }},
				{&e.Tx, func(_, c dclone.EntityID) bool { return c.IsTx() && c.T() >= 6 && c.T() < next.T }},
				{&e.User, func(s, c dclone.EntityID) bool {
					return c.Partition() == ClonePartition(s.Partition()) && c.Partition() >= 5 && c.Eidx() >= 73 && c.Eidx() < next.User
				}},
				{&e.Value, func(_, c dclone.EntityID) bool {
					return c.Partition() == dclone.PartUser && c.Eidx() >= 1 && c.Eidx() < next.Value
				}},
			} {
				last := dclone.EntityID(-1)
				for src := range kind.set.All() {
					clone, ok := a.Clone(src)
					require.True(t, ok)
					require.Equal(t, to[src], clone)
					require.True(t, kind.place(src, clone), "source %d/%d, clone %d/%d", src.Partition(), src.Eidx(), clone.Partition(), clone.Eidx())
					if kind.set != &e.User {
						require.Greater(t, clone, last)
						last = clone
					}
					total++
				}
			}
			require.Len(t, to, total)
			_, ok := a.Clone(dclone.MakeEntityID(950, 77))
			require.False(t, ok)
		})
	}
}
