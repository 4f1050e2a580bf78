package interop_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	destlocal "dclone/dest/local"
	"dclone/eidmap"
	"dclone/interop"
	"dclone/session"
	sourcelocal "dclone/source/local"
	"dclone/state"
	"dclone/verify"
)

const cloneSystem = "dev"

// A clonePair is a source and its clone, two databases of one storage directory.
type clonePair struct {
	jvm     *interop.JVM
	storage string
	source  string
	clone   string
	opt     session.Options
}

func newClonePair(t testing.TB, jvm *interop.JVM) clonePair {
	return clonePair{jvm: jvm, storage: t.TempDir(), source: "source", clone: "clone"}
}

// to returns the pair of the same source and another clone.
func (p clonePair) to(clone string, opt session.Options) clonePair {
	p.clone, p.opt = clone, opt
	return p
}

func (p clonePair) dir(db string) string { return filepath.Join(p.storage, cloneSystem, db) }

func (p clonePair) sidecar() string { return filepath.Join(p.dir(p.clone), "dclone.state") }

// in returns the arguments of the harness's functions that name a database.
func (p clonePair) in(db string) string {
	return interop.Str(p.storage) + " " + interop.Str(cloneSystem) + " " + interop.Str(db)
}

// create has Datomic Local make the source, and runs code with the connection c.
func (p clonePair) create(t testing.TB, code string) {
	t.Helper()
	p.jvm.Eval(t, `(create `+p.in(p.source)+`)`)
	p.grow(t, code)
}

// grow runs code with c the connection of the source, which stays open, as sources are.
func (p clonePair) grow(t testing.TB, code string) {
	t.Helper()
	p.jvm.Eval(t, `(let [c (conn `+p.in(p.source)+`)] `+code+`)`)
}

func (p clonePair) release(t testing.TB, dbs ...string) {
	t.Helper()
	for _, db := range dbs {
		p.jvm.Eval(t, `(release `+p.in(db)+`)`)
	}
}

// run is one run of dclone, everything opened and closed.
func (p clonePair) run() (r session.Result, err error) {
	src, err := sourcelocal.Open(p.dir(p.source))
	if err != nil {
		return r, err
	}
	defer src.Close()
	dst, err := destlocal.Lock(p.dir(p.clone))
	if err != nil {
		return r, err
	}
	defer dst.Close()
	opt := p.opt
	opt.SourceAddress, opt.DestAddress = "datomic-local:dev/"+p.source, "datomic-local:dev/"+p.clone
	return session.Sync(context.Background(), src, dst, p.sidecar(), opt)
}

func (p clonePair) must(t testing.TB) session.Result {
	t.Helper()
	r, err := p.run()
	require.NoError(t, err)
	return r
}

// verified has package verify compare the two, too.
func (p clonePair) verified(t testing.TB) verify.Report {
	t.Helper()
	src, err := sourcelocal.Open(p.dir(p.source))
	require.NoError(t, err)
	defer src.Close()
	clone, err := sourcelocal.Open(p.dir(p.clone))
	require.NoError(t, err)
	defer clone.Close()
	store, err := state.OpenRead(p.sidecar())
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	r, err := verify.Run(context.Background(), src, clone, store, verify.Options{TempDir: t.TempDir()})
	require.NoError(t, err)
	return r
}

// An idMap is what a sidecar says: the position, and which entity stands for which.
type idMap struct {
	pos      state.Position
	to, from map[int64]int64
}

// idMap reads the sidecar. The entities of the bootstrap, which it does not hold, stand for themselves.
func (p clonePair) idMap(t testing.TB) idMap {
	t.Helper()
	m := idMap{to: map[int64]int64{}, from: map[int64]int64{}}
	local.EachBootstrapDatom(func(d dclone.Datom) { m.add(t, int64(d.E), int64(d.E)) })
	for tx := range dclone.T(local.BootstrapT + 1) {
		m.add(t, int64(dclone.TxID(tx)), int64(dclone.TxID(tx)))
	}
	p.readMap(t, &m)
	return m
}

// readMap adds what the sidecar says.
func (p clonePair) readMap(t testing.TB, m *idMap) {
	t.Helper()
	store, err := state.OpenRead(p.sidecar())
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	m.pos, err = store.Position()
	require.NoError(t, err)
	require.NoError(t, store.View(func(tx *state.Tx) error {
		ids, err := tx.Map()
		if err != nil {
			return err
		}
		return ids.Each(func(r eidmap.Run) error {
			for i := range r.N {
				m.add(t, int64(r.Src)+i, int64(r.Clone)+i)
			}
			return nil
		})
	}))
}

func (m *idMap) add(t testing.TB, src, clone int64) {
	t.Helper()
	if c, ok := m.to[src]; ok {
		require.Equal(t, c, clone, "entity %d has two clones", src)
	}
	if s, ok := m.from[clone]; ok {
		require.Equal(t, s, src, "clone entity %d has two sources", clone)
	}
	m.to[src], m.from[clone] = clone, src
}

// write writes the map for (clone/read-map …), and returns the file's name as a Clojure string.
func (m idMap) write(t testing.TB) string {
	t.Helper()
	var b bytes.Buffer
	for src, clone := range m.to {
		fmt.Fprintln(&b, src, clone, 1)
	}
	name := filepath.Join(t.TempDir(), "ids")
	require.NoError(t, os.WriteFile(name, b.Bytes(), 0o600))
	return interop.Str(name)
}

// copyDatabase copies a database that no process has open, sidecar and all. Whatever was there goes.
func (p clonePair) copyDatabase(t testing.TB, from, to string) {
	t.Helper()
	require.NoError(t, os.RemoveAll(p.dir(to)))
	require.NoError(t, os.CopyFS(p.dir(to), os.DirFS(p.dir(from))))
}

// files returns a digest of each file of a database, and its size, but of .lock.
func (p clonePair) files(t testing.TB, db string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(p.dir(db))
	require.NoError(t, err)
	for _, e := range entries {
		if e.Name() != ".lock" {
			b := p.read(t, db, e.Name())
			all[e.Name()] = fmt.Sprintf("%d bytes %x", len(b), sha256.Sum256(b))
		}
	}
	return all
}

func (p clonePair) read(t testing.TB, db, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir(db), name))
	require.NoError(t, err)
	return b
}

func (p clonePair) has(t testing.TB, db, name string) bool {
	t.Helper()
	_, err := os.Lstat(filepath.Join(p.dir(db), name))
	if err != nil {
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	return err == nil
}

// without returns files but for those named.
func without(files map[string]string, names ...string) map[string]string {
	for _, name := range names {
		delete(files, name)
	}
	return files
}

// fileNames returns the names of the files in a directory.
func fileNames(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func isRoot(name string) bool { return strings.HasPrefix(name, "db-root-") }

// numbers reads numbers, one a line, from a string that pr-str printed.
func numbers(t testing.TB, printed string) (n []int64) {
	t.Helper()
	for _, line := range strings.Split(strings.Trim(printed, `"`), `\n`) {
		if line != "" {
			i, err := strconv.ParseInt(line, 10, 64)
			require.NoError(t, err)
			n = append(n, i)
		}
	}
	return n
}
