package session_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/historytest"
	"dclone/replay"
	"dclone/session"
)

var errPlug = errors.New("the plug was pulled")

// small makes groups so small that a short history has several.
func small(t testing.TB, txs int) {
	replayed, loaded := replay.ReplayLimits, replay.LoadLimits
	t.Cleanup(func() { replay.ReplayLimits, replay.LoadLimits = replayed, loaded })
	replay.ReplayLimits = replay.Limits{Txs: txs, Bytes: 1 << 30, After: time.Hour}
	replay.LoadLimits = replay.ReplayLimits
}

// pull returns an At that fails the n-th time it is asked, counting from 1.
func pull(n int) func(replay.Point) error {
	return func(p replay.Point) error {
		if n--; n == 0 {
			return fmt.Errorf("%s: %w", p, errPlug)
		}
		return nil
	}
}

// seen makes sure that real Datomic Local, looking now, finds no database or a whole one: see
// the table of states it opens rightly in the format's description. It returns whether db.log
// is torn, which only a kill within a write may leave.
func seen(t testing.TB, dir string) (torn bool) {
	t.Helper()
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	has := map[string]bool{}
	root := ""
	for _, n := range names {
		has[n.Name()] = true
		if strings.HasPrefix(n.Name(), "db-root-") {
			root = n.Name()
		}
	}
	if !has["db.log"] {
		require.False(t, has["log.idx"], "create-database would build on a log.idx without a log")
		require.Empty(t, root, "create-database would build on a root without a log")
		return false
	}
	log := read(t, filepath.Join(dir, "db.log"))
	txs, err := historytest.Split([]byte(log))
	require.NotEmpty(t, txs)
	end := txs[len(txs)-1].To
	torn = err != nil
	if root != "" {
		for _, name := range []string{"eavt", "aevt", "avet", "vaet"} {
			var at int
			_, err := fmt.Sscanf(root, "db-root-%d", &at)
			require.NoError(t, err)
			require.True(t, has[fmt.Sprintf("index-%s-%d", name, at)], "%s names index-%s-%d", root, name, at)
			require.LessOrEqual(t, at, int(txs[len(txs)-1].T), "%s is ahead of the log", root)
		}
	}
	if !has["log.idx"] {
		return torn
	}
	idx := read(t, filepath.Join(dir, "log.idx"))
	require.Zero(t, len(idx)%8)
	require.GreaterOrEqual(t, len(idx)/8, len(txs), "log.idx misses frames")
	require.LessOrEqual(t, len(idx)/8, len(txs)+1, "log.idx is more than one entry ahead")
	for i, tx := range txs {
		if got := binary.BigEndian.Uint64([]byte(idx[8*i : 8*i+8])); got != uint64(tx.From) {
			require.Fail(t, "log.idx is wrong", "entry %d is %d, not %d", i, got, tx.From)
		}
	}
	if len(idx)/8 > len(txs) {
		require.Equal(t, uint64(end), binary.BigEndian.Uint64([]byte(idx[8*len(txs):])), "the entry ahead")
	}
	return torn
}

// A scenario is a source at two times, with the clone that nothing ever interrupted.
type scenario struct {
	dir         string
	h           *historytest.History
	src1, src2  string // the source early and late
	dst1        string // the clone of the early one
	want1       [2]string
	want2       [2]string
	opt         session.Options
	first, next int // calls of At
}

func newScenario(t *testing.T, seed uint64, before, after int, opt session.Options) *scenario {
	t.Helper()
	s := &scenario{dir: t.TempDir(), opt: opt}
	live := filepath.Join(s.dir, "source")
	s.src1, s.src2, s.dst1 = s.path("source1"), s.path("source2"), s.path("clone1")
	s.h = historytest.New(t, live, seed)
	s.h.Step(before)
	copyDir(t, live, s.src1)
	s.h.Step(after)
	copyDir(t, live, s.src2)

	count := func(n *int) session.Options {
		opt := s.opt
		opt.At = func(replay.Point) error { *n++; return nil }
		return opt
	}
	p := pair{s.src1, s.dst1}
	p.must(t, count(&s.first))
	p.check(t)
	s.want1 = p.log(t)
	q := pair{s.src2, s.path("clone2")}
	copyDir(t, s.dst1, q.dst)
	q.must(t, count(&s.next))
	q.check(t)
	s.want2 = q.log(t)
	return s
}

func (s *scenario) path(name string) string { return filepath.Join(s.dir, name) }

func (s *scenario) at(f func(replay.Point) error) session.Options {
	opt := s.opt
	opt.At = f
	return opt
}

