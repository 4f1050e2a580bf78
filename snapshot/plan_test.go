package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	destlocal "dclone/dest/local"
	"dclone/historytest"
	"dclone/historytest/seeds"
	"dclone/snapshot"
	"dclone/source"
	sourcelocal "dclone/source/local"
)

var ctx = context.Background()

func open(t testing.TB, dir string) source.Snapshot {
	t.Helper()
	c, err := sourcelocal.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	s, err := c.Snapshot(ctx, c.Basis(), source.Options{Jobs: 2})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// collect takes the steps from a t on.
func collect(p *snapshot.Plan, from dclone.T) (log []byte, datoms int64, err error) {
	next := from
	for s, err := range p.Steps(ctx, from) {
		if err != nil {
			return log, datoms, err
		}
		total := 0
		for _, n := range s.Lengths {
			total += n
		}
		if first := s.T - dclone.T(len(s.Lengths)) + 1; total != len(s.Frames) || first != next {
			return log, datoms, fmt.Errorf("step of t %d: %d bytes of %d, follows t %d", s.T, total, len(s.Frames), next)
		}
		next = s.T + 1
		log = append(log, s.Frames...)
		datoms += s.Datoms
	}
	if next != p.End() {
		return log, datoms, fmt.Errorf("the steps end before t %d, not %d", next, p.End())
	}
	return log, datoms, nil
}

// A first copy can be taken up at any of its transactions, by any number of goroutines, and a
// plan made anew is the same plan.
func TestResume(t *testing.T) {
	for _, seed := range seeds.Of(t, 6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			h := historytest.New(t, filepath.Join(t.TempDir(), "source"), seed)
			h.Step(60)
			src := open(t, h.Dir)
			opt := snapshot.Options{MaxBatchSize: []int{1, 2, 7, 500}[r.IntN(4)], TxEntities: []snapshot.TxEntities{"used", "all", "none"}[r.IntN(3)], Jobs: 1}
			p, err := snapshot.New(ctx, src, destlocal.Dry(), opt)
			require.NoError(t, err)
			whole, datoms, err := collect(p, 0)
			require.NoError(t, err)
			require.Equal(t, p.Datoms(), datoms)
			txs, err := historytest.Split(whole)
			require.NoError(t, err)
			require.EqualValues(t, p.End(), len(txs))
			for _, tx := range txs[6:] {
				require.LessOrEqual(t, len(tx.Datoms), max(opt.MaxBatchSize, 12)+1, "t %d", tx.T) // an attribute is not torn apart
			}
			for _, tx := range txs[6:] {
				if len(txs) > 200 && r.IntN(len(txs)/60) > 0 {
					continue
				}
				opt.Jobs = 1 + r.IntN(4)
				again, err := snapshot.New(ctx, src, destlocal.Dry(), opt)
				require.NoError(t, err)
				rest, _, err := collect(again, tx.T)
				require.NoError(t, err, "from t %d", tx.T)
				require.True(t, string(whole[tx.From:]) == string(rest), "from t %d", tx.T)
			}
			rest, _, err := collect(p, p.End())
			require.NoError(t, err)
			require.Empty(t, rest)
			for _, within := range []dclone.T{1, 3, local.BootstrapT} {
				_, _, err = collect(p, within)
				require.Error(t, err, "resumed within the bootstrap")
			}
		})
	}
}

var errDisk = errors.New("the disk is gone")

// failing is a source that fails after so many slices of datoms.
type failing struct {
	source.Snapshot
	left atomic.Int64
}

func (f *failing) Current(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error] {
	return func(yield func([]dclone.Datom, error) bool) {
		for d, err := range f.Snapshot.Current(ctx, a) {
			if f.left.Add(-1) < 0 {
				yield(nil, errDisk)
				return
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// forgetful is a source that says another thing the second time.
type forgetful struct {
	source.Snapshot
	planned bool
}

func (f *forgetful) Current(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error] {
	return func(yield func([]dclone.Datom, error) bool) {
		for d, err := range f.Snapshot.Current(ctx, a) {
			if f.planned && len(d) > 1 {
				d = d[1:]
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// A source that fails ends the plan or the steps with its error; nothing hangs, and no goroutine
// is left.
func TestFailingSource(t *testing.T) {
	h := historytest.New(t, filepath.Join(t.TempDir(), "source"), 3)
	h.Grow(4000)
	src := open(t, h.Dir)
	before := runtime.NumGoroutine()
	planned, stepped := 0, 0
	for left := 0; left < 300; left++ {
		f := &failing{Snapshot: src}
		f.left.Store(int64(left))
		p, err := snapshot.New(ctx, f, destlocal.Dry(), snapshot.Options{MaxBatchSize: 20, TxEntities: "used", Jobs: 1})
		if err != nil {
			require.ErrorIs(t, err, errDisk)
			planned++
			continue
		}
		if _, _, err = collect(p, 0); err == nil {
			break
		}
		require.ErrorIs(t, err, errDisk)
		stepped++
	}
	require.Positive(t, planned)
	require.Positive(t, stepped)

	f := &forgetful{src, false}
	p, err := snapshot.New(ctx, f, destlocal.Dry(), snapshot.Options{MaxBatchSize: 20, TxEntities: "used", Jobs: 3})
	require.NoError(t, err)
	f.planned = true
	_, _, err = collect(p, 0)
	require.Error(t, err, "a source that changed its mind")
	quiet(t, before)
}

func quiet(t testing.TB, before int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "%d goroutines, %d before", runtime.NumGoroutine(), before)
	}
}

// Whoever takes the steps may leave, or the context may end, after any of them.
func TestLeave(t *testing.T) {
	h := historytest.New(t, filepath.Join(t.TempDir(), "source"), 4)
	h.Grow(1500)
	p, err := snapshot.New(ctx, open(t, h.Dir), destlocal.Dry(), snapshot.Options{MaxBatchSize: 10, TxEntities: "used", Jobs: 3})
	require.NoError(t, err)
	before := runtime.NumGoroutine()
	for n := 0; n < int(p.End()); n += 3 {
		left := n
		for _, err := range p.Steps(ctx, 0) {
			require.NoError(t, err)
			if left--; left < 0 {
				break
			}
		}
		canceled, cancel := context.WithCancel(ctx)
		left = n
		next := dclone.T(0)
		var last error
		for s, err := range p.Steps(canceled, 0) {
			if last = err; err != nil {
				break
			}
			require.Equal(t, next, s.T-dclone.T(len(s.Lengths))+1, "a gap behind the cancel at step %d", n)
			next = s.T + 1
			if left--; left < 0 {
				cancel()
			}
		}
		cancel()
		require.True(t, errors.Is(last, context.Canceled) || next == p.End(), "step %d: ended at t %d of %d: %v", n, next, p.End(), last)
	}
	quiet(t, before)
}

func TestNotCarried(t *testing.T) {
	h := historytest.New(t, filepath.Join(t.TempDir(), "source"), 5)
	at := h.Commit(historytest.Datom(7, 63, "a doc", true))
	h.Commit(historytest.Datom(dclone.TxID(at), 63, "of a transaction", true))
	for opt, want := range map[snapshot.TxEntities]int64{"used": 0, "all": 0, "none": 1} {
		p, err := snapshot.New(ctx, open(t, h.Dir), destlocal.Dry(), snapshot.Options{MaxBatchSize: 20, TxEntities: opt, Jobs: 1})
		require.NoError(t, err)
		n := int64(0)
		for _, c := range p.NotCarried() {
			n += c.Count
		}
		require.Equal(t, want, n, opt)
	}
}
