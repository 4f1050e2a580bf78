package interop_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/datomic/local"
	destlocal "dclone/dest/local"
	"dclone/interop"
	"dclone/replay"
	"dclone/session"
)

// TestCloneLocked makes sure that dclone and Datomic Local shut each other out of a clone.
func TestCloneLocked(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "random")
	p := newClonePair(t, jvm)
	p.create(t, `(random/schema! c) (random/txs! c 1 20)`)
	refused := func(want string) {
		t.Helper()
		_, err := jvm.TryEval(`(conn ` + p.in(p.clone) + `)`)
		var ex *interop.Exception
		require.ErrorAs(t, err, &ex)
		require.Contains(t, ex.Message, want)
	}
	var phases []string
	try := func(replay.Point) error { // a run under way
		if listed := jvm.Eval(t, `(list-dbs `+interop.Str(p.storage)+` "dev")`); listed == `["source"]` {
			phases = append(phases, "loading")
			refused("Db not found")
		} else {
			require.Equal(t, `["clone" "source"]`, listed)
			phases = append(phases, "replay")
			refused("is in use by another process")
		}
		_, err := destlocal.Lock(p.dir(p.clone))
		require.ErrorIs(t, err, local.ErrLocked)
		return nil
	}
	p.opt = session.Options{At: try}
	p.must(t)
	p.grow(t, `(random/txs! c 2 20)`)
	p.must(t)
	require.Contains(t, phases, "loading")
	require.Contains(t, phases, "replay")
	p.opt.At = nil

	// The other way round: the JVM has the clone open.
	jvm.Eval(t, `(conn `+p.in(p.clone)+`)`)
	p.grow(t, `(random/txs! c 3 20)`)
	before := p.files(t, p.clone)
	_, err := p.run()
	require.ErrorIs(t, err, local.ErrLocked)
	require.Equal(t, before, p.files(t, p.clone))
	p.release(t, p.clone)
	require.Equal(t, session.Incremental, p.must(t).Status)
	p.compare(t, "after the locks")
}

// TestCloneOfBusySource clones a database that a JVM is writing to in a loop, small transactions and some that
// a reader is bound to meet half written. Every clone must be the source as it was at some t.
func TestCloneOfBusySource(t *testing.T) {
	jvm, writer := interop.Start(t), interop.Fresh(t)
	writer.Load(t, "random")
	p := newClonePair(t, writer)
	p.create(t, `(random/schema! c)`)
	writer.Eval(t, `(def busy (atom true))
		(def wrote (future (let [c (conn `+p.in(p.source)+`) rnd (java.util.Random. 7)]
			(loop [n 0]
				(if @busy
					(do (random/tx! c rnd)
					    (when (zero? (mod n 8)) (tx! c [{:r/tags (keyword (apply str n (repeat 300000 "x")))}]))
					    (recur (inc n)))
					n)))))`)
	runs := 20
	if testing.Short() {
		runs = 6
	}
	type clone struct {
		name string
		log  int // bytes of the source's that were there when it was made
	}
	var clones []clone
	var prefix []byte
	did, torn := map[session.Status]int{}, 0
	c := p.to("clone", session.Options{})
	for i := range runs {
		if i%5 == 4 {
			c = p.to(fmt.Sprint("another-", i), session.Options{MaxBatchSize: 1 + i})
		}
		r := c.must(t)
		kept := fmt.Sprint("kept-", i)
		p.copyDatabase(t, c.clone, kept)
		now := p.read(t, p.source, "db.log")
		require.Equal(t, string(prefix), string(now[:len(prefix)]), "the source was changed")
		prefix = now
		clones = append(clones, clone{kept, len(now)})
		did[r.Status]++
		torn += p.meetTorn(t, 40*time.Millisecond)
	}
	wrote := writer.Eval(t, `(reset! busy false) @wrote`)
	require.Equal(t, []string{".lock", "db.log", "log.idx"}, fileNames(t, p.dir(p.source)))
	now := p.read(t, p.source, "db.log")
	require.Equal(t, string(prefix), string(now[:len(prefix)]), "the source was changed")
	t.Logf("%s rounds of the writer meanwhile, to %d bytes; runs were %v; %d times a transaction was half written", wrote, len(now), did, torn)
	require.Greater(t, did[session.Incremental], runs/3)

	src := newSourceView(writer.Dump(t, p.storage, cloneSystem, p.source))
	for _, kept := range clones {
		k := p.to(kept.name, session.Options{})
		k.jvm = jvm
		at := int64(k.idMap(t).pos.Source.T)
		then := *src
		then.dumps.Current = p.datoms(t, p.source, fmt.Sprintf(`#(d/as-of %% %d)`, at))
		then.dumps.Log = src.dumps.Log[:at+1]
		require.EqualValues(t, at, then.dumps.Log[at].T)
		k.compareDatoms(t, &then, kept.name)
	}
}

// meetTorn opens the source's log for a while and counts how often it ends within a frame.
func (p clonePair) meetTorn(t *testing.T, while time.Duration) (torn int) {
	t.Helper()
	for began := time.Now(); time.Since(began) < while; {
		info, err := os.Stat(filepath.Join(p.dir(p.source), "db.log"))
		require.NoError(t, err)
		l, err := local.OpenLog(p.dir(p.source))
		require.NoError(t, err)
		if l.End() < info.Size() {
			torn++
		}
		require.NoError(t, l.Close())
	}
	return torn
}

// TestCloneDeletedMeanwhile has Datomic Local, which asks no lock for that, delete or create a database in
// the clone's place while dclone works there.
func TestCloneDeletedMeanwhile(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "random")
	p := newClonePair(t, jvm)
	p.create(t, `(random/schema! c) (random/txs! c 1 20)`)
	once := func(code string) func(replay.Point) error {
		return func(at replay.Point) error {
			if at == replay.BeforeSync && code != "" {
				jvm.Eval(t, code)
				code = ""
			}
			return nil
		}
	}
	p.opt.At = once(`(d/create-database (client ` + interop.Str(p.storage) + ` "dev") {:db-name "clone"})`)
	_, err := p.run()
	require.ErrorIs(t, err, local.ErrAppeared)
	p.opt.At = nil
	before := p.files(t, p.clone)
	_, err = p.run()
	require.Error(t, err, "a database has appeared beside the first copy")
	require.Equal(t, without(before, "dclone.state"), without(p.files(t, p.clone), "dclone.state"))
	require.Equal(t, "5", jvm.Eval(t, `(:t (d/db (conn `+p.in(p.clone)+`)))`), "the database that appeared")
	jvm.Eval(t, `(delete `+p.in(p.clone)+`)`)
	p.must(t)
	p.compare(t, "once the database that appeared is gone")

	p.grow(t, `(random/txs! c 2 20)`)
	p.opt.At = once(`(delete ` + p.in(p.clone) + `)`)
	_, err = p.run()
	require.True(t, errors.Is(err, local.ErrGone), "deleted while it was written to: %v", err)
}
