package session_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	"dclone/dest"
	destlocal "dclone/dest/local"
	"dclone/fressian"
	"dclone/historytest"
	"dclone/replay"
	"dclone/session"
	"dclone/state"
)

// strangerTransacts appends what someone else could have transacted to the database in dir.
func strangerTransacts(t testing.TB, dir string) dclone.T {
	t.Helper()
	txs := historytest.Read(t, dir).Txs
	last := txs[len(txs)-1]
	v, err := fressian.Append(nil, last.Instant)
	require.NoError(t, err)
	doc, err := fressian.Append(nil, "a stranger's")
	require.NoError(t, err)
	frame, err := local.AppendFrame(nil, last.T+1, []dclone.Datom{
		{E: dclone.TxID(last.T + 1), A: 50, V: v, Added: true},
		{E: dclone.TxID(last.T + 1), A: 63, V: doc, Added: true}})
	require.NoError(t, err)
	add(t, filepath.Join(dir, "log.idx"), binary.BigEndian.AppendUint64(nil, uint64(last.To)))
	add(t, filepath.Join(dir, "db.log"), frame)
	return last.T + 1
}

func add(t testing.TB, path string, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = f.Write(b)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// files returns all that lies in dir, but for the lock.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if e.Name() != ".lock" {
			all[e.Name()] = read(t, filepath.Join(dir, e.Name()))
		}
	}
	return all
}

// refused runs, wants the error, and wants that nothing was changed but, at most, the sidecar.
func (p pair) refused(t testing.TB, want error, opt session.Options) {
	t.Helper()
	before := map[string]string{}
	if _, err := os.Stat(p.dst); err == nil {
		before = files(t, p.dst)
	}
	for range 2 {
		_, err := p.sync(opt)
		require.ErrorIs(t, err, want)
		after := files(t, p.dst)
		delete(before, "dclone.state")
		delete(after, "dclone.state")
		require.Equal(t, before, after, "something was changed: %v", err)
	}
}

func TestDrift(t *testing.T) {
	small(t, 3)
	for _, src := range []string{"source1", "source2"} {
		s := newScenario(t, 20, 20, 10, session.Options{})
		p := pair{s.path(src), s.dst1}
		at := strangerTransacts(t, p.dst)
		before := files(t, p.dst)
		for range 2 {
			_, err := p.sync(s.opt)
			var drift *dest.DriftError
			require.ErrorAs(t, err, &drift)
			require.Equal(t, at, drift.T)
			after := files(t, p.dst)
			require.Equal(t, before["db.log"], after["db.log"])
			require.Equal(t, before["log.idx"], after["log.idx"])
		}
		// Once the stranger's is gone the clone goes on.
		require.NoError(t, os.Truncate(filepath.Join(p.dst, "db.log"), int64(len(s.want1[0]))))
		require.NoError(t, os.Truncate(filepath.Join(p.dst, "log.idx"), int64(len(s.want1[1]))))
		p.src = s.src2
		p.must(t, s.opt)
		sameLogs(t, s.want2, p.log(t), "after the drift")
	}
}

// Bytes that are no transaction, where no run was cut off, are someone else's too.
func TestDriftTorn(t *testing.T) {
	s := newScenario(t, 20, 20, 10, session.Options{})
	for _, tail := range []string{"\x00", "12345678", string(make([]byte, 100)), s.want2[0][len(s.want1[0]) : len(s.want1[0])+20]} {
		p := pair{s.src2, s.path("drifted")}
		copyDir(t, s.dst1, p.dst)
		add(t, filepath.Join(p.dst, "db.log"), []byte(tail))
		before := files(t, p.dst)
		_, err := p.sync(s.opt)
		require.Error(t, err)
		var drift *dest.DriftError
		if !errors.As(err, &drift) {
			t.Logf("tail %q: %v", tail, err)
		}
		after := files(t, p.dst)
		require.Equal(t, before["db.log"], after["db.log"])
		require.Equal(t, before["log.idx"], after["log.idx"])
	}
}

