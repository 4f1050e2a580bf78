package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/segment"
	"dclone/realdata"
	"dclone/store"
	"dclone/store/dir"
	"dclone/store/storetest"
)

const database = "db-6b013485-b28c-47fa-9013-35e7e260bff9"

func files(t testing.TB, path string) store.Files {
	t.Helper()
	f, err := dir.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

func open(t testing.TB, path string) *store.Backup {
	t.Helper()
	b, err := store.OpenBackup(t.Context(), files(t, path))
	require.NoError(t, err)
	return b
}

func opener(path string) func(testing.TB) store.Database {
	return func(t testing.TB) store.Database { return open(t, path) }
}

func TestBackup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup")
	has := storetest.WriteBackup(t, store.NewBackup(files(t, path)), database)
	storetest.TestDatabase(t, opener(path), has)
	require.FileExists(t, filepath.Join(path, "values", "0A", "00000001-0000-4000-8000-00000000000a_00000000000000A"))
	require.FileExists(t, filepath.Join(path, "values", "0a", "00000000-0000-4000-8000-00000000000a"))
	owner, err := os.ReadFile(filepath.Join(path, "owner"))
	require.NoError(t, err)
	require.Equal(t, database, string(owner))
}

func TestClaims(t *testing.T) {
	storetest.TestClaims(t, func(t testing.TB) store.Files { return files(t, t.TempDir()) })
}

// TestFolded reads backups that a file system which takes 0A and 0a for one has made: all segments of
// both in either. A segment that is not where Datomic looks is not counted as there.
func TestFolded(t *testing.T) {
	for _, c := range []struct{ kept, gone string }{{"0a", "0A"}, {"0A", "0a"}} {
		t.Run(c.kept, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "backup")
			has := storetest.WriteBackup(t, store.NewBackup(files(t, path)), database)
			kept, gone := filepath.Join(path, "values", c.kept), filepath.Join(path, "values", c.gone)
			entries, err := os.ReadDir(gone)
			require.NoError(t, err)
			for _, e := range entries {
				require.NoError(t, os.Rename(filepath.Join(gone, e.Name()), filepath.Join(kept, e.Name())))
			}
			require.NoError(t, os.Remove(gone))
			storetest.TestDatabase(t, opener(path), has)
			for id := range has.Segments {
				there, err := open(t, path).HasSegment(t.Context(), id)
				require.NoError(t, err)
				require.Equal(t, strings.HasSuffix(id, c.kept), there)
			}
		})
	}
}

// TestFlat reads the layout of versions 1 and 2, and what later backups into the same directory add.
func TestFlat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup")
	has := storetest.WriteBackup(t, store.NewBackup(files(t, path)), database)
	moved := 0
	for id := range has.Segments {
		if moved++; moved%4 == 0 {
			continue
		}
		values := filepath.Join(path, "values")
		require.NoError(t, os.Rename(filepath.Join(values, id[len(id)-2:], id), filepath.Join(values, id)))
		there, err := open(t, path).HasSegment(t.Context(), id)
		require.NoError(t, err)
		require.False(t, there, "version 3 does not look there")
	}
	storetest.TestDatabase(t, opener(path), has)
}

func TestReal(t *testing.T) {
	for name, points := range map[string][]dclone.T{
		"alltypes": {5619, 1493}, "mbrainz": {83207, 83157}, "excised": {1039}, "small": {3041}, "midindex": {3041}} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(realdata.Unpack(t, "pro", name+".tar"), name)
			owner, err := os.ReadFile(filepath.Join(path, "owner"))
			require.NoError(t, err)
			has := storetest.Content{Segments: map[string][]byte{}}
			values, err := filepath.Glob(filepath.Join(path, "values", "*", "*"))
			require.NoError(t, err)
			for _, v := range values {
				has.Segments[filepath.Base(v)], err = os.ReadFile(v)
				require.NoError(t, err)
			}
			b := open(t, path)
			for _, p := range points {
				r, err := b.Root(t.Context(), p)
				require.NoError(t, err)
				require.Equal(t, string(owner), r.DatabaseID)
				require.Equal(t, []int{3, 2, 3}, []int{r.Version, r.IndexVersion, r.LogVersion})
				require.Contains(t, has.Segments, r.Index)
				require.Contains(t, has.Segments, r.Log)
				has.Roots = append(has.Roots, r)
			}
			storetest.TestDatabase(t, opener(path), has)
			require.NoError(t, b.Claim(t.Context(), string(owner)))
		})
	}
}

func TestNoDatabase(t *testing.T) {
	missing, empty, other := filepath.Join(t.TempDir(), "missing"), t.TempDir(), t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(other, "roots", "12"), 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(other, "roots", ".DS_Store"), nil, 0o666))
	for _, path := range []string{missing, empty, other} {
		_, err := store.OpenBackup(t.Context(), files(t, path))
		require.ErrorIs(t, err, store.ErrNoDatabase)
		require.ErrorContains(t, err, "file:"+path)
	}
	require.NoDirExists(t, missing)
}

