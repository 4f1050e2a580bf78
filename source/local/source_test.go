package local_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	"dclone/historytest"
	"dclone/historytest/seeds"
	"dclone/source"
	sourcelocal "dclone/source/local"
)

var ctx = context.Background()

func open(t testing.TB, dir string) *sourcelocal.Conn {
	t.Helper()
	c, err := sourcelocal.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// collect reads one attribute, by one of the ways there are.
func collect(read func(context.Context, dclone.EntityID) iter.Seq2[[]dclone.Datom, error], a dclone.EntityID) (all []dclone.Datom, err error) {
	for datoms, err := range read(ctx, a) {
		if err != nil {
			return all, err
		}
		if len(datoms) == 0 {
			return all, fmt.Errorf("an empty slice")
		}
		for _, d := range datoms {
			d.V = slices.Clone(d.V)
			all = append(all, d)
		}
	}
	return all, nil
}

// A snapshot at any t has what the trivial fold of the log has.
func TestRandomSnapshots(t *testing.T) {
	for _, seed := range seeds.Of(t, 12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 2))
			h := historytest.New(t, filepath.Join(t.TempDir(), "source"), seed)
			h.Step(r.IntN(120))
			if seed%4 == 0 {
				h.Grow(4000)
			}
			c := open(t, h.Dir)
			txs := h.Model().Txs
			for _, tx := range []historytest.Tx{txs[5+r.IntN(len(txs)-5)], txs[len(txs)-1]} {
				temp := t.TempDir()
				opt := source.Options{Jobs: pick(r, 1, 2, 4), MaxMemory: pick(r, int64(0), 1, 1<<22), TempDir: temp}
				s, err := c.Snapshot(ctx, tx.T, opt)
				require.NoError(t, err)
				same(t, historytest.ReadAt(t, h.Dir, tx.T), s)
				require.NoError(t, s.Close())
				left, err := os.ReadDir(temp)
				require.NoError(t, err)
				require.Empty(t, left, "temporary files")
			}
		})
	}
}

func pick[V any](r *rand.Rand, vs ...V) V { return vs[r.IntN(len(vs))] }

func same(t *testing.T, want *historytest.Database, s source.Snapshot) {
	t.Helper()
	last := want.Txs[len(want.Txs)-1]
	require.Equal(t, last.T, s.Basis())
	require.Equal(t, last.Instant, s.MaxInstant())
	history, kept := map[dclone.EntityID][]dclone.Datom{}, []dclone.Datom(nil)
	for _, tx := range want.Txs {
		for _, d := range tx.Datoms {
			history[d.A] = append(history[d.A], d)
			if s.Schema().Relevant(d) {
				kept = append(kept, d)
			}
		}
	}
	relevant := slices.DeleteFunc(slices.Clone(s.SchemaDatoms()), func(d dclone.Datom) bool { return !s.Schema().Relevant(d) })
	require.Equal(t, kept, relevant, "schema datoms")

	var listed []dclone.EntityID
	for _, a := range s.Attributes() {
		listed = append(listed, a.A)
		require.EqualValues(t, len(history[a.A]), a.Count, "datoms of attribute %d", a.A)
	}
	require.Equal(t, slices.Sorted(maps.Keys(history)), listed)

	facts := map[historytest.Fact]bool{}
	for f := range want.Facts() {
		facts[f] = true
	}
	var mu sync.Mutex
	var readers sync.WaitGroup
	for _, a := range append(listed, 999_999) {
		readers.Go(func() {
			current, err := collect(s.Current, a)
			holders, err2 := collect(s.Holders, a)
			all, err3 := collect(s.History, a)
			mu.Lock()
			defer mu.Unlock()
			require.NoError(t, cmp.Or(err, err2, err3))
			require.True(t, slices.IsSortedFunc(current, func(x, y dclone.Datom) int {
				return cmp.Or(cmp.Compare(x.E, y.E), local.CompareValues(x.V, y.V))
			}), "order of attribute %d", a)
			require.Equal(t, entities(current), entities(holders), "holders of attribute %d", a)
			for _, d := range current {
				f := historytest.Fact{E: d.E, A: d.A, V: string(d.V)}
				require.True(t, facts[f] && d.Added, "attribute %d: %v", a, d)
				delete(facts, f)
			}
			byEntity := slices.Clone(history[a])
			slices.SortStableFunc(byEntity, func(x, y dclone.Datom) int { return cmp.Compare(x.E, y.E) })
			require.Equal(t, byEntity, all, "history of attribute %d", a)
		})
	}
	readers.Wait()
	require.Empty(t, facts, "facts that no attribute has")
}

func entities(datoms []dclone.Datom) (es []dclone.EntityID) {
	for _, d := range datoms {
		es = append(es, d.E)
	}
	return es
}

func TestTxs(t *testing.T) {
	h := historytest.New(t, filepath.Join(t.TempDir(), "source"), 7)
	h.Step(60)
	c := open(t, h.Dir)
	require.Equal(t, h.Basis(), c.Basis())
	for from := dclone.T(-1); from <= h.Basis()+2; from++ {
		var got []historytest.Tx
		for tx, err := range c.Txs(ctx, from) {
			require.NoError(t, err)
			g := historytest.Tx{T: tx.T, Instant: tx.Instant}
			for _, d := range tx.Datoms {
				d.V = slices.Clone(d.V)
				g.Datoms = append(g.Datoms, d)
			}
			got = append(got, g)
		}
		var want []historytest.Tx
		for _, tx := range h.Model().Txs {
			if tx.T >= from {
				want = append(want, historytest.Tx{T: tx.T, Instant: tx.Instant, Datoms: tx.Datoms})
			}
		}
		require.Equal(t, want, got, "from t %d", from)
	}
	for range c.Txs(ctx, 0) {
		break
	}
	canceled, cancel := context.WithCancel(ctx)
	defer cancel()
	n := 0
	var last error
	for _, err := range c.Txs(canceled, 0) {
		if n++; n == 3 {
			cancel()
		}
		last = err
	}
	require.ErrorIs(t, last, context.Canceled)
	require.Equal(t, 4, n)
}