// A sidecar that is older than its clone is brought up by walking the source beside the clone's
// log, as far as that explains it.
func TestOldSidecar(t *testing.T) {
	small(t, 3)
	s := newScenario(t, 21, 20, 30, session.Options{})
	p := pair{s.src2, s.path("clone2")}
	require.NoError(t, os.Rename(p.sidecar(), s.path("newest.state")))
	require.NoError(t, os.WriteFile(p.sidecar(), []byte(read(t, filepath.Join(s.dst1, "dclone.state"))), 0o600))
	kept := s.path("kept")
	copyDir(t, p.dst, kept)

	for n := 0; ; n++ { // stops within the walk too
		copyDir(t, kept, p.dst)
		_, err := p.sync(s.at(pull(n)))
		if n > 0 && err == nil {
			break
		}
		if n > 0 {
			require.ErrorIs(t, err, errPlug)
			require.Equal(t, s.want2, p.log(t))
			p.must(t, s.opt)
		}
		sameLogs(t, s.want2, p.log(t), "adopted, stop %d", n)
		p.check(t)
	}

	// The source moved on meanwhile.
	s.h.Step(10)
	copyDir(t, kept, p.dst)
	p.src = s.h.Dir
	p.must(t, s.opt)
	p.check(t)
	require.Equal(t, s.want2[0], p.log(t)[0][:len(s.want2[0])])

	// Someone transacted behind what is ours; whether the source goes on there or not.
	for _, src := range []string{s.src2, s.h.Dir} {
		copyDir(t, kept, p.dst)
		at := strangerTransacts(t, p.dst)
		p.src = src
		before := p.log(t)
		for range 2 {
			_, err := p.sync(s.opt)
			var drift *dest.DriftError
			require.ErrorAs(t, err, &drift)
			require.Equal(t, at, drift.T)
			require.Equal(t, before, p.log(t))
		}
	}
}

// While a first copy is loading its log is ours alone: an older sidecar cuts it back, and makes
// the rest again.
func TestOldSidecarLoading(t *testing.T) {
	small(t, 3)
	s := newScenario(t, 22, 30, 10, session.Options{MaxBatchSize: 5, NoIndex: true})
	p := pair{s.src1, s.path("stopped")}
	_, err := p.sync(s.at(pull(8)))
	require.ErrorIs(t, err, errPlug)
	old := read(t, p.sidecar())
	_, err = p.sync(s.at(pull(20)))
	require.ErrorIs(t, err, errPlug)
	require.NoError(t, os.WriteFile(p.sidecar(), []byte(old), 0o600))
	kept := s.path("kept")
	copyDir(t, p.dst, kept)
	if _, err = p.sync(s.opt); err != nil {
		require.ErrorIs(t, err, dest.ErrStale)
	} else {
		sameLogs(t, s.want1, p.log(t), "resumed by an older sidecar")
		p.check(t)
	}
	// Once the clone is visible, a sidecar that still loads knows nothing of it.
	require.NoError(t, os.WriteFile(p.sidecar(), []byte(old), 0o600))
	p.refused(t, dest.ErrForeign, s.opt)
}

func TestOldClone(t *testing.T) {
	small(t, 3)
	s := newScenario(t, 23, 20, 20, session.Options{})
	p := pair{s.src2, s.path("clone2")}
	for _, f := range []string{"db.log", "log.idx"} {
		require.NoError(t, os.WriteFile(filepath.Join(p.dst, f), []byte(read(t, filepath.Join(s.dst1, f))), 0o600))
	}
	p.refused(t, dest.ErrStale, s.opt)

	// Another clone of the same length, with another last byte.
	log := []byte(s.want2[0])
	log[len(log)-1] ^= 1
	require.NoError(t, os.WriteFile(filepath.Join(p.dst, "db.log"), log, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(p.dst, "log.idx"), []byte(s.want2[1]), 0o600))
	p.refused(t, dest.ErrStale, s.opt)

	// A new, empty database in the clone's place, as delete-database and create-database leave it.
	require.NoError(t, os.WriteFile(filepath.Join(p.dst, "db.log"), local.Bootstrap(), 0o600))
	require.NoError(t, os.Remove(filepath.Join(p.dst, "log.idx")))
	p.refused(t, dest.ErrStale, s.opt)

	require.NoError(t, os.Remove(filepath.Join(p.dst, "db.log")))
	p.refused(t, dest.ErrStale, s.opt)
}

// The clone went back while a first copy was under way.
func TestOldLoading(t *testing.T) {
	small(t, 3)
	s := newScenario(t, 24, 30, 1, session.Options{MaxBatchSize: 5})
	p := pair{s.src1, s.path("stopped")}
	_, err := p.sync(s.at(pull(8)))
	require.ErrorIs(t, err, errPlug)
	old := read(t, filepath.Join(p.dst, "db.log.loading"))
	_, err = p.sync(s.at(pull(20)))
	require.ErrorIs(t, err, errPlug)
	require.NoError(t, os.WriteFile(filepath.Join(p.dst, "db.log.loading"), []byte(old), 0o600))
	_, err = p.sync(s.opt)
	require.ErrorIs(t, err, dest.ErrStale)
	require.NoError(t, os.Remove(filepath.Join(p.dst, "db.log.loading")))
	_, err = p.sync(s.opt)
	require.ErrorIs(t, err, dest.ErrStale)
}

