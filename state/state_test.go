package state_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"dclone"
	"dclone/eidmap"
	"dclone/historytest/seeds"
	"dclone/state"
)

const (
	holdVar = "DCLONE_TEST_HOLD"
	readVar = "DCLONE_TEST_READ"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(holdVar); path != "" {
		hold(path)
	}
	if path := os.Getenv(readVar); path != "" {
		os.Exit(readIt(path))
	}
	os.Exit(m.Run())
}

const refused = 9

// readIt is a process that may well not survive what it reads.
func readIt(path string) int {
	st, err := state.Open(path)
	if err == nil {
		err = errors.Join(readAll(st), st.Close())
	}
	if err != nil {
		fmt.Println(err)
		return refused
	}
	return 0
}

// reads has another process read all of a sidecar, and fails t if that does not survive it.
func reads(t testing.TB, path, format string, args ...any) error {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), readVar+"="+path, "GORACE=atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()
	switch cmd.ProcessState.ExitCode() {
	case 0:
		return nil
	case refused:
		return errors.New(string(out))
	}
	require.NoError(t, err, "%s:\n%s", fmt.Sprintf(format, args...), out[:min(len(out), 600)])
	return err
}

// hold is another process that has a sidecar open until its input ends.
func hold(path string) {
	st, err := state.Open(path)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	bufio.NewReader(os.Stdin).ReadString('\n')
	st.Close()
	os.Exit(0)
}

func session() state.Session {
	return state.Session{Version: state.Version, ID: uuid.New(), Created: time.Now().UTC().Truncate(time.Second),
		Key: []byte("key"), Source: state.Identity{Address: "a"}, Dest: state.Identity{Address: "b"},
		Options: state.Options{Plan: state.PlanVersion, MaxBatchSize: 500, TxEntities: "used"}}
}

func position() state.Position {
	return state.Position{Phase: state.Loading, Basis: 7, Clone: dclone.Mark{T: -1},
		Source: dclone.Fingerprint{T: 7, Instant: -5, Digest: dclone.Digest{1, 2, 3}},
		Next:   eidmap.First{DB: 1 << 41, User: 2, Value: 3, T: 4}}
}

func create(t testing.TB, path string) (*state.Store, state.Session) {
	t.Helper()
	s := session()
	st, err := state.Create(path, s, position())
	require.NoError(t, err)
	return st, s
}

func TestCreateAndOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "for", "it", "dclone.state")
	_, err := state.Open(path)
	require.ErrorIs(t, err, state.ErrNone)
	st, s := create(t, path)
	require.Equal(t, path, st.Path())
	require.NoFileExists(t, path+".new")
	_, err = state.Create(path, session(), position())
	require.Error(t, err, "a sidecar was replaced")
	require.NoError(t, st.Close())
	_, err = state.Create(path, session(), position())
	require.Error(t, err, "a sidecar was replaced")

	st, err = state.Open(path)
	require.NoError(t, err)
	got, err := st.Session()
	require.NoError(t, err)
	require.Equal(t, s, got)
	pos, err := st.Position()
	require.NoError(t, err)
	require.Equal(t, position(), pos)
	intent, err := st.Intent()
	require.NoError(t, err)
	require.Nil(t, intent)
	require.NoError(t, st.Close())
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "others can read it")
}

// A crash while a sidecar is built leaves another name, which does no harm.
func TestCreateOverRest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dclone.state")
	require.NoError(t, os.WriteFile(path+".new17", []byte("half a sidecar"), 0o600))
	st, _ := create(t, path)
	require.NoError(t, st.Close())
	require.Equal(t, []string{path + ".new17"}, state.Rests(path), "it may be another run's, which goes on")

	require.NoError(t, os.Chtimes(path+".new17", time.Time{}, time.Now().Add(-time.Hour)))
	require.NoError(t, os.Link(path, path+".new")) // between link and remove
	require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)))
	st, err := state.Open(path)
	require.NoError(t, err)
	require.NoError(t, st.Close())
	require.NoError(t, os.Remove(path))
	st, _ = create(t, path)
	require.NoError(t, st.Close())
	require.Empty(t, state.Rests(path))
}

