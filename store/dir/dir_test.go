//go:build unix

package dir_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/store"
	"dclone/store/dir"
	"dclone/store/storetest"
)

func open(t testing.TB, path string) *dir.Files {
	t.Helper()
	files, err := dir.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, files.Close()) })
	return files
}

func TestFiles(t *testing.T) {
	storetest.TestFiles(t, func(t testing.TB) store.Files { return open(t, t.TempDir()) })
}

// TestMissing has the directory, and two above it, made by the first that writes.
func TestMissing(t *testing.T) {
	storetest.TestFiles(t, func(t testing.TB) store.Files { return open(t, filepath.Join(t.TempDir(), "a", "b", "c")) })
}

// TestReadOnly sees that reading leaves no trace.
func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup")
	files := open(t, path)
	_, err := files.Get(t.Context(), "owner")
	require.ErrorIs(t, err, store.ErrMissing)
	require.ErrorContains(t, err, path)
	names, err := files.List(t.Context(), "roots")
	require.NoError(t, err)
	require.Empty(t, names)
	require.NoDirExists(t, path)
}

func TestNoDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, nil, 0o666))
	_, err := dir.Open(path)
	require.ErrorIs(t, err, syscall.ENOTDIR)
	require.ErrorContains(t, err, path)
}

// TestUntidy has all that is no regular file refused by name, at once, and left out of lists.
func TestUntidy(t *testing.T) {
	path := t.TempDir()
	files := open(t, path)
	at := func(name string) string { return filepath.Join(path, "roots", name) }
	require.NoError(t, files.Put(t.Context(), "roots/1", []byte("1")))
	require.NoError(t, os.Mkdir(at("2"), 0o777))
	require.NoError(t, syscall.Mkfifo(at("3"), 0o666))
	require.NoError(t, os.Symlink(at("1"), at("4")))
	require.NoError(t, os.Symlink(at("nothing"), at("5")))
	require.NoError(t, os.WriteFile(at("6"), nil, 0o666))
	require.NoError(t, os.Truncate(at("6"), store.MaxFile+1)) // of holes
	names, err := files.List(t.Context(), "roots")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"1", "4", "6"}, names)
	for _, name := range []string{"2", "3", "6"} {
		_, err := files.Get(t.Context(), "roots/"+name)
		require.ErrorContains(t, err, at(name))
		require.NotErrorIs(t, err, store.ErrMissing)
		_, err = files.Has(t.Context(), "roots/"+name)
		require.ErrorContains(t, err, at(name))
	}
	_, err = files.Get(t.Context(), "roots/5")
	require.ErrorIs(t, err, store.ErrMissing)
	got, err := files.Get(t.Context(), "roots/4")
	require.NoError(t, err)
	require.Equal(t, "1", string(got))
	_, err = files.Get(t.Context(), "roots/1/x")
	require.ErrorContains(t, err, at("1"))
	require.ErrorContains(t, files.Put(t.Context(), "roots/2", nil), at("2"))
	require.ErrorContains(t, files.Put(t.Context(), "roots/1/x", nil), at("1"))
	created, err := files.Create(t.Context(), "roots/2", nil)
	require.NoError(t, err)
	require.False(t, created)
	left, err := os.ReadDir(filepath.Join(path, ".dclone"))
	require.NoError(t, err)
	require.Empty(t, left, "what could not be put is gone")
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup")
	one, other := open(t, path), open(t, path)
	require.NoError(t, one.Lock(t.Context()))
	require.NoError(t, one.Lock(t.Context()))
	err := other.Lock(t.Context())
	require.ErrorIs(t, err, store.ErrLocked)
	require.ErrorContains(t, err, path)
	require.NoError(t, one.Close())
	require.NoError(t, other.Lock(t.Context()))
}

// TestModes sees that files are as readable as any new ones, though they begin as temporary ones.
func TestModes(t *testing.T) {
	path := t.TempDir()
	files := open(t, path)
	require.NoError(t, os.WriteFile(filepath.Join(path, "plain"), nil, 0o666))
	require.NoError(t, files.Put(t.Context(), "put", nil))
	_, err := files.Create(t.Context(), "created", nil)
	require.NoError(t, err)
	plain, err := os.Stat(filepath.Join(path, "plain"))
	require.NoError(t, err)
	for _, name := range []string{"put", "created"} {
		info, err := os.Stat(filepath.Join(path, name))
		require.NoError(t, err)
		require.Equal(t, plain.Mode(), info.Mode(), name)
	}
}

// TestNames is about what others see in the directory: whatever is written at any moment, nothing but
// keys, and .dclone.
func TestNames(t *testing.T) {
	path := t.TempDir()
	files := open(t, path)
	stop := make(chan struct{})
	done := make(chan error)
	go func() {
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
				if err := files.Put(t.Context(), "roots/1", make([]byte, 1<<16)); err != nil {
					done <- err
					return
				}
			}
		}
	}()
	for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end); {
		require.NoError(t, filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
			if err != nil || e.Name() == ".dclone" {
				return fs.SkipDir
			}
			require.Contains(t, []string{path, filepath.Join(path, "roots"), filepath.Join(path, "roots", "1")}, p)
			return nil
		}))
	}
	close(stop)
	require.NoError(t, <-done)
	left, err := os.ReadDir(filepath.Join(path, ".dclone"))
	require.NoError(t, err)
	require.Empty(t, left)
}
