package session_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	destlive "dclone/dest/live"
	"dclone/eidmap"
	"dclone/fressian"
	"dclone/historytest"
	"dclone/interop"
	"dclone/session"
	sourcelocal "dclone/source/local"
	"dclone/state"
)

// A livePair is a source directory, and a clone that Datomic Local serves to a child of dclone.
type livePair struct {
	src, storage, name string
	target             destlive.Target
	opt                destlive.Options
}

// A liveServer is a child that all clones of a test use, which is faster than one for each run.
type liveServer struct {
	child *live.Child
	jvm   *interop.JVM
}

func newLiveServer(t testing.TB) *liveServer {
	jvm := interop.Start(t)
	child, err := live.Start(context.Background(), live.Options{Classpath: interop.Classpath(t), Log: func(line string) { t.Log(line) }})
	require.NoError(t, err)
	t.Cleanup(func() { child.Close() })
	return &liveServer{child, jvm}
}

// pair makes an empty database for a clone, which the child of s serves.
func (s *liveServer) pair(t testing.TB, src string) *livePair {
	p := newLivePair(t, s.jvm, src)
	p.opt.Connect = func(ctx context.Context) (*destlive.Connection, error) {
		return p.target.ConnectTo(ctx, s.child, func() {})
	}
	return p
}

// newLivePair makes an empty database for the clone.
func newLivePair(t testing.TB, jvm *interop.JVM, src string) *livePair {
	p := &livePair{src: src, storage: t.TempDir(), name: "clone"}
	jvm.Eval(t, fmt.Sprintf(`(create %s "dev" "clone")`, interop.Str(p.storage)))
	jvm.Eval(t, fmt.Sprintf(`(release %s "dev" "clone")`, interop.Str(p.storage)))
	p.target = destlive.Target{
		Child: live.Options{Classpath: interop.Classpath(t), Log: func(line string) { t.Log(line) }},
		API:   live.ClientAPI, Name: "clone",
		Arg: fmt.Sprintf(`{:server-type :datomic-local :storage-dir %q :system "dev"}`, p.storage)}
	p.opt = destlive.Options{Connect: p.target.Connect, Log: func(line string) { t.Log(line) }}
	return p
}

func (p *livePair) dir() string     { return filepath.Join(p.storage, "dev", "clone") }
func (p *livePair) sidecar() string { return filepath.Join(p.storage, "dclone.state") }

// sync is one run, with a child of its own.
func (p *livePair) sync(opt session.Options) (session.Result, error) {
	dst, err := destlive.Open(context.Background(), p.opt)
	if err != nil {
		return session.Result{}, err
	}
	defer dst.Close()
	return p.syncTo(dst, opt)
}

func (p *livePair) syncTo(dst *destlive.Clone, opt session.Options) (session.Result, error) {
	src, err := sourcelocal.Open(p.src)
	if err != nil {
		return session.Result{}, err
	}
	defer src.Close()
	if opt.Jobs == 0 {
		opt.Jobs = 2
	}
	opt.SourceAddress, opt.DestAddress = "datomic-local:/source", "client:clone"
	return session.SyncLive(context.Background(), src, dst, p.sidecar(), opt)
}

func (p *livePair) must(t testing.TB, opt session.Options) session.Result {
	t.Helper()
	r, err := p.sync(opt)
	require.NoError(t, err)
	return r
}

// check fails t unless the clone holds what the source held at the position of the sidecar, and its replayed
// transactions have the source's instants.
func (p *livePair) check(t testing.TB) {
	t.Helper()
	store, err := state.OpenRead(p.sidecar())
	require.NoError(t, err)
	defer store.Close()
	pos, err := store.Position()
	require.NoError(t, err)
	require.Equal(t, state.Current, pos.Phase)
	of, err := store.Session()
	require.NoError(t, err)
	intent, err := store.Intent()
	require.NoError(t, err)
	require.Nil(t, intent)
	src, clone := historytest.ReadAt(t, p.src, pos.Source.T), historytest.Read(t, p.dir())
	require.Equal(t, clone.Txs[len(clone.Txs)-1].T, pos.Clone.T)
	to := liveMap(t, store, src)
	want, have := p.facts(t, src, to, of), map[string]int{}
	stands := map[dclone.EntityID]bool{}
	for _, e := range to {
		stands[e] = true
	}
	for f, n := range clone.Facts() {
		switch name := clone.Name[f.A]; {
		case name == dclone.Kw("db.alter", "attribute"):
		case name == dclone.Kw("db", "txInstant") && !stands[f.E]:
		default:
			have[line(src, clone, f)] += n
		}
	}
	lost := map[dclone.EntityID]bool{}
	for a, name := range src.Name {
		lost[to[a]] = lost[to[a]] || noted(of, name, destlive.ReasonOwnTx)
	}
	for l, n := range want {
		var e, a dclone.EntityID
		if fmt.Sscan(l, &e, &a); lost[a] {
			continue
		}
		require.Equal(t, n, have[l], "missing: %s", l)
	}
	for l, n := range have {
		require.Equal(t, want[l], n, "too much: %s", l)
	}
	for kw, e := range src.Keyword {
		require.Equal(t, to[e], clone.Keyword[kw], "entity %v names, of source %d", kw, e)
	}
	p.instants(t, src, clone, to, pos)
}

