package storetest

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// RealBackup returns a directory with a backup that Datomic wrote: a copy of its own for each call. The
// test skips where there is none: DCLONE_DATA names the directory of real data.
func RealBackup(t testing.TB, name string) string {
	t.Helper()
	archive := filepath.Join(dataDir(t), "pro", name+".tar")
	f, err := os.Open(archive)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no real backup: %s is missing; DCLONE_DATA may name its directory", archive)
	}
	require.NoError(t, err)
	defer f.Close()
	to := t.TempDir()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			return filepath.Join(to, name)
		}
		require.NoError(t, err)
		path := filepath.Join(to, filepath.Clean("/"+h.Name))
		if h.FileInfo().IsDir() {
			require.NoError(t, os.MkdirAll(path, 0o777))
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
		b, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, b, 0o666))
	}
}

// dataDir is where real data lies: beside the module, unless DCLONE_DATA says otherwise.
func dataDir(t testing.TB) string {
	if dir := os.Getenv("DCLONE_DATA"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	require.NoError(t, err)
	for above := filepath.Dir(dir); ; dir, above = above, filepath.Dir(above) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil || dir == above {
			return filepath.Join(dir, "..", "shared", "data")
		}
	}
}