func TestClaimed(t *testing.T) {
	dir := t.TempDir()
	p := pair{filepath.Join(dir, "source"), filepath.Join(dir, "clone")}
	historytest.New(t, p.src, 25).Step(10)
	historytest.New(t, p.dst, 26).Step(10)
	p.refused(t, session.ErrNotEmpty, session.Options{})
	require.NoFileExists(t, p.sidecar())

	// A database nobody has transacted to is nobody's data.
	p.dst = filepath.Join(dir, "fresh")
	historytest.New(t, p.dst, 27)
	p.must(t, session.Options{})
	p.check(t)
}

func TestReplaced(t *testing.T) {
	small(t, 3)
	s := newScenario(t, 28, 20, 20, session.Options{MaxBatchSize: 5})
	other := historytest.New(t, s.path("other"), 29)
	other.Step(80)
	fresh := historytest.New(t, s.path("fresh"), 30)

	// The source was rolled back and went on otherwise.
	forked := s.path("forked")
	copyDir(t, s.src1, forked)
	for range 100 {
		strangerTransacts(t, forked)
	}
	// Its first transaction is another, though it has the newest one that was cloned.
	rewritten := s.path("rewritten")
	copyDir(t, s.src2, rewritten)
	log := read(t, filepath.Join(rewritten, "db.log"))
	first := len(local.Bootstrap())
	require.NoError(t, os.WriteFile(filepath.Join(rewritten, "db.log"), []byte(log[:first]+strings.Replace(log[first:], "attr", "attz", 1)), 0o600))

	current := pair{s.src2, s.path("clone2")}
	for _, src := range []string{other.Dir, fresh.Dir, s.src1, forked, rewritten} {
		current.src = src
		current.refused(t, session.ErrReplaced, s.opt)
	}
	current.src = s.src2
	current.must(t, s.opt)

	// The same while a first copy is under way.
	loading := pair{s.src2, s.path("stopped")}
	for _, n := range []int{1, 2, 5, 12} {
		require.NoError(t, os.RemoveAll(loading.dst))
		loading.src = s.src2
		_, err := loading.sync(s.at(pull(n)))
		require.ErrorIs(t, err, errPlug)
		for _, src := range []string{other.Dir, fresh.Dir, s.src1, forked, rewritten} {
			loading.src = src
			loading.refused(t, session.ErrReplaced, s.opt)
		}
		loading.src = s.src2
		loading.must(t, s.opt)
		loading.check(t)
	}
}

func TestEmptySource(t *testing.T) {
	dir := t.TempDir()
	p := pair{filepath.Join(dir, "source"), filepath.Join(dir, "clone")}
	h := historytest.New(t, p.src, 31)
	r := p.must(t, session.Options{})
	require.Equal(t, session.Initial, r.Status)
	p.check(t)
	require.Equal(t, local.Bootstrap(), []byte(p.log(t)[0]))
	require.Equal(t, session.UpToDate, p.must(t, session.Options{}).Status)
	h.Step(30)
	r = p.must(t, session.Options{})
	require.Equal(t, session.Incremental, r.Status)
	require.EqualValues(t, 30, r.Transactions)
	p.check(t)

	// From now on the source is known by its first transaction.
	historytest.New(t, filepath.Join(dir, "other"), 32).Step(60)
	p.src = filepath.Join(dir, "other")
	p.refused(t, session.ErrReplaced, session.Options{})
}

// A database appears under the clone's name while a first copy is under way: create-database asks
// no lock.
func TestAppeared(t *testing.T) {
	small(t, 3)
	s := newScenario(t, 33, 20, 1, session.Options{MaxBatchSize: 5})
	for n := 1; n <= s.first; n += 11 {
		p := pair{s.src1, s.path("stopped")}
		require.NoError(t, os.RemoveAll(p.dst))
		_, err := p.sync(s.at(pull(n)))
		require.ErrorIs(t, err, errPlug)
		log := filepath.Join(p.dst, "db.log")
		require.NoError(t, os.WriteFile(log, local.Bootstrap(), 0o600))
		p.refused(t, dest.ErrForeign, s.opt)
		require.NoError(t, os.Remove(log))
		p.must(t, s.opt)
		sameLogs(t, s.want1, p.log(t), "after a database was there for a while")
	}
	// In the last moment before the first copy takes the name.
	p := pair{s.src1, s.path("stopped")}
	require.NoError(t, os.RemoveAll(p.dst))
	log := filepath.Join(p.dst, "db.log")
	_, err := p.sync(s.at(func(replay.Point) error { return os.WriteFile(log, local.Bootstrap(), 0o600) }))
	require.ErrorIs(t, err, local.ErrAppeared)
	require.Equal(t, string(local.Bootstrap()), read(t, log))
	require.NoError(t, os.Remove(log))
	p.must(t, s.opt)
	sameLogs(t, s.want1, p.log(t), "after a database was there for a moment")
}