// The plug is pulled before and after every act of every group of the first copy.
func TestStopFirstCopy(t *testing.T) {
	small(t, 3)
	s := newScenario(t, 3, 40, 20, session.Options{MaxBatchSize: 7, NoIndex: true})
	require.Greater(t, s.first, 30, "calls of At")
	for n := 1; n <= s.first; n++ {
		p := pair{s.src1, s.path("stopped")}
		require.NoError(t, os.RemoveAll(p.dst))
		_, err := p.sync(s.at(pull(n)))
		require.ErrorIs(t, err, errPlug, "stop %d", n)
		seen(t, p.dst)
		require.NoFileExists(t, filepath.Join(p.dst, "db.log"))
		r := p.must(t, s.opt)
		require.True(t, r.Resumed)
		sameLogs(t, s.want1, p.log(t), "stop %d of %d", n, s.first)
		if n%10 == 0 {
			p.check(t)
		}
	}
}

// The plug is pulled before and after every act of every group of a catch-up.
func TestStopCatchUp(t *testing.T) {
	small(t, 3)
	s := newScenario(t, 4, 30, 40, session.Options{})
	require.Greater(t, s.next, 30, "calls of At")
	for n := 1; n <= s.next; n++ {
		p := pair{s.src2, s.path("stopped")}
		copyDir(t, s.dst1, p.dst)
		_, err := p.sync(s.at(pull(n)))
		require.ErrorIs(t, err, errPlug, "stop %d", n)
		seen(t, p.dst)
		p.must(t, s.opt)
		seen(t, p.dst)
		sameLogs(t, s.want2, p.log(t), "stop %d of %d", n, s.next)
		if n%10 == 0 {
			p.check(t)
		}
	}
}

// The source moves on between the stop and the next run: what was begun is finished as it was
// begun, and what is new comes behind.
func TestStopWhileSourceMoves(t *testing.T) {
	small(t, 4)
	s := newScenario(t, 5, 25, 25, session.Options{MaxBatchSize: 5})
	for n := 1; n <= s.first; n += 3 {
		p := pair{s.src1, s.path("stopped")}
		require.NoError(t, os.RemoveAll(p.dst))
		_, err := p.sync(s.at(pull(n)))
		require.ErrorIs(t, err, errPlug)
		p.src = s.src2
		p.must(t, s.opt)
		sameLogs(t, s.want2, p.log(t), "stop %d of %d", n, s.first)
	}
	p := pair{s.src2, s.path("stopped")}
	p.check(t)
}

// Recovery is interrupted too, again and again at random places.
func TestStopAgain(t *testing.T) {
	small(t, 3)
	s := newScenario(t, 6, 25, 25, session.Options{MaxBatchSize: 11})
	r := rand.New(rand.NewPCG(6, 6))
	for round := range 30 {
		p := pair{s.src1, s.path("stopped")}
		require.NoError(t, os.RemoveAll(p.dst))
		p.pullOften(t, s, r)
		sameLogs(t, s.want1, p.log(t), "first copy, round %d", round)
		p.src = s.src2
		p.pullOften(t, s, r)
		sameLogs(t, s.want2, p.log(t), "catch-up, round %d", round)
	}
}

// pullOften runs until nothing pulls the plug any more.
func (p pair) pullOften(t *testing.T, s *scenario, r *rand.Rand) {
	t.Helper()
	for range 1000 {
		_, err := p.sync(s.at(pull(1 + r.IntN(12))))
		if err == nil {
			return
		}
		require.ErrorIs(t, err, errPlug)
		seen(t, p.dst)
	}
	require.Fail(t, "a thousand runs have not come to an end")
}

// The context ends at one act or the other; Stop is asked to end the run at every group.
func TestCancel(t *testing.T) {
	small(t, 1)
	s := newScenario(t, 7, 12, 20, session.Options{MaxBatchSize: 2, Jobs: 4, NoIndex: true})
	for n := 1; n <= s.first; n += 9 {
		p := pair{s.src1, s.path("stopped")}
		require.NoError(t, os.RemoveAll(p.dst))
		ctx, cancel := context.WithCancel(context.Background())
		at := pull(n)
		_, err := p.syncContext(ctx, s.at(func(point replay.Point) error {
			if at(point) != nil {
				cancel()
			}
			return nil
		}))
		if err != nil {
			require.ErrorIs(t, err, context.Canceled, "stop %d", n)
		}
		cancel()
		p.must(t, s.opt)
		sameLogs(t, s.want1, p.log(t), "cancel %d of %d", n, s.first)
	}
	p := pair{s.src2, s.path("stopped")}
	for {
		asked := 0
		opt := s.opt
		opt.Stop = func() bool { asked++; return true }
		_, err := p.sync(opt)
		if err == nil {
			break
		}
		require.ErrorIs(t, err, replay.ErrStopped)
		require.Equal(t, 1, asked)
	}
	sameLogs(t, s.want2, p.log(t), "stop at each group")
}
