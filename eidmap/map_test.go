package eidmap

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"dclone"
	"dclone/historytest/seeds"
)

// A bench is a map in a file, and beside it the trivial one.
type bench struct {
	t        testing.TB
	db       *bbolt.DB
	cache    *Cache
	to, from map[dclone.EntityID]dclone.EntityID
}

func newBench(t testing.TB) *bench {
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "map"), 0o600, &bbolt.Options{NoSync: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.Update(Create))
	return &bench{t, db, new(Cache), map[dclone.EntityID]dclone.EntityID{}, map[dclone.EntityID]dclone.EntityID{}}
}

func (b *bench) update(f func(*Map) error) error {
	return b.db.Update(func(tx *bbolt.Tx) error {
		m, err := In(tx, b.cache)
		require.NoError(b.t, err)
		return f(m)
	})
}

func (b *bench) view(cache *Cache, f func(*Map)) {
	require.NoError(b.t, b.db.View(func(tx *bbolt.Tx) error {
		m, err := In(tx, cache)
		require.NoError(b.t, err)
		f(m)
		return nil
	}))
}

func (b *bench) learn(runs []Run) {
	for _, r := range runs {
		for i := range dclone.EntityID(r.N) {
			b.to[r.Src+i], b.from[r.Clone+i] = r.Clone+i, r.Src+i
		}
	}
}

// check compares the map with the trivial one, with the cache that went through all changes
// and with none.
func (b *bench) check() {
	b.t.Helper()
	for _, cache := range []*Cache{b.cache, nil} {
		b.view(cache, func(m *Map) {
			for src, clone := range b.to {
				for _, d := range []dclone.EntityID{-1, 0, 1} {
					b.same(m.Clone, b.to, src+d)
					b.same(m.Source, b.from, clone+d)
				}
				b.same(m.Clone, b.to, dclone.MakeEntityID(src.Partition()^1, src.Eidx()))
				b.same(m.Source, b.from, dclone.MakeEntityID(clone.Partition()^1, clone.Eidx()))
			}
			seen := 0
			require.NoError(b.t, m.Each(func(r Run) error {
				for i := range dclone.EntityID(r.N) {
					require.Equal(b.t, b.to[r.Src+i], r.Clone+i)
					seen++
				}
				return nil
			}))
			require.Equal(b.t, len(b.to), seen, "entities that Each has")
		})
	}
}

func (b *bench) same(look func(dclone.EntityID) (dclone.EntityID, bool, error), want map[dclone.EntityID]dclone.EntityID, id dclone.EntityID) {
	if id < 0 {
		return
	}
	got, ok, err := look(id)
	require.NoError(b.t, err)
	w, wantOK := want[id]
	if ok != wantOK || ok && got != w {
		require.Fail(b.t, "map is wrong", "of entity %d/%d it says %d, %v, not %d, %v", id.Partition(), id.Eidx(), got, ok, w, wantOK)
	}
}

// randomEntities makes what a source could have: eidx that count up, partitions drawn for each
// transaction, and some strange ones.
func randomEntities(r *rand.Rand, n int) *Entities {
	e := &Entities{}
	eidx := int64(73)
	for range n {
		switch r.IntN(12) {
		case 0:
			e.DB.Add(dclone.MakeEntityID(dclone.PartDB, 73+r.Int64N(400)))
		case 1:
			e.Tx.Add(dclone.TxID(dclone.T(6 + r.IntN(5000))))
		case 2:
			e.Value.Add(dclone.MakeEntityID(dclone.Partition(r.IntN(30)+4), 1_000_000+r.Int64N(1<<30)))
		case 3:
			e.User.Add(dclone.MakeEntityID(dclone.Partition(r.IntN(900)+4), 1+r.Int64N(eidx)))
		default:
			p := dclone.Partition(17 + r.IntN(7))
			if r.IntN(20) == 0 {
				p = dclone.PartUser
			}
			eidx += r.Int64N(3) * r.Int64N(3)
			for range 1 + r.IntN(40) {
				e.User.Add(dclone.MakeEntityID(p, eidx))
				eidx++
			}
		}
	}
	return e
}

func TestRandomMaps(t *testing.T) {
	for _, seed := range seeds.Of(t, 25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			b := newBench(t)
			first := First{DB: 73, User: 73, Value: 1, T: 6}
			a := Assign(randomEntities(r, r.IntN(150)), first)
			runs := slices.Collect(a.Runs())
			size := 1 + r.IntN(50)
			for chunk := range slices.Chunk(runs, size) {
				require.NoError(t, b.update(func(m *Map) error { return m.Fill(chunk) }))
				b.learn(chunk)
			}
			b.check()
			next := a.Next()
			for range 30 {
				batch := newRuns(r, b, &next)
				require.NoError(t, b.update(func(m *Map) error { return m.Put(batch) }))
				b.learn(batch)
				if r.IntN(3) == 0 {
					require.NoError(t, b.update(func(m *Map) error { return m.Put(batch) }), "put again")
				}
				if r.IntN(4) == 0 {
					b.cache = new(Cache)
				}
			}
			b.check()
			b.contradict(r)
			b.check()
		})
	}
}

