package desttest

import (
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/dest"
	"dclone/replay"
	"dclone/session"
)

// refused runs twice, wants one of some errors, and that nothing was written.
func (p *pair) refused(t testing.TB, opt session.Options, want ...error) {
	t.Helper()
	before := p.Read(t).Txs
	for range 2 {
		_, err := p.sync(t, opt)
		is := false
		for _, w := range want {
			is = is || errors.Is(err, w)
		}
		require.True(t, is, "%v is none of %v", err, want)
		require.Equal(t, before, p.Read(t).Txs, "something was written: %v", err)
	}
}

// drifted is refused for drift.
func (p *pair) drifted(t testing.TB) {
	t.Helper()
	before := p.Read(t).Txs
	for range 2 {
		var drift *dest.DriftError
		_, err := p.sync(t, session.Options{})
		require.ErrorAs(t, err, &drift)
		require.Equal(t, before, p.Read(t).Txs, "something was written: %v", err)
	}
}

// testMeddled has somebody else write to a clone, where no run is under way and where one was cut.
func testMeddled(t *testing.T, k Kind) {
	k.Small(t, 2)
	t.Run("between runs", func(t *testing.T) {
		g := newGrowing(t)
		g.grow(2)
		p := k.pair(t, g.h.Dir)
		p.must(t, session.Options{})
		p.Meddle(t)
		p.drifted(t)
		g.grow(3)
		p.drifted(t)
	})
	for _, at := range []replay.Point{replay.BeforeIntent, replay.BeforeWrite, replay.BeforeSync, replay.BeforeCommit, replay.AfterCommit} {
		t.Run(string(at), func(t *testing.T) {
			g := newGrowing(t)
			p := k.pair(t, g.h.Dir)
			p.must(t, session.Options{})
			g.grow(5)
			_, err := p.sync(t, session.Options{At: cutAt(at, 2)})
			require.ErrorIs(t, err, errPlug)
			p.Meddle(t)
			p.drifted(t)
		})
	}
	t.Run("during a run", func(t *testing.T) {
		if !k.Caps.Shared {
			t.Skip("who writes such a clone has it alone")
		}
		g := newGrowing(t)
		p := k.pair(t, g.h.Dir)
		p.must(t, session.Options{})
		g.grow(5)
		var drift *dest.DriftError
		_, err := p.sync(t, session.Options{At: func(at replay.Point) error {
			if at == replay.BeforeWrite {
				p.Meddle(t)
			}
			return nil
		}})
		require.ErrorAs(t, err, &drift)
		p.drifted(t)
	})
}

// testClaims brings together what does not belong together.
func testClaims(t *testing.T, k Kind) {
	t.Run("somebody's database", func(t *testing.T) {
		p := k.pair(t, plain(t, 2))
		p.Meddle(t)
		p.refused(t, session.Options{}, session.ErrNotEmpty)
		p.refused(t, session.Options{Restart: true}, session.ErrNotEmpty)
		require.NoFileExists(t, p.Sidecar())
	})
	t.Run("the sidecar is lost", func(t *testing.T) {
		p := k.pair(t, plain(t, 2))
		p.must(t, session.Options{})
		require.NoError(t, os.Remove(p.Sidecar()))
		p.refused(t, session.Options{}, session.ErrNotEmpty)
	})
	t.Run("another database in the clone's place", func(t *testing.T) {
		p, q := k.pair(t, plain(t, 4)), k.pair(t, plain(t, 2))
		p.must(t, session.Options{})
		q.must(t, session.Options{TxEntities: "all"})
		sidecar, err := os.ReadFile(p.Sidecar())
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(q.Sidecar(), sidecar, 0o600))
		q.src = p.src
		q.refused(t, session.Options{}, dest.ErrStale, dest.ErrForeign, session.ErrClaimed)
	})
}

// testSources comes with a source that is not the session's, or no longer.
func testSources(t *testing.T, k Kind) {
	g := newGrowing(t)
	g.grow(3)
	p := k.pair(t, g.h.Dir)
	p.must(t, session.Options{})
	want := p.src
	p.src = plain(t, 2) // it went back
	p.refused(t, session.Options{}, session.ErrReplaced)
	other := newGrowing(t)
	for range 4 {
		other.h.Commit(say(user(7), attrDoc, "another database"))
	}
	p.src = other.h.Dir
	p.refused(t, session.Options{}, session.ErrReplaced)
	p.src = want
	g.grow(1)
	p.must(t, session.Options{})
	p.check(t)
}

// testRestart throws a clone away, where a session can.
func testRestart(t *testing.T, k Kind) {
	p := k.pair(t, plain(t, 3))
	p.must(t, session.Options{})
	if !k.Caps.Restart {
		p.refused(t, session.Options{Restart: true}, session.ErrNotEmpty)
		return
	}
	p.src = plain(t, 1)
	p.must(t, session.Options{Restart: true})
	p.check(t)
}
