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
	destlive "dclone/dest/live"
	"dclone/eidmap"
	"dclone/fit"
	"dclone/historytest"
	"dclone/interop"
	"dclone/session"
	sourcelive "dclone/source/live"
	"dclone/state"
)

// A clone in Datomic Pro, through the peer API. It is in memory, so what it holds is read through the peer too.
func TestLivePeer(t *testing.T) {
	jvm := interop.Start(t)
	ctx := context.Background()
	child, err := live.Start(ctx, live.Options{Classpath: interop.ProClasspath(t), JVMOpts: quickJVM})
	require.NoError(t, err)
	defer child.Close()
	r, lost := rand.New(rand.NewPCG(1, 2)), 0
	for i, waves := range [][]int{{1, 3, 6}, {8}} {
		uri := fmt.Sprintf("datomic:mem://clone-%d", i)
		created, err := child.Create(ctx, live.PeerAPI, uri, "")
		require.NoError(t, err)
		require.True(t, created)
		p := &livePair{storage: t.TempDir(), target: destlive.Target{API: live.PeerAPI, Arg: uri}}
		p.opt.Settle = time.Millisecond
		p.opt.Connect = func(ctx context.Context) (*destlive.Connection, error) {
			c, err := p.target.ConnectTo(ctx, child, func() {})
			if err == nil && i == 0 {
				c.DB = &flaky{DB: c.DB, r: r, rate: 10, lost: &lost}
			}
			return c, err
		}
		for _, p.src = range featureSources(t, jvm, waves...) {
			began := time.Now()
			result, err := p.sync(session.Options{MaxBatchSize: 50})
			for errors.Is(err, errPlug) {
				result, err = p.sync(session.Options{})
			}
			require.NoError(t, err)
			t.Logf("%s: t %d, %d datoms in %v, %v", result.Status, result.Position.Source.T, result.Datoms, time.Since(began),
				result.Session.NotCarried)
			db, err := child.Connect(ctx, live.PeerAPI, uri, "")
			require.NoError(t, err)
			conn, err := sourcelive.Open(ctx, db, sourcelive.Options{})
			require.NoError(t, err)
			p.checkPeer(t, conn)
		}
	}
	require.NotZero(t, lost)
}

// checkPeer holds what the clone's log comes to against the source's.
func (p *livePair) checkPeer(t *testing.T, conn *sourcelive.Conn) {
	t.Helper()
	store, err := state.OpenRead(p.Sidecar())
	require.NoError(t, err)
	defer store.Close()
	of, err := store.Session()
	require.NoError(t, err)
	pos, err := store.Position()
	require.NoError(t, err)
	require.Equal(t, conn.Basis(), pos.Clone.T)
	dst, err := destlive.Open(context.Background(), p.opt)
	require.NoError(t, err)
	_, f, err := session.ReadFit(store, of, dst)
	require.NoError(t, err)
	src := historytest.ReadAt(t, p.src, pos.Source.T)
	have := map[historytest.Fact]bool{}
	for tx, err := range conn.Txs(context.Background(), conn.Born()+1) {
		require.NoError(t, err)
		for _, d := range tx.Datoms {
			if fact := (historytest.Fact{E: d.E, A: d.A, V: string(d.V)}); d.Added {
				have[fact] = true
			} else {
				delete(have, fact)
			}
		}
	}
	require.NoError(t, store.View(func(tx *state.Tx) error {
		m, err := tx.Map()
		require.NoError(t, err)
		p.comparePeer(t, src, have, of, f, func(e dclone.EntityID) (dclone.EntityID, bool) {
			if c, ok := f.Builtin(e); ok {
				return c, true
			}
			c, ok, err := m.Clone(e)
			require.NoError(t, err)
			return c, ok
		})
		return nil
	}))
}

func (p *livePair) comparePeer(t *testing.T, src *historytest.Database, have map[historytest.Fact]bool, of state.Session, f *fit.Fit,
	to func(dclone.EntityID) (dclone.EntityID, bool)) {
	t.Helper()
	lost := map[string]bool{}
	for _, n := range of.NotCarried {
		lost[n.Attribute] = n.Reason != destlive.ReasonPredicates
	}
	carried := 0
	for fact := range src.Facts() {
		name := src.Name[fact.A]
		e, known := to(fact.E)
		if name.Namespace == "db.install" || name.Namespace == "db.alter" || lost[name.String()] ||
			name == dclone.Kw("db", "txInstant") || born(src, fact) {
			continue
		}
		require.True(t, known, "entity %d of %v has no clone", fact.E, name)
		a, _ := to(fact.A)
		refs := dclone.NoRefs
		src.EachRef(fact.A, func(element int, whole bool) {
			if whole {
				refs = dclone.WholeRef
			} else {
				refs |= 1 << element
			}
		}, func(int) {})
		v, err := eidmap.Rewrite(nil, dclone.Value(fact.V), refs, func(e dclone.EntityID) (dclone.EntityID, error) {
			c, ok := to(e)
			require.True(t, ok, "value of %v has no clone", name)
			return c, nil
		})
		require.NoError(t, err)
		want := historytest.Fact{E: e, A: a, V: string(v)}
		require.True(t, have[want], "missing: %v of source entity %d, clone %d: % x", name, fact.E, e, want.V[:min(40, len(want.V))])
		delete(have, want)
		carried++
	}
	require.NotZero(t, carried)
	for fact := range have {
		a, _ := f.Source(fact.A)
		switch src.Name[a] {
		case dclone.Kw("db", "txInstant"), dclone.Kw("db.install", "attribute"), dclone.Kw("db.install", "partition"),
			dclone.Kw("db.alter", "attribute"):
		default:
			require.Fail(t, "too much", "entity %d, %v: % x", fact.E, src.Name[a], fact.V[:min(40, len(fact.V))])
		}
	}
}

// born reports whether a fact is of the bootstrap.
func born(src *historytest.Database, f historytest.Fact) bool {
	for _, tx := range src.Txs[:6] {
		for _, d := range tx.Datoms {
			if d.E == f.E && d.A == f.A && string(d.V) == f.V {
				return true
			}
		}
	}
	return false
}

// A database is not cloned to itself, whatever names it has.
func TestLiveSame(t *testing.T) {
	ctx := context.Background()
	child, err := live.Start(ctx, live.Options{Classpath: interop.ProClasspath(t)})
	require.NoError(t, err)
	defer child.Close()
	const uri = "datomic:mem://same"
	_, err = child.Create(ctx, live.PeerAPI, uri, "")
	require.NoError(t, err)
	db, err := child.Connect(ctx, live.PeerAPI, uri, "")
	require.NoError(t, err)
	src, err := sourcelive.Open(ctx, db, sourcelive.Options{})
	require.NoError(t, err)
	target := destlive.Target{API: live.PeerAPI, Arg: uri}
	dst, err := destlive.Open(ctx, destlive.Options{Connect: func(ctx context.Context) (*destlive.Connection, error) {
		return target.ConnectTo(ctx, child, func() {})
	}})
	require.NoError(t, err)
	sidecar := filepath.Join(t.TempDir(), "dclone.state")
	_, err = session.SyncLive(ctx, src, dst, sidecar, session.Options{})
	require.ErrorIs(t, err, session.ErrSame)
	require.NoFileExists(t, sidecar)
}
