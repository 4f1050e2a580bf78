package session_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	destlive "dclone/dest/live"
	"dclone/historytest/seeds"
	"dclone/replay"
	"dclone/session"
)

// A flaky is a database whose answers get lost.
type flaky struct {
	destlive.DB
	r    *rand.Rand
	rate int // one in so many is lost
	lost *int
	mu   sync.Mutex
}

func (f *flaky) Transact(ctx context.Context, data []byte) (live.Report, error) {
	fate, done := f.draw()
	time.Sleep(rand.N(2 * time.Millisecond)) // so that those under way at once come in any order
	if done {
		if r, err := f.DB.Transact(ctx, data); err != nil || fate == nil {
			return r, err
		}
	}
	return live.Report{}, fate
}

// draw says what becomes of a transaction: the error that is told, and whether it is done nevertheless.
func (f *flaky) draw() (told error, done bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch f.r.IntN(4 * f.rate) {
	case 0:
		return fmt.Errorf("not taken: %w", live.ErrBusy), false
	case 1:
		*f.lost++
		return fmt.Errorf("lost on the way there: %w", live.ErrUnknownOutcome), false
	case 2:
		*f.lost++
		return fmt.Errorf("lost on the way back: %w", live.ErrUnknownOutcome), true
	case 3: // the run is over, before or behind the transaction
		return errPlug, f.r.IntN(2) == 0
	}
	return nil, true
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
	allLost, allCuts := 0, 0
	for _, seed := range seeds.Of(t, fewer(3)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			p, lost, cuts := s.pair(t, ""), 0, 0
			connect := p.opt.Connect
			p.opt.Settle = time.Millisecond
			p.opt.Connect = func(ctx context.Context) (*destlive.Connection, error) {
				c, err := connect(ctx)
				if err == nil {
					c.DB = &flaky{DB: c.DB, r: r, rate: 10 + r.IntN(20), lost: &lost}
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
			allLost, allCuts = allLost+lost, allCuts+cuts
		})
	}
	require.NotZero(t, allLost)
	require.NotZero(t, allCuts)
}

// A stubborn is a database that answers every transaction with the same error, which does not say no.
type stubborn struct{ destlive.DB }

func (stubborn) Transact(context.Context, []byte) (live.Report, error) {
	return live.Report{}, fmt.Errorf("%w: %w", live.ErrUnknownOutcome, &live.RemoteError{Class: "java.lang.NullPointerException"})
}

// An error of Datomic's own that comes again is no outcome that got lost: the run ends, and another one can go on.
func TestLiveFailing(t *testing.T) {
	s := newLiveServer(t)
	p := s.pair(t, featureSources(t, s.jvm, 3)[0])
	connect, connected := p.opt.Connect, 0
	p.opt.Settle = time.Millisecond
	p.opt.Connect = func(ctx context.Context) (*destlive.Connection, error) {
		c, err := connect(ctx)
		connected++
		if err == nil {
			c.DB = stubborn{c.DB}
		}
		return c, err
	}
	_, err := p.sync(session.Options{})
	require.ErrorIs(t, err, live.ErrUnknownOutcome)
	require.ErrorContains(t, err, "the same answer twice, and nothing of it was in the clone after the first")
	require.Equal(t, 2, connected)
	p.opt.Connect = connect
	require.True(t, p.must(t, session.Options{}).Resumed)
	p.check(t)
}
