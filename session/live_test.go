package session_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/datomic/live"
	"dclone/dest/desttest"
	destlive "dclone/dest/live"
	"dclone/historytest"
	"dclone/interop"
	"dclone/session"
	"dclone/source"
	sourcelocal "dclone/source/local"
)

// A livePair is a source directory, and a clone that Datomic Local serves to a child of dclone. It is a desttest.Clone.
type livePair struct {
	src, storage, name string
	target             destlive.Target
	opt                destlive.Options
}

// A liveServer is a child that all tests use, which is faster than one for each run.
type liveServer struct {
	child *live.Child
	jvm   *interop.JVM
}

var served struct {
	sync.Mutex
	child *live.Child
}

func newLiveServer(t testing.TB) *liveServer {
	t.Helper()
	jvm := interop.Start(t)
	served.Lock()
	defer served.Unlock()
	if served.child == nil {
		child, err := live.Start(context.Background(), quickChild(t))
		require.NoError(t, err)
		served.child = child
	}
	return &liveServer{served.child, jvm}
}

var quickJVM = []string{"-XX:TieredStopAtLevel=1"}

// quickChild starts soon, and is not the fastest then.
func quickChild(t testing.TB) live.Options {
	return live.Options{Classpath: interop.Classpath(t), JVMOpts: quickJVM}
}

// pair makes an empty database for a clone, which the child of s serves.
func (s *liveServer) pair(t testing.TB, src string) *livePair {
	p := newPlace(t, src)
	created, err := s.child.Create(context.Background(), p.target.API, p.target.Arg, p.target.Name)
	require.NoError(t, err)
	require.True(t, created)
	p.opt.Connect = func(ctx context.Context) (*destlive.Connection, error) {
		return p.target.ConnectTo(ctx, s.child, func() {})
	}
	return p
}

// newPlace says where a clone is to be.
func newPlace(t testing.TB, src string) *livePair {
	return placeAt(src, t.TempDir(), quickChild(t))
}

func placeAt(src, storage string, child live.Options) *livePair {
	p := &livePair{src: src, storage: storage, name: "clone"}
	p.target = destlive.Target{
		Child: child, API: live.ClientAPI, Name: "clone",
		Arg: fmt.Sprintf(`{:server-type :datomic-local :storage-dir %q :system "dev"}`, p.storage)}
	p.opt = destlive.Options{Connect: p.target.Connect}
	return p
}

func (p *livePair) dir() string     { return filepath.Join(p.storage, "dev", "clone") }
func (p *livePair) Sidecar() string { return filepath.Join(p.storage, "dclone.state") }

// Read reads what the child has written.
func (p *livePair) Read(t testing.TB) *historytest.Database { return historytest.Read(t, p.dir()) }

// Meddle transacts by another connection.
func (p *livePair) Meddle(t testing.TB) {
	t.Helper()
	c, err := p.opt.Connect(context.Background())
	require.NoError(t, err)
	_, err = c.DB.Transact(context.Background(), []byte{0xe4}) // an empty list
	require.NoError(t, err)
}

// Sync is one run with a connection of its own.
func (p *livePair) Sync(src source.Conn, opt session.Options) (session.Result, error) {
	dst, err := destlive.Open(context.Background(), p.opt)
	if err != nil {
		return session.Result{}, err
	}
	defer dst.Close()
	return session.SyncLive(context.Background(), src, dst, p.Sidecar(), opt)
}

// sync is Sync with the source of p, read from its files.
func (p *livePair) sync(opt session.Options) (session.Result, error) {
	src, err := sourcelocal.Open(p.src)
	if err != nil {
		return session.Result{}, err
	}
	defer src.Close()
	return p.Sync(src, p.options(opt))
}

// syncTo is sync with a connection that is there.
func (p *livePair) syncTo(dst *destlive.Clone, opt session.Options) (session.Result, error) {
	src, err := sourcelocal.Open(p.src)
	if err != nil {
		return session.Result{}, err
	}
	defer src.Close()
	return session.SyncLive(context.Background(), src, dst, p.Sidecar(), p.options(opt))
}

func (p *livePair) options(opt session.Options) session.Options {
	if opt.Jobs == 0 {
		opt.Jobs = 2
	}
	opt.SourceAddress, opt.DestAddress = "datomic-local:/source", "client:clone"
	return opt
}

func (p *livePair) must(t testing.TB, opt session.Options) session.Result {
	t.Helper()
	r, err := p.sync(opt)
	require.NoError(t, err)
	return r
}

func (p *livePair) check(t testing.TB) {
	t.Helper()
	caps := liveCaps
	caps.Parts = p.opt.MaxDatoms > 0
	desttest.Check(t, caps, p.src, p)
}
