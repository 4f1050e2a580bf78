package session_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	"dclone/dest"
	destlive "dclone/dest/live"
	"dclone/historytest/seeds"
	"dclone/interop"
	"dclone/replay"
	"dclone/session"
)

// A flaky is a database whose answers get lost.
type flaky struct {
	destlive.DB
	r    *rand.Rand
	rate int // one in so many is lost
	lost *int
}

func (f *flaky) Transact(ctx context.Context, data []byte) (live.Report, error) {
	switch f.r.IntN(4 * f.rate) {
	case 0:
		return live.Report{}, fmt.Errorf("not taken: %w", live.ErrBusy)
	case 1:
		*f.lost++
		return live.Report{}, fmt.Errorf("lost on the way there: %w", live.ErrUnknownOutcome)
	case 2:
		*f.lost++
		if _, err := f.DB.Transact(ctx, data); err != nil {
			return live.Report{}, err
		}
		return live.Report{}, fmt.Errorf("lost on the way back: %w", live.ErrUnknownOutcome)
	case 3: // the run is over, before or behind the transaction
		if f.r.IntN(2) == 0 {
			if _, err := f.DB.Transact(ctx, data); err != nil {
				return live.Report{}, err
			}
		}
		return live.Report{}, errPlug
	}
	return f.DB.Transact(ctx, data)
}

// featureSources makes a database with every feature, and returns copies of it as it was after some waves.
func featureSources(t testing.TB, jvm *interop.JVM, waves ...int) []string {
	jvm.Load(t, "features")
	dir := t.TempDir()
	db := interop.Str(dir) + ` "dev" "features"`
	jvm.Eval(t, `(do (create `+db+`) (release `+db+`))`)
	var copies []string
	for wave := 1; len(copies) < len(waves); wave++ {
		jvm.Eval(t, fmt.Sprintf(`(do (features/run-wave! (reopen %s) %d) (release %s))`, db, wave, db))
		if wave == waves[len(copies)] {
			to := filepath.Join(t.TempDir(), "features")
			copyDir(t, filepath.Join(dir, "dev", "features"), to)
			copies = append(copies, to)
		}
	}
	return copies
}

// Whatever answers are lost and wherever runs are cut, the clone is that of a run without mishap.
func TestLiveMishaps(t *testing.T) {
	s := newLiveServer(t)
	sources := featureSources(t, s.jvm, 3, 6)
	calm := s.pair(t, "")
	var want []dclone.T
	for _, calm.src = range sources {
		want = append(want, calm.must(t, session.Options{MaxBatchSize: 20}).Position.Clone.T)
		calm.check(t)
	}
	for _, seed := range seeds.Of(t, 3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			p, lost, cuts := s.pair(t, ""), 0, 0
			connect := p.opt.Connect
			p.opt.Settle = time.Millisecond
			p.opt.Connect = func(ctx context.Context) (*destlive.Connection, error) {
				c, err := connect(ctx)
				if err == nil {
					c.DB = &flaky{c.DB, r, 10 + r.IntN(20), &lost}
				}
				return c, err
			}
			for i, src := range sources {
				p.src = src
				left := 25
				for {
					opt := session.Options{At: func(replay.Point) error {
						if left > 0 && r.IntN(3) == 0 {
							left--
							return errPlug
						}
						return nil
					}}
					if i == 0 {
						opt.MaxBatchSize = 20
					}
					result, err := p.sync(opt)
					if errors.Is(err, errPlug) {
						cuts++
						continue
					}
					require.NoError(t, err)
					require.Equal(t, want[i], result.Position.Clone.T, "transactions of the clone")
					break
				}
				p.check(t)
			}
			t.Logf("%d answers lost, %d runs cut", lost, cuts)
			require.NotZero(t, lost)
			require.NotZero(t, cuts)
		})
	}
}

// A clone that somebody else has written to is left alone.
func TestLiveDrift(t *testing.T) {
	s := newLiveServer(t)
	sources := featureSources(t, s.jvm, 1, 2)
	foreign := func(p *livePair) {
		c, err := p.opt.Connect(context.Background())
		require.NoError(t, err)
		_, err = c.DB.Transact(context.Background(), []byte{0xe4}) // an empty list
		require.NoError(t, err)
	}
	t.Run("between runs", func(t *testing.T) {
		p := s.pair(t, sources[0])
		p.must(t, session.Options{})
		foreign(p)
		var drift *dest.DriftError
		_, err := p.sync(session.Options{})
		require.ErrorAs(t, err, &drift)
		p.src = sources[1]
		_, err = p.sync(session.Options{})
		require.ErrorAs(t, err, &drift)
	})
	for _, at := range []replay.Point{replay.BeforeWrite, replay.BeforeSync, replay.BeforeCommit} {
		t.Run(string(at), func(t *testing.T) {
			p := s.pair(t, sources[0])
			p.must(t, session.Options{})
			p.src = sources[1]
			groups := 0
			_, err := p.sync(session.Options{At: func(point replay.Point) error {
				if point == at {
					if groups++; groups == 1 {
						foreign(p)
						return errPlug
					}
				}
				return nil
			}})
			require.ErrorIs(t, err, errPlug)
			var drift *dest.DriftError
			_, err = p.sync(session.Options{})
			require.ErrorAs(t, err, &drift)
		})
	}
	t.Run("during a run", func(t *testing.T) {
		p := s.pair(t, sources[0])
		p.must(t, session.Options{})
		p.src = sources[1]
		_, err := p.sync(session.Options{At: func(point replay.Point) error {
			if point == replay.BeforeWrite {
				foreign(p)
			}
			return nil
		}})
		var drift *dest.DriftError
		require.ErrorAs(t, err, &drift)
		_, err = p.sync(session.Options{})
		require.ErrorAs(t, err, &drift)
	})
}

// A first copy needs an empty database, and a session its own.
func TestLiveClaims(t *testing.T) {
	s := newLiveServer(t)
	sources := featureSources(t, s.jvm, 1)
	p := s.pair(t, sources[0])
	p.must(t, session.Options{})
	other := *p
	other.storage = t.TempDir() // another place for the sidecar
	_, err := other.sync(session.Options{})
	require.ErrorIs(t, err, session.ErrClaimed)
	_, err = p.sync(session.Options{Restart: true})
	require.ErrorIs(t, err, session.ErrClaimed)
	require.Equal(t, session.UpToDate, p.must(t, session.Options{}).Status)

	// The same sidecar, and a database that was made afresh.
	fresh := s.pair(t, sources[0])
	fresh.storage = p.storage
	_, err = fresh.sync(session.Options{})
	require.ErrorIs(t, err, dest.ErrStale)
}