// newRuns makes runs of entities that have no clone yet, as replay would bind them.
func newRuns(r *rand.Rand, b *bench, next *First) (runs []Run) {
	taken := map[dclone.EntityID]bool{}
	for range 1 + r.IntN(12) {
		p := dclone.Partition(17 + r.IntN(7))
		eidx := 73 + r.Int64N(6000)
		switch r.IntN(8) {
		case 0:
			p = pick(r, dclone.PartDB, dclone.PartTx, dclone.PartUser, 900)
		case 1: // right behind what is there already
			for src := range b.to {
				p, eidx = src.Partition(), src.Eidx()+1
				break
			}
		}
		run := Run{Src: dclone.MakeEntityID(p, eidx)}
		for range 1 + r.IntN(30) {
			id := run.Src + dclone.EntityID(run.N)
			if _, ok := b.to[id]; ok || taken[id] {
				break
			}
			taken[id] = true
			run.N++
		}
		if run.N == 0 {
			continue
		}
		switch {
		case p == dclone.PartDB:
			run.Clone = dclone.MakeEntityID(dclone.PartDB, next.DB)
			next.DB += run.N
		case p == dclone.PartTx || r.IntN(5) == 0:
			run.Clone = dclone.MakeEntityID(dclone.PartUser, next.Value)
			next.Value += run.N
		default:
			run.Clone = dclone.MakeEntityID(ClonePartition(p), next.User)
			next.User += run.N
		}
		runs = append(runs, run)
	}
	return runs
}

func pick[V any](r *rand.Rand, vs ...V) V { return vs[r.IntN(len(vs))] }

// contradict binds what is bound already, otherwise.
func (b *bench) contradict(r *rand.Rand) {
	for src, clone := range b.to {
		if r.IntN(10) > 0 {
			continue
		}
		fresh := dclone.MakeEntityID(clone.Partition(), 1<<40)
		require.Error(b.t, b.update(func(m *Map) error { return m.Put([]Run{{src, fresh, 1}}) }), "a second clone of %d", src)
		fresh = dclone.MakeEntityID(src.Partition(), 1<<40)
		require.Error(b.t, b.update(func(m *Map) error { return m.Put([]Run{{fresh, clone, 1}}) }), "a second source of %d", clone)
	}
}

// A run that overlaps what is there must not make the map lie, whether it is taken or refused.
func TestOverlap(t *testing.T) {
	for _, p := range []dclone.Partition{dclone.PartDB, 17} {
		id := func(eidx int64) dclone.EntityID { return dclone.MakeEntityID(p, eidx) }
		for _, runs := range [][]Run{
			{{id(100), id(100), 10}, {id(95), id(95), 30}},                         // around
			{{id(100), id(100), 10}, {id(105), id(105), 10}},                       // beyond
			{{id(100), id(100), 10}, {id(95), id(95), 10}},                         // before
			{{id(100), id(100), 3}, {id(110), id(110), 3}, {id(100), id(100), 13}}, // both ends, not the middle
			{{id(100), id(100), 3}, {id(110), id(210), 3}, {id(103), id(103), 10}}, // the end is another's
			{{id(100), id(100), 10}, {id(95), id(195), 30}},                        // the middle has another clone
			{{id(100), id(100), 10}, {id(195), id(95), 30}},                        // the middle has another source
		} {
			b := newBench(t)
			for i, r := range runs {
				if err := b.update(func(m *Map) error { return m.Put([]Run{r}) }); err != nil {
					t.Logf("partition %d, %v: %v", p, r, err)
					require.Positive(t, i)
					continue
				}
				b.learn([]Run{r})
			}
			if len(b.to) == len(b.from) {
				b.check()
			} else {
				t.Errorf("partition %d, %v: taken, though not one-to-one", p, runs)
			}
		}
	}
}

func FuzzRecord(f *testing.F) {
	seeds := 0
	for _, rec := range []*record{
		{src: 73, clone: 73, n: 10, pieces: []piece{{10, 17}}},
		{src: 1 << 40, clone: 3, n: 47, pieces: []piece{{1, 23}, {16, 17}, {46, 900}, {47, 4}}},
	} {
		f.Add(key(rec.src), rec.encode())
		seeds++
	}
	f.Add(key(1), []byte{5, 0x11, 0xff, 0x00, 0x80})
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, k, v []byte) {
		if run, err := decodeRun(k, v); err == nil {
			_, _ = run.lookup(run.Src)
		}
		rec, err := decodeRecord(k, v)
		if err != nil {
			return
		}
		n := int64(0)
		for i, p := range rec.pieces {
			require.Greater(t, p.end, n, "piece %d", i)
			n = p.end
		}
		require.Equal(t, n, rec.n)
		for _, at := range []int64{0, rec.n / 2, rec.n - 1} {
			require.GreaterOrEqual(t, rec.at(at), dclone.Partition(0))
			require.LessOrEqual(t, rec.at(at), dclone.MaxPartition)
		}
		again, err := decodeRecord(key(rec.src), rec.encode())
		require.NoError(t, err)
		require.Equal(t, rec.pieces, again.pieces)
	})
}