// TestUntidy has all sorts of files among the roots, and roots that none of our backups wrote.
func TestUntidy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup")
	b := store.NewBackup(files(t, path))
	require.NoError(t, b.Claim(t.Context(), database))
	_, err := b.Root(t.Context(), store.Newest)
	require.ErrorIs(t, err, store.ErrNoRoot)
	require.ErrorContains(t, err, "no backup into it was ever finished")
	_, err = b.Root(t.Context(), 5)
	require.ErrorContains(t, err, "it has none")
	points, err := b.Points(t.Context())
	require.NoError(t, err)
	require.Empty(t, points)
	for i := range 8 {
		require.NoError(t, b.PutRoot(t.Context(), root(dclone.T(10*i))))
	}
	for _, name := range []string{".DS_Store", "30~", "#30#", ".30.swp", "30 (copy)", "030", "+30", "-1", "3_0", "", "99999999999999999999", "1e3", "0x10", "٣"} {
		if name != "" {
			require.NoError(t, os.WriteFile(filepath.Join(path, "roots", name), []byte("x"), 0o666))
		}
	}
	require.NoError(t, os.Mkdir(filepath.Join(path, "roots", "1000"), 0o777))
	points, err = b.Points(t.Context())
	require.NoError(t, err)
	require.Equal(t, []dclone.T{70, 60, 50, 40, 30, 20, 10, 0}, points)
	_, err = b.Root(t.Context(), 31)
	require.ErrorIs(t, err, store.ErrNoRoot)
	require.ErrorContains(t, err, "it has 70, 60, 50, 40, 30 and 3 older")
	_, err = b.Root(t.Context(), 1000)
	require.ErrorContains(t, err, "no regular file")
}

func root(t dclone.T) store.Root {
	id := database[len(database)-36:]
	return store.Root{DatabaseID: database, T: t, Index: id, Log: id, Tail: []byte{0xee}, Version: 3, IndexVersion: 2, LogVersion: 3}
}

// TestDamagedRoots sees that what is no root is refused by its name.
func TestDamagedRoots(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup")
	b := store.NewBackup(files(t, path))
	require.NoError(t, b.Claim(t.Context(), database))
	require.NoError(t, b.PutRoot(t.Context(), root(7)))
	name := filepath.Join(path, "roots", "7")
	whole, err := os.ReadFile(name)
	require.NoError(t, err)
	ids := segment.BackupRoot{DatabaseID: database, Index: "../../../etc/passwd", Log: root(7).Log}
	damaged := [][]byte{nil, []byte("x"), whole[:len(whole)-1], whole[:len(whole)/2], segment.AppendBackupRoot(nil, ids)}
	for i, data := range damaged {
		require.NoError(t, os.WriteFile(name, data, 0o666))
		_, err := b.Root(t.Context(), 7)
		require.ErrorContains(t, err, "roots/7", "%d", i)
		require.ErrorContains(t, err, path)
		require.NotErrorIs(t, err, store.ErrNoRoot)
		_, err = b.Root(t.Context(), store.Newest)
		require.Error(t, err)
	}
}

// TestHostile sees that nothing from outside becomes a path that leads out of the backup.
func TestHostile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup")
	b := store.NewBackup(files(t, path))
	require.NoError(t, b.Claim(t.Context(), database))
	for _, id := range []string{"", "x", "../../owner", strings.Repeat("../", 12), "6B013485-b28c-47fa-9013-35e7e260bff9",
		"6b013485-b28c-47fa-9013-35e7e260bff9_00000000000000a", "6b013485-b28c-47fa-9013-35e7e260bff9-00000000000000A",
		"6b013485-b28c-47fa-9013-35e7e260bf/.", "6b013485xb28c-47fa-9013-35e7e260bff9"} {
		require.Error(t, b.PutSegment(t.Context(), id, nil), id)
		_, err := b.HasSegment(t.Context(), id)
		require.Error(t, err, id)
		r := root(7)
		r.Log = id
		require.Error(t, b.PutRoot(t.Context(), r), id)
	}
	for _, id := range []string{"", " ", "x\n"} {
		require.Error(t, b.Claim(t.Context(), id))
	}
	for i, change := range []func(*store.Root){func(r *store.Root) { r.T = store.Newest }, func(r *store.Root) { r.DatabaseID = "" },
		func(r *store.Root) { r.IndexVersion = 0 }, func(r *store.Root) { r.LogVersion = 0 }, func(r *store.Root) { r.Index = "" }} {
		r := root(7)
		change(&r)
		require.Error(t, b.PutRoot(t.Context(), r), "%d", i)
	}
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	require.Len(t, entries, 2, "owner and .dclone")
}

// TestTwoWriters lets one of two processes write.
func TestTwoWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup")
	one, other := store.NewBackup(files(t, path)), store.NewBackup(files(t, path))
	require.NoError(t, one.Claim(t.Context(), database))
	require.ErrorIs(t, other.Claim(t.Context(), database), store.ErrLocked)
	require.NoError(t, one.Close())
	require.NoError(t, other.Claim(t.Context(), database))
}
