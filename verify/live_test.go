package verify

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"dclone"
	"dclone/datomic/live"
	destlive "dclone/dest/live"
	"dclone/interop"
	"dclone/session"
	sourcelocal "dclone/source/local"
	"dclone/state"
)

// theChild is the child that all tests share. It ends with the process.
var theChild struct {
	sync.Once
	*live.Child
	err error
}

func child(t testing.TB) *live.Child {
	t.Helper()
	classpath := interop.Classpath(t)
	theChild.Do(func() {
		theChild.Child, theChild.err = live.Start(context.Background(), live.Options{Classpath: classpath, JVMOpts: []string{"-XX:TieredStopAtLevel=1"}})
		if theChild.err == nil {
			theChild.err = theChild.Load(context.Background(), "interop.clj", interop.Script(t, "interop"))
		}
	})
	require.NoError(t, theChild.err)
	return theChild.Child
}

// A liveDB is a clone that Datomic Local writes.
type liveDB struct {
	t       testing.TB
	storage string
}

// newLiveDB makes an empty database.
func newLiveDB(t testing.TB) *liveDB {
	l := &liveDB{t, t.TempDir()}
	created, err := child(t).Create(context.Background(), live.ClientAPI, l.arg(), "clone")
	require.NoError(t, err)
	require.True(t, created)
	return l
}

func (l *liveDB) arg() string {
	return fmt.Sprintf(`{:server-type :datomic-local :storage-dir %q :system "dev"}`, l.storage)
}

func (l *liveDB) dir() string { return filepath.Join(l.storage, "dev", "clone") }

// sync brings the clone up to the source's basis.
func (l *liveDB) sync(src string, opt session.Options) session.Result {
	l.t.Helper()
	r, err := l.trySync(src, opt)
	require.NoError(l.t, err)
	return r
}

func (l *liveDB) trySync(src string, opt session.Options) (session.Result, error) {
	l.t.Helper()
	s, err := sourcelocal.Open(src)
	require.NoError(l.t, err)
	defer s.Close()
	target := destlive.Target{API: live.ClientAPI, Arg: l.arg(), Name: "clone"}
	dst, err := destlive.Open(context.Background(), destlive.Options{Settle: time.Millisecond,
		Connect: func(ctx context.Context) (*destlive.Connection, error) {
			return target.ConnectTo(ctx, child(l.t), func() {})
		}})
	require.NoError(l.t, err)
	defer dst.Close()
	opt.Jobs = 2
	return session.SyncLive(context.Background(), s, dst, filepath.Join(l.dir(), sidecar), opt)
}

// transact has somebody else transact, in Clojure.
func (l *liveDB) transact(txData string) {
	l.t.Helper()
	require.NoError(l.t, child(l.t).Load(context.Background(), "transact.clj",
		fmt.Sprintf(`(interop/tx! (interop/conn %s "dev" "clone") %s)`, interop.Str(l.storage), txData)))
}

// liveCloneOf is cloneOf through the client API of Datomic Local. The clone is a copy that is nobody's.
func liveCloneOf(t testing.TB, d *db, more func(*db) *db, opt session.Options) (src, dir string) {
	t.Helper()
	src = d.flush()
	l := newLiveDB(t)
	l.sync(src, opt)
	if more != nil {
		more(d).flush()
		l.sync(src, opt)
	}
	return src, copyDir(t, l.dir())
}

// Datomic installs no attribute in the transaction that uses it.
func liveZoo(t testing.TB) *db { return zooWith(t, email()...) }
func liveMore(d *db) *db       { return moreWith(d) }

func TestLiveEqual(t *testing.T) {
	for _, policy := range []string{"used", "all", "none"} {
		t.Run(policy, func(t *testing.T) {
			src, dir := liveCloneOf(t, liveZoo(t), liveMore, session.Options{TxEntities: policy, MaxBatchSize: 7})
			for _, l := range levels {
				rep := verifyClone(t, src, dir, Options{Level: l})
				requireOK(t, rep)
				if l != Counts {
					require.EqualValues(t, 8, rep.Transactions)
				}
			}
		})
	}
	src, dir := liveCloneOf(t, newDB(t), nil, session.Options{})
	requireOK(t, verifyClone(t, src, dir, Options{}))
}

// TestLiveDamage damages clones as TestDamage does. The order of datoms is not compared, and neither are values that
// Datomic writes in its own way.
func TestLiveDamage(t *testing.T) {
	src, dir := liveCloneOf(t, liveZoo(t), liveMore, session.Options{MaxBatchSize: 20})
	testDamages(t, src, dir, func(c damage) bool { return !c.native })
}

// liveMapDamages are ways the map of a live clone can be wrong, beside those of sidecarDamages.
var liveMapDamages = []struct {
	name, text string
	damage     func(testing.TB, string)
}{
	{"way back missing", "is looked up as none", bucket("eid.run.back", func(b *bbolt.Bucket) error {
		k, _ := b.Cursor().First()
		return b.Delete(k)
	})},
	{"clone entity twice", "is looked up as", bucket("eid.run", func(b *bbolt.Bucket) error {
		_, v := b.Cursor().First()
		return b.Put(binary.BigEndian.AppendUint64(nil, uint64(dclone.MakeEntityID(0, 500))), append([]byte(nil), v...))
	})},
	{"run without end", "is looked up as none", bucket("eid.run", func(b *bbolt.Bucket) error {
		k, v := b.Cursor().First()
		return b.Put(append([]byte(nil), k...), binary.AppendUvarint(append([]byte(nil), v[:8]...), 1<<41))
	})},
	{"transaction not yet there", "yet to be given out", remap(func(m map[dclone.EntityID]dclone.EntityID) {
		m[dclone.TxID(1000)] = dclone.TxID(1000)
	})},
}