// instants compares the replayed transactions' instants.
func (p *livePair) instants(t testing.TB, src, clone *historytest.Database, to map[dclone.EntityID]dclone.EntityID, pos state.Position) {
	at := map[dclone.EntityID]dclone.Instant{}
	for _, tx := range clone.Txs {
		at[dclone.TxID(tx.T)] = tx.Instant
	}
	for _, tx := range src.Txs {
		if e, ok := to[dclone.TxID(tx.T)]; tx.T > pos.Basis && e.IsTx() {
			require.True(t, ok, "source t %d", tx.T)
			require.Equal(t, tx.Instant, at[e], "instant of source t %d", tx.T)
		}
	}
}

func line(names, _ *historytest.Database, f historytest.Fact) string {
	return fmt.Sprintf("%d %d % x", f.E, f.A, f.V)
}

// liveMap reads the entity-id map, builtins included.
func liveMap(t testing.TB, store *state.Store, src *historytest.Database) map[dclone.EntityID]dclone.EntityID {
	to := map[dclone.EntityID]dclone.EntityID{}
	from := map[dclone.EntityID]dclone.EntityID{}
	for _, tx := range src.Txs[:6] {
		to[dclone.TxID(tx.T)] = dclone.TxID(tx.T)
		for _, d := range tx.Datoms {
			to[d.E] = d.E
		}
	}
	require.NoError(t, store.View(func(tx *state.Tx) error {
		m, err := tx.Map()
		require.NoError(t, err)
		return m.Each(func(r eidmap.Run) error {
			for i := range dclone.EntityID(r.N) {
				_, two := from[r.Clone+i]
				require.False(t, two, "clone entity %d has two sources", r.Clone+i)
				to[r.Src+i], from[r.Clone+i] = r.Clone+i, r.Src+i
			}
			return nil
		})
	}))
	return to
}

// facts returns what the clone should hold.
func (p *livePair) facts(t testing.TB, src *historytest.Database, to map[dclone.EntityID]dclone.EntityID, of state.Session) map[string]int {
	want := map[string]int{}
	for f, n := range src.Facts() {
		name := src.Name[f.A]
		e, ok := to[f.E]
		switch {
		case name == dclone.Kw("db.alter", "attribute"), name == dclone.Kw("db.attr", "preds"):
			continue
		case len(f.V) > 4096 && noted(of, name, destlive.ReasonLong):
			continue
		case name == dclone.Kw("db", "txInstant") && f.E.IsTx() && (!ok || !e.IsTx()):
			continue
		case name == dclone.Kw("db", "doc") && f.E < 64: // it redefines a builtin
			if src.Txs[0].T == 0 && !born(src, f) {
				continue
			}
		case name == dclone.Kw("db.install", "attribute"):
			n = 1
		}
		require.True(t, ok, "entity %d of %v has no clone", f.E, name)
		v := f.V
		var failed dclone.EntityID
		refs := dclone.NoRefs
		src.EachRef(f.A, func(element int, whole bool) {
			if whole {
				refs = dclone.WholeRef
			} else {
				refs |= 1 << element
			}
		}, func(int) {})
		out, err := eidmap.Rewrite(nil, dclone.Value(v), refs, func(e dclone.EntityID) (dclone.EntityID, error) {
			c, ok := to[e]
			if !ok {
				failed = e
			}
			return c, nil
		})
		require.NoError(t, err)
		require.Zero(t, failed, "value of %v of entity %d has no clone", name, f.E)
		want[line(src, nil, historytest.Fact{E: e, A: to[f.A], V: string(out)})] += n
	}
	return want
}

func noted(of state.Session, name dclone.Keyword, reason string) bool {
	return slices.ContainsFunc(of.NotCarried, func(n dclone.NotCarried) bool { return n.Reason == reason && n.Attribute == name.String() })
}

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

var _ = fressian.IsNil

// A source with every feature, made by the real Datomic Local: first copy and catch-ups.
func TestLiveFeatures(t *testing.T) {
	jvm, dir := interop.Start(t), t.TempDir()
	jvm.Load(t, "features")
	db := interop.Str(dir) + ` "dev" "features"`
	jvm.Eval(t, `(create `+db+`)`)
	s := newLiveServer(t)
	p := s.pair(t, filepath.Join(dir, "dev", "features"))
	dst, err := destlive.Open(context.Background(), p.opt)
	require.NoError(t, err)
	defer dst.Close()
	late := s.pair(t, p.src) // its first copy comes when there is more to copy
	for wave := 1; ; wave++ {
		if jvm.Eval(t, fmt.Sprintf(`(< (count features/waves) %d)`, wave)) == "true" {
			break
		}
		jvm.Eval(t, fmt.Sprintf(`(do (features/run-wave! (reopen %s) %d) (release %s))`, db, wave, db))
		r, err := p.syncTo(dst, session.Options{MaxBatchSize: 7})
		require.NoError(t, err)
		t.Logf("wave %d: %s, %d transactions, %d datoms, %v, %+v", wave, r.Status, r.Transactions, r.Datoms, r.Duration, r.Session.NotCarried)
		p.check(t)
		if wave < 4 {
			continue
		}
		if wave%2 == 0 {
			late = s.pair(t, p.src)
		}
		late.must(t, session.Options{MaxBatchSize: []int{1, 500, 3}[wave%3], TxEntities: []string{"used", "all", "none"}[wave%3]})
		late.check(t)
	}
}