// Of runs that begin at once, one gets the place.
func TestCreateAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dclone.state")
	var made atomic.Int64
	var runs sync.WaitGroup
	for range 8 {
		runs.Go(func() {
			st, err := state.Create(path, session(), position())
			if err != nil {
				assert.ErrorIs(t, err, state.ErrLocked)
				return
			}
			made.Add(1)
			assert.NoError(t, st.Update(func(tx *state.Tx) error { return tx.SetPosition(position()) }))
			t.Cleanup(func() { st.Close() })
		})
	}
	runs.Wait()
	require.Equal(t, int64(1), made.Load())
	require.Empty(t, state.Rests(path))
	_, err := state.Open(path)
	require.ErrorIs(t, err, state.ErrLocked, "the file in its place is not the one that is open")
}

func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dclone.state")
	st, _ := create(t, path)
	_, err := state.Open(path)
	require.ErrorIs(t, err, state.ErrLocked)
	require.NoError(t, st.Close())

	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holdVar+"="+path, "GORACE=atexit_sleep_ms=0")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "held\n", line)
	_, err = state.Open(path)
	require.ErrorIs(t, err, state.ErrLocked)
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
	st, err = state.Open(path)
	require.NoError(t, err)
	require.NoError(t, st.Close())
}

func TestOtherVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dclone.state")
	st, s := create(t, path)
	s.Version = state.Version + 1
	require.NoError(t, st.Update(func(tx *state.Tx) error { return tx.SetSession(s) }))
	require.NoError(t, st.Close())
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = state.Open(path)
	require.ErrorContains(t, err, fmt.Sprint("version ", state.Version+1))
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// Files that are no sidecar are an error, not a panic and not a sidecar.
func TestNoSidecar(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "dclone.state")
	st, _ := create(t, path)
	require.NoError(t, st.Close())
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	other := filepath.Join(dir, "bbolt")
	db, err := bbolt.Open(other, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	foreign, err := os.ReadFile(other)
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "dir"), 0o700))
	for name, b := range map[string][]byte{
		"empty": {}, "text": []byte("no sidecar\n"), "zeros": make([]byte, 1<<15), "bbolt": foreign,
		"a byte": good[:1], "a page": good[:4096], "two pages": good[:8192], "cut": good[:len(good)-5000], "half": good[:len(good)/2],
	} {
		file := filepath.Join(dir, "bad")
		require.NoError(t, os.WriteFile(file, b, 0o600))
		err := reads(t, file, "%s", name)
		if name == "cut" && err == nil {
			continue // of pages that nothing used
		}
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), state.ErrNone.Error()+":", name)
		after, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, b, after, "%s was changed", name)
	}
	_, err = state.Open(filepath.Join(dir, "dir"))
	require.Error(t, err)
}

// readAll reads all a sidecar holds.
func readAll(st *state.Store) error {
	_, err1 := st.Session()
	_, err2 := st.Position()
	_, err3 := st.Intent()
	return errors.Join(err1, err2, err3, st.View(func(tx *state.Tx) error {
		m, err := tx.Map()
		if err == nil {
			err = m.Each(func(r eidmap.Run) error { _, _, err := m.Clone(r.Src); return err })
		}
		return errors.Join(err, tx.Schema(func([]dclone.Datom) error { return nil }))
	}))
}

// A sidecar with flipped bytes is an error or reads as some sidecar; it never panics.
func TestDamaged(t *testing.T) {
	for _, seed := range seeds.Of(t, 60) {
		path := filepath.Join(t.TempDir(), "dclone.state")
		st, _ := create(t, path)
		require.NoError(t, st.Update(func(tx *state.Tx) error {
			return errors.Join(tx.SetIntent(&state.Intent{}), tx.Commit(randomCommit(rand.New(rand.NewPCG(seed, 1)))))
		}))
		require.NoError(t, st.Close())
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		r := rand.New(rand.NewPCG(seed, 0))
		for range 1 + r.IntN(30) {
			b[r.IntN(len(b))] ^= byte(1 << r.IntN(8))
		}
		require.NoError(t, os.WriteFile(path, b, 0o600))
		_ = reads(t, path, "DCLONE_SEED=%d", seed)
	}
}

