// Package realdata finds the databases that real Datomic wrote, which tests use where they are at hand. They are too
// large, or belong to others, and lie beside the module; DCLONE_DATA names another directory.
package realdata

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// File returns the path of a file. It skips the test where there is none.
func File(t testing.TB, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{dir(t)}, elem...)...)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		t.Skipf("no real data: %s is missing; DCLONE_DATA may name its directory", path)
	}
	return path
}

// Entries yields name and content of every file in an archive, .tar or .tar.gz. It skips the test where there is none.
func Entries(t testing.TB, elem ...string) iter.Seq2[string, []byte] {
	t.Helper()
	path := File(t, elem...)
	return func(yield func(string, []byte) bool) {
		f, err := os.Open(path)
		require.NoError(t, err)
		defer f.Close()
		r := io.Reader(f)
		if strings.HasSuffix(path, ".gz") {
			r, err = gzip.NewReader(f)
			require.NoError(t, err)
		}
		for r := tar.NewReader(r); ; {
			h, err := r.Next()
			if err == io.EOF {
				return
			}
			require.NoError(t, err)
			if h.Typeflag != tar.TypeReg {
				continue
			}
			content, err := io.ReadAll(r)
			require.NoError(t, err)
			if !yield(strings.TrimPrefix(filepath.ToSlash(filepath.Clean("/"+h.Name)), "/"), content) {
				return
			}
		}
	}
}

// Unpack returns a directory with a copy of what an archive holds, for each call its own.
func Unpack(t testing.TB, elem ...string) string {
	t.Helper()
	to := t.TempDir()
	for name, content := range Entries(t, elem...) {
		path := filepath.Join(to, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
		require.NoError(t, os.WriteFile(path, content, 0o666))
	}
	return to
}

// dir is where real data lies.
func dir(t testing.TB) string {
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
