package desttest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/replay"
	"dclone/session"
)

var errPlug = errors.New("the plug was pulled")

// pull returns an At that fails the n-th time it is asked, counting from 1.
func pull(n int) func(replay.Point) error {
	return func(p replay.Point) error {
		if n--; n == 0 {
			return fmt.Errorf("%s: %w", p, errPlug)
		}
		return nil
	}
}

// cutAt returns an At that fails at the n-th of the places of one name.
func cutAt(at replay.Point, n int) func(replay.Point) error {
	return func(p replay.Point) error {
		if p == at {
			if n--; n == 0 {
				return errPlug
			}
		}
		return nil
	}
}

// stopped runs with the plug pulled at the n-th place, and again without. It reports whether there was an n-th place.
func (p *pair) stopped(t testing.TB, n int, opt session.Options) bool {
	t.Helper()
	cut := opt
	cut.At = pull(n)
	if _, err := p.sync(t, cut); err == nil {
		return false
	} else {
		require.ErrorIs(t, err, errPlug, "stop %d", n)
	}
	p.must(t, opt)
	return true
}

// testStops pulls the plug before and after every act of a first copy, and of a catch-up.
func testStops(t *testing.T, k Kind) {
	k.Small(t, 2)
	step := 1
	if testing.Short() {
		step = 5
	}
	opt := session.Options{MaxBatchSize: 7}
	g := newGrowing(t)
	g.grow(4)
	calm := k.pair(t, g.h.Dir)
	calm.must(t, opt)
	calm.check(t)
	n := 1
	for ; ; n += step {
		p := k.pair(t, g.h.Dir)
		if !p.stopped(t, n, opt) {
			break
		}
		p.check(t)
		require.Equal(t, calm.length(t), p.length(t), "transactions of the clone, stop %d", n)
	}
	require.Greater(t, n, 15, "stops of the first copy")
	for n = 1; ; n += step {
		g.grow(4)
		if !calm.stopped(t, n, opt) {
			break
		}
		calm.check(t)
	}
	require.Greater(t, n, 8, "stops of the catch-up")
}

// testStopsAgain pulls it again and again, in what resumes too, while the source moves on.
func testStopsAgain(t *testing.T, k Kind) {
	k.Small(t, 2)
	r := rand.New(rand.NewPCG(6, 6))
	g := newGrowing(t)
	p := k.pair(t, g.h.Dir)
	cuts := 0
	for range 4 {
		for range 5 {
			g.grow(1 + r.IntN(2))
			_, err := p.sync(t, session.Options{MaxBatchSize: 7, At: pull(1 + r.IntN(12))})
			if err != nil {
				require.ErrorIs(t, err, errPlug)
				cuts++
			}
		}
		p.must(t, session.Options{MaxBatchSize: 7})
		p.check(t)
	}
	require.Greater(t, cuts, 5)
}
