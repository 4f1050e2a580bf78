package interop_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/datomic/live"
	"dclone/interop"
	"dclone/session"
	"dclone/source"
	sourcelocal "dclone/source/local"
	"dclone/source/pro"
	"dclone/store"
	"dclone/store/kvs"
	"dclone/store/pgtest"
	"dclone/verify"
)

// livePeer returns the child that has Datomic Pro, and stands in for its transactor.
func livePeer(t testing.TB) *live.Child {
	t.Helper()
	return liveChild(t, interop.ProClasspath(t), "interop", "transactor", "fsbackup", "peer", "pro", "features", "profeatures")
}

// do has the child evaluate code.
func do(t testing.TB, c *live.Child, format string, args ...any) {
	t.Helper()
	require.NoError(t, c.Load(context.Background(), "test.clj", fmt.Sprintf(format, args...)))
}

// cloneMem clones to a database of Datomic Pro in memory.
func (s *liveSource) cloneMem(t *testing.T) {
	l := newLivePair(t, livePeer(t), live.PeerAPI, fmt.Sprintf("datomic:mem://clone-%d", time.Now().UnixNano()), "")
	for _, i := range []int{0, len(s.after) - 1} {
		src := s.open(t, i)
		r := l.must(t, src)
		rep := l.verified(t, src, l.conn(t))
		t.Logf("%s, %d replayed, %d datoms, not carried %v", r.Status, rep.Transactions, rep.Datoms, r.Session.NotCarried)
	}
}

// TestLiveCloneUpgraded clones to a database of Datomic Pro that was born before there were tuples, and is upgraded when they
// are needed, before the first copy or behind it.
func TestLiveCloneUpgraded(t *testing.T) {
	p := newClonePair(t, interop.Start(t))
	p.create(t, `(tx! c [(attr :a/name :string :db/unique :db.unique/identity) (attr :a/n :long)]) (tx! c [{:a/name "one" :a/n 1}])`)
	child := livePeer(t)
	old := func(name string) *livePair {
		uri := fmt.Sprintf("datomic:mem://%s-%d", name, time.Now().UnixNano())
		do(t, child, `(pro/create-old %s)`, interop.Str(uri))
		return &livePair{child: child, api: live.PeerAPI, arg: uri, state: filepath.Join(t.TempDir(), "dclone.state")}
	}
	early, late := old("early"), old("late")
	src, err := sourcelocal.Open(p.dir(p.source))
	require.NoError(t, err)
	defer func() { src.Close() }()
	early.must(t, src)
	early.verified(t, src, early.conn(t))
	p.grow(t, `(tx! c [{:a/name "two" :a/n 2}]) (tx! c [(attr :a/pair :tuple :db/tupleAttrs [:a/name :a/n])]) (tx! c [{:a/name "three" :a/n 3}])`)
	require.NoError(t, src.Close())
	src, err = sourcelocal.Open(p.dir(p.source))
	require.NoError(t, err)
	for _, l := range []*livePair{early, late} {
		_, err = l.sync(src)
		var missing *session.BaseSchemaError
		require.ErrorAs(t, err, &missing)
		do(t, child, `(pro/upgrade! (pro/conn %s))`, interop.Str(l.arg))
		if l == early {
			l.verified(t, src, l.conn(t))
		}
		l.must(t, src)
		l.verified(t, src, l.conn(t))
	}
	require.EqualValues(t, 3, early.report(t, src, early.conn(t), verify.Full).Transactions)
}

// A livePostgres is a database of Datomic Pro in PostgreSQL that a child serves.
type livePostgres struct {
	child *live.Child
	jdbc  string
	name  string
}

func (d livePostgres) uri() string { return "datomic:sql://" + d.name + "?" + d.jdbc }

// native opens the database in its storage, as dclone reads it itself.
func (d livePostgres) native(t testing.TB) *pro.Conn {
	t.Helper()
	db, err := kvs.Open(context.Background(), d.jdbc, d.name)
	require.NoError(t, err)
	conn, err := pro.Open(context.Background(), db, store.Newest)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// clonePostgres clones to Datomic Pro in PostgreSQL through its peer library: this database, and one of the same kind. The
// clones are proven as the peer reads them, and as dclone reads them in their storage.
func (s *liveSource) clonePostgres(t *testing.T) {
	child := livePeer(t)
	jdbc, _ := pgtest.Start(t).Database(t)
	at := func(name string) livePostgres { return livePostgres{child, jdbc, name} }
	from, pro, local := at("source"), at("pro"), at("local")
	do(t, child, `(pro/create %s)`, interop.Str(from.uri()))
	ofPro := newLivePair(t, child, live.PeerAPI, pro.uri(), "")
	ofLocal := newLivePair(t, child, live.PeerAPI, local.uri(), "")
	ofPro.opt.TxEntities = "all"
	for i, code := range []string{
		`(doseq [w [1 2]] (features/run-wave! c w)) (profeatures/run-wave! c 1)`,
		`(doseq [w [3 4 5]] (features/run-wave! c w)) (doseq [w (range 1 (count profeatures/waves))] (profeatures/run-wave! c (inc w)))`,
	} {
		do(t, child, `(let [c (pro/conn %s)] %s)`, interop.Str(from.uri()), code)
		pro.prove(t, ofPro, from.native(t))
		local.prove(t, ofLocal, s.open(t, i)) // which makes an attribute unique that has no :db/index, meanwhile
	}
}

// prove brings a clone up to date, and makes sure that it is proven.
func (d livePostgres) prove(t testing.TB, p *livePair, src source.Conn) {
	t.Helper()
	r := p.must(t, src)
	rep := p.verified(t, src, d.native(t))
	require.Equal(t, rep, p.report(t, src, p.conn(t), verify.Full))
	t.Logf("%s: %s, %d replayed, %d datoms, not carried %v", d.name, r.Status, rep.Transactions, rep.Datoms, r.Session.NotCarried)
	require.Equal(t, session.UpToDate, p.must(t, src).Status)
}