func randomCommit(r *rand.Rand) *state.Commit {
	c := &state.Commit{Position: position()}
	next := dclone.EntityID(73)
	for range r.IntN(20) {
		n := 1 + r.Int64N(100)
		c.Runs = append(c.Runs, eidmap.Run{Src: next, Clone: next + 5, N: n})
		next += dclone.EntityID(n + r.Int64N(3))
	}
	for i := range r.IntN(50) {
		v := make([]byte, r.IntN(300))
		for j := range v {
			v[j] = byte(r.Uint32())
		}
		c.Schema = append(c.Schema, dclone.Datom{E: dclone.EntityID(r.Int64N(1 << 62)), A: dclone.EntityID(r.IntN(73)),
			V: v, Tx: dclone.TxID(dclone.T(6 + i/7)), Added: r.IntN(2) == 0})
	}
	for i := range r.IntN(4) {
		c.NotCarried = append(c.NotCarried, dclone.NotCarried{Attribute: fmt.Sprint(":a/", i), Reason: "why", Count: r.Int64N(9), FirstT: 3})
	}
	return c
}

func randomIntent(r *rand.Rand) *state.Intent {
	i := &state.Intent{Commit: *randomCommit(r)}
	for range r.IntN(40) {
		i.Frames = append(i.Frames, state.Frame{Length: r.Int64N(1 << 40), Digest: dclone.Digest{byte(r.Uint32()), 7}})
	}
	return i
}

func TestIntent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dclone.state")
	st, _ := create(t, path)
	for _, seed := range seeds.Of(t, 20) {
		want := randomIntent(rand.New(rand.NewPCG(seed, 0)))
		require.NoError(t, st.Update(func(tx *state.Tx) error { return tx.SetIntent(want) }))
		require.NoError(t, st.Close())
		var err error
		st, err = state.Open(path)
		require.NoError(t, err)
		got, err := st.Intent()
		require.NoError(t, err)
		require.Equal(t, len(want.Commit.Schema), len(got.Commit.Schema))
		for i, d := range want.Commit.Schema {
			require.Equal(t, string(d.V), string(got.Commit.Schema[i].V))
			d.V, got.Commit.Schema[i].V = nil, nil
			require.Equal(t, d, got.Commit.Schema[i])
			want.Commit.Schema[i].V = nil
		}
		require.Equal(t, want, got, "DCLONE_SEED=%d", seed)
	}
	require.NoError(t, st.Update(func(tx *state.Tx) error { return tx.DropIntent() }))
	got, err := st.Intent()
	require.NoError(t, err)
	require.Nil(t, got)
	require.NoError(t, st.Close())
}

// A commit makes all of it true at once, or nothing.
func TestCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dclone.state")
	st, _ := create(t, path)
	r := rand.New(rand.NewPCG(3, 0))
	c := randomCommit(r)
	c.Position.Phase, c.Position.Mapped = state.Current, true
	c.NotCarried = []dclone.NotCarried{{Attribute: ":a/b", Reason: "why", Count: 2, FirstT: 9}}
	boom := errors.New("boom")
	require.NoError(t, st.Update(func(tx *state.Tx) error { return tx.SetIntent(randomIntent(r)) }))
	require.ErrorIs(t, st.Update(func(tx *state.Tx) error { return errors.Join(tx.Commit(c), boom) }), boom)
	pos, err := st.Position()
	require.NoError(t, err)
	require.Equal(t, position(), pos)
	intent, err := st.Intent()
	require.NoError(t, err)
	require.NotNil(t, intent)

	for range 2 {
		require.NoError(t, st.Update(func(tx *state.Tx) error { return tx.Commit(c) }))
		c.Runs = nil
	}
	require.NoError(t, st.Close())
	st, err = state.Open(path)
	require.NoError(t, err)
	pos, err = st.Position()
	require.NoError(t, err)
	require.Equal(t, c.Position, pos)
	intent, err = st.Intent()
	require.NoError(t, err)
	require.Nil(t, intent)
	s, err := st.Session()
	require.NoError(t, err)
	require.Equal(t, []dclone.NotCarried{{Attribute: ":a/b", Reason: "why", Count: 4, FirstT: 9}}, s.NotCarried)
	n := 0
	last := dclone.EntityID(0)
	require.NoError(t, st.View(func(tx *state.Tx) error {
		return tx.Schema(func(datoms []dclone.Datom) error {
			for _, d := range datoms {
				require.Equal(t, datoms[0].Tx, d.Tx)
			}
			require.True(t, datoms[0].Tx > last || n == len(c.Schema), "transactions out of order")
			last = datoms[0].Tx
			n += len(datoms)
			return nil
		})
	}))
	require.Equal(t, 2*len(c.Schema), n)
	require.NoError(t, st.Update(func(tx *state.Tx) error { return errors.Join(tx.ClearSchema(), tx.ClearMap()) }))
	require.NoError(t, readAll(st))
	require.NoError(t, st.Close())
}