func TestLiveSidecarDamage(t *testing.T) {
	src, dir := liveCloneOf(t, liveZoo(t), liveMore, session.Options{MaxBatchSize: 20})
	check := func(name string, damage func(testing.TB, string), kinds []Kind, text string) {
		t.Run(name, func(t *testing.T) {
			damaged := copyDir(t, dir)
			damage(t, damaged)
			for _, l := range []Level{Checksum, Full} {
				rep := verifyClone(t, src, damaged, Options{Level: l})
				requireFound(t, rep, kinds, text)
				require.Equal(t, kinds == nil, rep.Status == OK)
			}
		})
	}
	for _, c := range sidecarDamages {
		if !c.native {
			check(c.name, c.damage, c.kinds, c.text)
		}
	}
	for _, c := range liveMapDamages {
		check(c.name, c.damage, []Kind{KindMap}, c.text)
	}
}

// TestLiveEachDatom damages one datom of a live clone after the other, as TestEachDatom does.
func TestLiveEachDatom(t *testing.T) {
	src, dir := liveCloneOf(t, liveZoo(t), liveMore, session.Options{MaxBatchSize: 20})
	requireOK(t, verifyClone(t, src, dir, Options{}))
	require.Greater(t, testEachDatom(t, src, dir, harmless), 150)
}

// harmless reports whether Datomic may write down what was done: that it altered an attribute, or twice that a value
// is replaced.
func harmless(tx dclone.Tx, d dclone.Datom, way string) bool {
	return d.A == attrAlter && way != "of another attribute" || way == "twice" && !d.Added && slices.ContainsFunc(tx.Datoms, func(other dclone.Datom) bool {
		return other.E == d.E && other.A == d.A && other.Added
	})
}

// TestLiveByHand has somebody transact behind dclone's back, with a sidecar that says so or that was made to say that
// it was dclone.
func TestLiveByHand(t *testing.T) {
	src := liveZoo(t).flush()
	l := newLiveDB(t)
	l.sync(src, session.Options{})
	for _, c := range []struct {
		name, txData  string
		counts, kinds []Kind
		text          string
	}{
		{"nothing", `[]`, nil, []Kind{KindTransaction}, "is no transaction of the source"},
		{"added", `[[:db/add [:person/name "Ann"] :person/tags :tag/z]]`, []Kind{KindExtra}, []Kind{KindTransaction, KindExtra}, "only the clone has :tag/z"},
		{"changed", `[[:db/add [:person/name "Bob"] :person/age 42]]`, nil, []Kind{KindTransaction, KindValue}, "the source has 41, the clone 42"},
		{"retracted", `[[:db/retract [:person/name "Ann"] :person/tags :tag/b]]`, []Kind{KindMissing}, []Kind{KindTransaction, KindMissing}, "the clone lacks :tag/b"},
		{"entity", `[{:person/name "Eve"}]`, []Kind{KindEntity}, []Kind{KindTransaction, KindEntity}, `with "Eve"`},
		{"attribute", `[{:db/ident :by/hand :db/valueType :db.type/long :db/cardinality :db.cardinality/one}]`, []Kind{KindEntity},
			[]Kind{KindTransaction, KindSchema, KindIdent, KindEntity}, "only the clone has installed it"},
		{"name", `[[:db/add :color/red :db/ident :color/rot]]`, nil, []Kind{KindTransaction, KindIdent, KindValue}, ":color/rot names entity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mine := &liveDB{t, t.TempDir()}
			require.NoError(t, os.CopyFS(mine.storage, os.DirFS(l.storage)))
			requireOK(t, verifyClone(t, src, mine.dir(), Options{}))
			mine.transact(c.txData)
			for _, level := range levels {
				requireFound(t, verifyClone(t, src, mine.dir(), Options{Level: level}), []Kind{KindDrift}, "that its sidecar does not know")
			}
			mine.forge()
			requireFound(t, verifyClone(t, src, mine.dir(), Options{Level: Counts}), c.counts, "")
			requireFound(t, verifyClone(t, src, mine.dir(), Options{Level: Checksum}), c.kinds, c.text)
			requireFound(t, verifyClone(t, src, mine.dir(), Options{Level: Full}), c.kinds, c.text)
		})
	}
	for name, change := range map[string]func(*state.Position){
		"digest":  func(p *state.Position) { p.Clone.Digest[0]++ },
		"instant": func(p *state.Position) { p.Clone.Instant++ },
		"before":  func(p *state.Position) { p.Clone.T-- },
		"after":   func(p *state.Position) { p.Clone.T++ },
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyDir(t, l.dir())
			setPosition(change)(t, dir)
			for _, level := range levels {
				requireFound(t, verifyClone(t, src, dir, Options{Level: level}), []Kind{KindClone}, "")
			}
		})
	}
}

// forge makes the sidecar say that the clone's newest transaction was written by dclone.
func (l *liveDB) forge() {
	log := readLog(l.t, l.dir())
	tx := log.txs[len(log.txs)-1]
	st := openSidecar(l.t, l.dir())
	s, err := st.Session()
	require.NoError(l.t, err)
	require.NoError(l.t, st.Close())
	setPosition(func(p *state.Position) {
		p.Clone = dclone.Mark{T: tx.T, Instant: tx.Instant, Digest: sayings(s.Key, tx.Datoms)}
	})(l.t, l.dir())
}