func TestShape(t *testing.T) {
	small(t, 3)
	s := newScenario(t, 34, 20, 10, session.Options{MaxBatchSize: 5, TxEntities: "all"})
	p := pair{s.src1, s.path("stopped")}
	_, err := p.sync(s.at(pull(9)))
	require.ErrorIs(t, err, errPlug)
	p.refused(t, session.ErrShape, session.Options{MaxBatchSize: 6})
	p.refused(t, session.ErrShape, session.Options{TxEntities: "used"})
	p.must(t, session.Options{Jobs: 4, MaxMemory: 1, EidBatch: 1}) // what the session has
	sameLogs(t, s.want1, p.log(t), "resumed without naming the options")
	p.src = s.src2
	p.must(t, session.Options{MaxBatchSize: 6, TxEntities: "none"})
	sameLogs(t, s.want2, p.log(t), "shape means nothing to replay")
}

// Files that an earlier run of anything left are removed, or do no harm.
func TestLeftovers(t *testing.T) {
	s := newScenario(t, 35, 20, 1, session.Options{})
	p := pair{s.src1, s.path("littered")}
	require.NoError(t, os.MkdirAll(p.dst, 0o777))
	for _, name := range []string{"db.log.loading", "log.idx.loading", "log.idx.loading.new", "log.idx", "log.idx.new",
		"db-root-0000000009", "index-eavt-9", "index-aevt-9", "dclone.state.new", "tmp-db-root-1"} {
		path, before := filepath.Join(p.dst, name), time.Now().Add(-time.Hour)
		require.NoError(t, os.WriteFile(path, []byte("12345678left over"), 0o600))
		require.NoError(t, os.Chtimes(path, before, before))
	}
	require.NoError(t, os.WriteFile(filepath.Join(p.dst, "someone's"), nil, 0o600))
	p.must(t, s.opt)
	sameLogs(t, s.want1, p.log(t), "beside leftovers")
	seen(t, p.dst)
	p.check(t)
	want := files(t, s.dst1)
	want["someone's"] = ""
	for name := range files(t, p.dst) {
		require.Contains(t, want, name, "a leftover that is still there")
	}
}

// A source that proves damaged while it is read whole stops the run before anything is written.
func TestDamagedSource(t *testing.T) {
	s := newScenario(t, 36, 20, 1, session.Options{})
	damaged := s.path("damaged")
	copyDir(t, s.src1, damaged)
	log := []byte(read(t, filepath.Join(damaged, "db.log")))
	log[len(local.Bootstrap())+300] ^= 0xff
	log[len(local.Bootstrap())+301] ^= 0xff
	require.NoError(t, os.WriteFile(filepath.Join(damaged, "db.log"), log, 0o600))
	p := pair{damaged, s.path("never")}
	_, err := p.sync(s.opt)
	var sourceErr *dclone.SourceError
	require.ErrorAs(t, err, &sourceErr)
	require.Empty(t, files(t, p.dst))
}

// Two runs at once cannot both write.
func TestTwoRuns(t *testing.T) {
	s := newScenario(t, 37, 10, 10, session.Options{})
	dst, err := destlocal.Lock(s.dst1)
	require.NoError(t, err)
	_, err = pair{s.src2, s.dst1}.sync(s.opt)
	require.ErrorIs(t, err, local.ErrLocked)
	require.NoError(t, dst.Close())

	st, err := state.Open(filepath.Join(s.dst1, "dclone.state"))
	require.NoError(t, err)
	_, err = pair{s.src2, s.dst1}.sync(s.opt)
	require.ErrorIs(t, err, state.ErrLocked)
	require.NoError(t, st.Close())
	pair{s.src2, s.dst1}.must(t, s.opt)
}

// No run leaves a goroutine behind, however it ends.
func TestGoroutines(t *testing.T) {
	small(t, 2)
	s := newScenario(t, 38, 30, 10, session.Options{MaxBatchSize: 2, Jobs: 4})
	before := runtime.NumGoroutine()
	for n := 1; n <= s.first; n += 40 {
		p := pair{s.src1, s.path("stopped")}
		require.NoError(t, os.RemoveAll(p.dst))
		_, err := p.sync(s.at(pull(n)))
		require.ErrorIs(t, err, errPlug)
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "%d goroutines, %d before", runtime.NumGoroutine(), before)
	}
}