func TestAddNotCarried(t *testing.T) {
	have := state.AddNotCarried(nil, []dclone.NotCarried{{Attribute: "a", Reason: "x", Count: 1, FirstT: 9}, {Attribute: "a", Reason: "y", Count: 1, FirstT: 9}})
	have = state.AddNotCarried(have, []dclone.NotCarried{{Attribute: "a", Reason: "x", Count: 2, FirstT: 4}, {Attribute: "b", Reason: "x", Count: 1, FirstT: 1}})
	require.Equal(t, []dclone.NotCarried{{Attribute: "a", Reason: "x", Count: 3, FirstT: 4}, {Attribute: "a", Reason: "y", Count: 1, FirstT: 9},
		{Attribute: "b", Reason: "x", Count: 1, FirstT: 1}}, have)
}

// What a transaction that failed had put in the map is not there, nor what was there before the
// map was made empty, whatever was looked up meanwhile.
func TestMapForgets(t *testing.T) {
	st, _ := create(t, filepath.Join(t.TempDir(), "dclone.state"))
	defer func() { require.NoError(t, st.Close()) }()
	user := func(p dclone.Partition, eidx int64) dclone.EntityID { return dclone.MakeEntityID(p, eidx) }
	look := func(tx *state.Tx, src dclone.EntityID) (dclone.EntityID, bool) {
		m, err := tx.Map()
		require.NoError(t, err)
		clone, ok, err := m.Clone(src)
		require.NoError(t, err)
		return clone, ok
	}
	bind := func(fail error, runs ...eidmap.Run) {
		require.ErrorIs(t, st.Update(func(tx *state.Tx) error {
			m, err := tx.Map()
			require.NoError(t, err)
			require.NoError(t, m.Put(runs))
			for _, r := range runs {
				clone, ok := look(tx, r.Src)
				require.True(t, ok && clone == r.Clone)
			}
			return fail
		}), fail)
	}
	has := func(want bool, runs ...eidmap.Run) {
		t.Helper()
		require.NoError(t, st.View(func(tx *state.Tx) error {
			for _, r := range runs {
				clone, ok := look(tx, r.Src)
				require.True(t, ok == want && (!ok || clone == r.Clone), "entity %d is %d, %v", r.Src, clone, ok)
			}
			return nil
		}))
	}
	boom := errors.New("boom")
	kept := []eidmap.Run{{Src: user(17, 100), Clone: user(17, 73), N: 10}, {Src: 80, Clone: 80, N: 3}}
	lost := []eidmap.Run{{Src: user(18, 110), Clone: user(18, 83), N: 10}, {Src: 83, Clone: 83, N: 3}, {Src: user(19, 5000), Clone: user(19, 93), N: 4}}
	bind(nil, kept...)
	bind(boom, lost...)
	has(false, lost...)
	other := []eidmap.Run{{Src: user(20, 110), Clone: user(20, 83), N: 2}, {Src: user(21, 5000), Clone: user(21, 85), N: 2}, {Src: 83, Clone: 90, N: 1}}
	bind(nil, other...)
	has(false, lost[0], lost[2])
	has(true, other...)
	has(true, kept...)
	require.NoError(t, st.Update(func(tx *state.Tx) error { return tx.ClearMap() }))
	has(false, other...)
	has(false, kept...)
	bind(nil, lost...)
	has(true, lost...)
}