// A Conn sees nothing of what is committed after it was opened.
func TestOneBasis(t *testing.T) {
	h := historytest.New(t, filepath.Join(t.TempDir(), "source"), 8)
	h.Step(20)
	c := open(t, h.Dir)
	basis := c.Basis()
	h.Step(20)
	require.Equal(t, basis, c.Basis())
	last := dclone.T(0)
	for tx, err := range c.Txs(ctx, 0) {
		require.NoError(t, err)
		last = tx.T
	}
	require.Equal(t, basis, last)
	s, err := c.Snapshot(ctx, basis, source.Options{Jobs: 2})
	require.NoError(t, err)
	same(t, historytest.ReadAt(t, h.Dir, basis), s)
	require.NoError(t, s.Close())
	_, err = c.Fingerprint(nil, h.Basis())
	require.ErrorIs(t, err, source.ErrNoTx)
	_, err = c.Snapshot(ctx, h.Basis(), source.Options{Jobs: 2})
	require.ErrorIs(t, err, source.ErrNoTx)
}

func TestFingerprint(t *testing.T) {
	key, other := dclone.DigestKey("key"), dclone.DigestKey("other")
	h := historytest.New(t, filepath.Join(t.TempDir(), "source"), 9)
	c := open(t, h.Dir)
	first, err := c.First(key)
	require.NoError(t, err)
	require.Zero(t, first, "an empty database has no first transaction")
	h.Step(60)
	c = open(t, h.Dir)
	have := map[dclone.T]bool{}
	seen := map[dclone.Digest]dclone.T{}
	for _, tx := range h.Model().Txs {
		have[tx.T] = true
		f, err := c.Fingerprint(key, tx.T)
		require.NoError(t, err)
		require.Equal(t, tx.T, f.T)
		require.Equal(t, tx.Instant, f.Instant)
		require.NotContains(t, seen, f.Digest)
		seen[f.Digest] = tx.T
		again, err := c.Fingerprint(other, tx.T)
		require.NoError(t, err)
		require.NotEqual(t, f.Digest, again.Digest, "the key has no part in it")
	}
	first, err = c.First(key)
	require.NoError(t, err)
	require.Equal(t, h.Model().Txs[6].T, seen[first])
	gaps := 0
	for at := dclone.T(0); at < h.Basis()+3; at++ {
		if have[at] {
			continue
		}
		gaps++
		_, err := c.Fingerprint(key, at)
		require.ErrorIs(t, err, source.ErrNoTx)
		_, err = c.Snapshot(ctx, at, source.Options{Jobs: 1})
		require.ErrorIs(t, err, source.ErrNoTx)
	}
	require.Greater(t, gaps, 3)
}

// Damage anywhere is an error or does not show; it is never a panic, nor an endless read.
func TestDamage(t *testing.T) {
	base := t.TempDir()
	h := historytest.New(t, filepath.Join(base, "source"), 10)
	h.Step(25)
	log, err := os.ReadFile(filepath.Join(h.Dir, "db.log"))
	require.NoError(t, err)
	idx, err := os.ReadFile(filepath.Join(h.Dir, "log.idx"))
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(10, 0))
	dir := filepath.Join(base, "damaged")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "log.idx"), idx, 0o600))
	damaged := 0
	for range 1500 {
		bad := slices.Clone(log)
		for range 1 + r.IntN(3) {
			bad[len(local.Bootstrap())+r.IntN(len(bad)-len(local.Bootstrap()))] = byte(r.Uint32())
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "db.log"), bad, 0o600))
		if readAll(dir) != nil {
			damaged++
		}
	}
	require.Greater(t, damaged, 100)
}

func readAll(dir string) error {
	c, err := sourcelocal.Open(dir)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, err := range c.Txs(ctx, 0) {
		if err != nil {
			return err
		}
	}
	s, err := c.Snapshot(ctx, c.Basis(), source.Options{Jobs: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	for _, a := range s.Attributes() {
		for _, read := range []func(context.Context, dclone.EntityID) iter.Seq2[[]dclone.Datom, error]{s.Current, s.Holders, s.History} {
			if _, err := collect(read, a.A); err != nil {
				return err
			}
		}
	}
	return nil
}

// Reading can be left at any place, by break or by the context.
func TestLeave(t *testing.T) {
	h := historytest.New(t, filepath.Join(t.TempDir(), "source"), 11)
	h.Grow(5000)
	c := open(t, h.Dir)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err := c.Snapshot(canceled, c.Basis(), source.Options{Jobs: 2})
	require.ErrorIs(t, err, context.Canceled)
	s, err := c.Snapshot(ctx, c.Basis(), source.Options{Jobs: 2})
	require.NoError(t, err)
	defer s.Close()
	for _, a := range s.Attributes() {
		for range s.Current(ctx, a.A) {
			break
		}
		for range s.History(ctx, a.A) {
			break
		}
		for range s.Holders(ctx, a.A) {
			break
		}
	}
}
