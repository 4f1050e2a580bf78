package interop_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/datomic/live"
	destlive "dclone/dest/live"
	"dclone/interop"
	"dclone/session"
	"dclone/source"
	sourcelive "dclone/source/live"
	sourcelocal "dclone/source/local"
	"dclone/state"
	"dclone/verify"
)

// liveChildren are the children of dclone that all tests share, one for each class path. They end with the process.
var liveChildren struct {
	sync.Mutex
	of map[string]*live.Child
}

// liveChild returns the child of a class path, which has loaded scripts of this package.
func liveChild(t testing.TB, classpath string, scripts ...string) *live.Child {
	t.Helper()
	liveChildren.Lock()
	defer liveChildren.Unlock()
	if liveChildren.of == nil {
		liveChildren.of = map[string]*live.Child{}
	}
	c := liveChildren.of[classpath]
	if c == nil {
		var err error
		c, err = live.Start(context.Background(), live.Options{Classpath: classpath, JVMOpts: []string{"-Xmx1g", "-XX:TieredStopAtLevel=1"}})
		require.NoError(t, err)
		liveChildren.of[classpath] = c
	}
	for _, name := range scripts {
		require.NoError(t, c.Load(context.Background(), name+".clj", interop.Script(t, name)))
	}
	return c
}

// A livePair is a source, and its clone that a running Datomic serves to a child of dclone.
type livePair struct {
	child   *live.Child
	api     string
	arg, db string // as live.Child's Connect takes them
	state   string // the sidecar
	opt     session.Options
}

// newLivePair makes an empty database for a clone.
func newLivePair(t testing.TB, child *live.Child, api, arg, db string) *livePair {
	t.Helper()
	created, err := child.Create(context.Background(), api, arg, db)
	require.NoError(t, err)
	require.True(t, created)
	return &livePair{child: child, api: api, arg: arg, db: db, state: filepath.Join(t.TempDir(), "dclone.state")}
}

// sync is one run of dclone.
func (p *livePair) sync(src source.Conn) (session.Result, error) {
	ctx := context.Background()
	target := destlive.Target{API: p.api, Arg: p.arg, Name: p.db}
	dst, err := destlive.Open(ctx, destlive.Options{Settle: time.Millisecond, Connect: func(ctx context.Context) (*destlive.Connection, error) {
		return target.ConnectTo(ctx, p.child, func() {})
	}})
	if err != nil {
		return session.Result{}, err
	}
	defer dst.Close()
	opt := p.opt
	opt.SourceAddress, opt.DestAddress, opt.Jobs = "source", "clone", 2
	return session.SyncLive(ctx, src, dst, p.state, opt)
}

func (p *livePair) must(t testing.TB, src source.Conn) session.Result {
	t.Helper()
	r, err := p.sync(src)
	require.NoError(t, err)
	return r
}

// conn opens the clone as it is read through its own library.
func (p *livePair) conn(t testing.TB) *sourcelive.Conn {
	t.Helper()
	db, err := p.child.Connect(context.Background(), p.api, p.arg, p.db)
	require.NoError(t, err)
	conn, err := sourcelive.Open(context.Background(), db, sourcelive.Options{})
	require.NoError(t, err)
	return conn
}

// report has package verify compare the source with the clone as it is read.
func (p *livePair) report(t testing.TB, src, clone verify.Database, level verify.Level) verify.Report {
	t.Helper()
	store, err := state.OpenRead(p.state)
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	r, err := verify.Run(context.Background(), src, clone, store, verify.Options{Level: level, TempDir: t.TempDir()})
	require.NoError(t, err)
	return r
}

// verified makes sure that the clone is proven at all levels.
func (p *livePair) verified(t testing.TB, src, clone verify.Database) verify.Report {
	t.Helper()
	var r verify.Report
	for _, level := range []verify.Level{verify.Counts, verify.Checksum, verify.Full} {
		r = p.report(t, src, clone, level)
		for _, d := range r.Differences {
			t.Logf("%s: %s", d.Kind, d.Text)
		}
		require.Equal(t, verify.OK, r.Status, "%s at level %s", p.state, level)
		for _, a := range r.Attributes {
			require.True(t, a.Equal && a.SourceCount == a.CloneCount, "%s at level %s: %+v", p.state, level, a)
		}
	}
	return r
}

// A liveLocal is a livePair of two databases of one storage directory of Datomic Local.
type liveLocal struct {
	clonePair
	live *livePair
}

// liveTo returns the pair of the same source and a clone of another name that is written through the client API.
func (p clonePair) liveTo(t testing.TB, clone string, opt session.Options) liveLocal {
	t.Helper()
	arg := fmt.Sprintf(`{:server-type :datomic-local :storage-dir %q :system %q}`, p.storage, cloneSystem)
	l := newLivePair(t, liveChild(t, interop.Classpath(t), "interop"), live.ClientAPI, arg, clone)
	l.opt = opt
	l.state = p.to(clone, opt).sidecar()
	return liveLocal{p.to(clone, opt), l}
}

// provenBothWays makes sure that the clone is proven as it is read natively, and through the client API.
func (p liveLocal) provenBothWays(t testing.TB, src source.Conn) verify.Report {
	t.Helper()
	clone, err := sourcelocal.Open(p.dir(p.clone))
	require.NoError(t, err)
	defer clone.Close()
	r := p.live.verified(t, src, clone)
	require.Equal(t, r, p.live.report(t, src, p.live.conn(t), verify.Full))
	return r
}

// letGo has the child let go of the clone, so that another process can open it.
func (p liveLocal) letGo(t testing.TB) {
	t.Helper()
	require.NoError(t, p.live.child.Load(context.Background(), "release.clj", `(interop/release `+p.in(p.clone)+`)`))
}
