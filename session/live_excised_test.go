package session_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	"dclone/fit"
	"dclone/historytest"
	"dclone/replay"
	"dclone/session"
)

// smallGroups makes groups of so many transactions.
func smallGroups(t testing.TB, txs int) {
	before := *session.LiveLimits
	t.Cleanup(func() { *session.LiveLimits = before })
	*session.LiveLimits = replay.Limits{Txs: txs, Bytes: 1 << 30, After: time.Hour}
}

// A source that excises while the first copy is under way stops it: what was written may be gone, and a running Datomic
// cannot be told to forget. An empty database and --restart go on.
func TestLiveExcisedWhileLoading(t *testing.T) {
	s := newLiveServer(t)
	p := s.pair(t, t.TempDir())
	h := historytest.New(t, p.src, 4)
	h.Step(20)
	name := h.Attribute("name", 23, false)
	secret := dclone.MakeEntityID(17, 900_000)
	h.Commit(historytest.Datom(secret, name, "secret", true), historytest.Datom(secret+1, name, "open", true))
	f := newForeign(t, p.src, 3)
	smallGroups(t, 2)
	groups := 0
	_, err := p.Sync(f, p.options(session.Options{MaxBatchSize: 7, At: func(p replay.Point) error {
		if p == replay.AfterCommit {
			if groups++; groups == 3 {
				return errPlug
			}
		}
		return nil
	}}))
	require.ErrorIs(t, err, errPlug)
	f.gone, f.excised = secret, true
	for range 2 {
		_, err = p.Sync(f, p.options(session.Options{}))
		require.ErrorIs(t, err, session.ErrReplaced)
		require.ErrorContains(t, err, "create an empty one and use --restart")
	}
	_, err = p.Sync(f, p.options(session.Options{Restart: true}))
	require.ErrorIs(t, err, session.ErrNotEmpty, "it is not empty yet")

	fresh := s.pair(t, p.src)
	fresh.restoreSidecar(t, p.keepSidecar(t))
	r, err := fresh.Sync(f, fresh.options(session.Options{Restart: true}))
	require.NoError(t, err)
	require.Equal(t, session.Initial, r.Status)
	all := values(t, fresh.dir())
	require.Contains(t, all, fmt.Sprintf("%v % x", h.Model().Name[name], []byte(fv("open"))))
	require.NotContains(t, all, fmt.Sprintf("%v % x", h.Model().Name[name], []byte(fv("secret"))))
	r, err = fresh.Sync(f, fresh.options(session.Options{}))
	require.NoError(t, err)
	require.Equal(t, session.UpToDate, r.Status)
}

// A source that has excised at the position goes on, and is told of once.
func TestLiveExcised(t *testing.T) {
	s := newLiveServer(t)
	p := s.pair(t, t.TempDir())
	h := historytest.New(t, p.src, 3)
	h.Step(10)
	f := newForeign(t, p.src, 3)
	_, err := p.Sync(f, p.options(session.Options{}))
	require.NoError(t, err)
	f.excised = true
	first, err := p.Sync(f, p.options(session.Options{}))
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(session.Outstanding(first.Session), func(n dclone.NotCarried) bool {
		return n.Attribute == ":db/excise" && n.Reason == replay.ReasonExcised
	}))
	again, err := p.Sync(f, p.options(session.Options{}))
	require.NoError(t, err)
	require.Equal(t, first.Session.NotCarried, again.Session.NotCarried)
}

// Excisions are commands to a running Datomic: a first copy does not repeat them, and of what they forgot it has nothing.
func TestLiveExcisions(t *testing.T) {
	s := newLiveServer(t)
	p := s.pair(t, t.TempDir())
	h := historytest.New(t, p.src, 5)
	name := h.Attribute("name", 23, false)
	var excise, before dclone.EntityID
	local.EachBootstrapDatom(func(d dclone.Datom) {
		switch string(d.V) {
		case string(fv(dclone.Kw("db", "excise"))):
			excise = d.E
		case string(fv(dclone.Kw("db.excise", "beforeT"))):
			before = d.E
		}
	})
	require.NotZero(t, excise*before)
	e := dclone.MakeEntityID(17, 900_000)
	h.Commit(historytest.Datom(e, name, "one", true), historytest.Datom(e+1, excise, int64(e), true), historytest.Datom(e+1, before, int64(6), true))
	r := p.must(t, session.Options{})
	require.Equal(t, []dclone.NotCarried{
		{Attribute: ":db.excise/beforeT", Reason: fit.ReasonCommand, Count: 1, FirstT: r.Position.Source.T},
		{Attribute: ":db/excise", Reason: fit.ReasonCommand, Count: 1, FirstT: r.Position.Source.T}}, r.Session.NotCarried)
	h.Commit(historytest.Datom(e+2, excise, int64(e), true), historytest.Datom(e+2, before, int64(7), true), historytest.Datom(e+2, name, "two", true))
	r = p.must(t, session.Options{})
	require.Contains(t, r.Session.NotCarried, dclone.NotCarried{Attribute: ":db/excise", Reason: replay.ReasonExcised, Count: 1, FirstT: r.Position.Source.T})
	db := p.Read(t)
	for f := range db.Facts() {
		require.NotContains(t, []dclone.EntityID{excise, before}, f.A, db.Name[f.A])
	}
}
