package session_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/dest"
	"dclone/historytest/seeds"
	"dclone/interop"
	"dclone/replay"
	"dclone/session"
	"dclone/state"
)

func (p *livePair) keepSidecar(t testing.TB) []byte {
	b, err := os.ReadFile(p.Sidecar())
	require.NoError(t, err)
	return b
}

func (p *livePair) restoreSidecar(t testing.TB, b []byte) {
	require.NoError(t, os.WriteFile(p.Sidecar(), b, 0o666))
}

// A sidecar that is older than its clone finds in the source's log what the clone has beyond, and nothing is sent again.
func TestLiveOldSidecar(t *testing.T) {
	s := newLiveServer(t)
	sources := featureSources(t, s.jvm, 1, 3, 6, 8)
	p := s.pair(t, sources[0])
	p.must(t, session.Options{})
	first := p.keepSidecar(t)
	p.src = sources[1]
	p.must(t, session.Options{})
	second := p.keepSidecar(t)
	p.src = sources[2]
	want := p.must(t, session.Options{})
	for _, old := range [][]byte{first, second} {
		p.restoreSidecar(t, old)
		r := p.must(t, session.Options{})
		require.Equal(t, want.Position, r.Position)
		require.Equal(t, want.Session.NotCarried, r.Session.NotCarried)
		p.check(t)
	}
	p.restoreSidecar(t, first)
	p.src = sources[3]
	p.must(t, session.Options{})
	p.check(t)

	// A source that is older than the clone explains less than there is.
	p.restoreSidecar(t, first)
	p.src = sources[2]
	var drift *dest.DriftError
	_, err := p.sync(session.Options{})
	require.ErrorAs(t, err, &drift)
}

// The same with random histories, sidecars from between two acts of a run, and groups that were cut off.
func TestLiveOldSidecars(t *testing.T) {
	s := newLiveServer(t)
	s.jvm.Load(t, "random")
	walked := 0
	for _, seed := range seeds.Of(t, 4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 8))
			dir := t.TempDir()
			db := interop.Str(dir) + ` "dev" "random"`
			s.jvm.Eval(t, `(let [c (create `+db+`)] (random/schema! c) (release `+db+`))`)
			p := s.pair(t, filepath.Join(dir, "dev", "random"))
			p.opt.Settle = time.Millisecond
			waves := uint64(0)
			grow := func(n int) {
				waves++
				s.jvm.Eval(t, fmt.Sprintf(`(let [c (reopen %s)] (random/txs! c %d %d) (release %s))`, db, seed+waves*1000, n, db))
			}
			grow(15)
			var old [][]byte
			cuts := 0
			sync := func() bool {
				_, err := p.sync(session.Options{At: func(replay.Point) error {
					if r.IntN(4) == 0 && cuts < 10 {
						cuts++
						return errPlug
					}
					return nil
				}})
				if !errors.Is(err, errPlug) {
					require.NoError(t, err)
				}
				return err == nil
			}
			for !sync() {
			}
			old = append(old, p.keepSidecar(t))
			for range 5 {
				grow(5 + r.IntN(10))
				cuts = 0
				sync()
				old = append(old, p.keepSidecar(t))
			}
			for range 4 {
				p.restoreSidecar(t, old[r.IntN(len(old))])
				cuts = 0
				for !sync() {
				}
				p.check(t)
				walked++
			}
		})
	}
	require.NotZero(t, walked)
}

// What somebody else has written between is drift to an old sidecar too, and nothing is written.
func TestLiveOldSidecarDrift(t *testing.T) {
	s := newLiveServer(t)
	sources := featureSources(t, s.jvm, 1, 2, 3)
	p := s.pair(t, sources[0])
	p.must(t, session.Options{})
	first := p.keepSidecar(t)
	p.src = sources[1]
	p.must(t, session.Options{})
	p.Meddle(t)
	p.restoreSidecar(t, first)
	p.src = sources[2]
	was := p.Read(t)
	var drift *dest.DriftError
	for range 2 {
		_, err := p.sync(session.Options{})
		require.ErrorAs(t, err, &drift)
	}
	require.Equal(t, len(was.Txs), len(p.Read(t).Txs))
	require.LessOrEqual(t, drift.T, was.Txs[len(was.Txs)-1].T)
	store, err := state.OpenRead(p.Sidecar())
	require.NoError(t, err)
	defer store.Close()
	pos, err := store.Position()
	require.NoError(t, err)
	require.Less(t, pos.Clone.T, drift.T)
}
