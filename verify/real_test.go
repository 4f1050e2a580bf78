package verify

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/session"
)

// realData returns a directory with the databases of one archive of real data. It skips where there
// is none: DCLONE_DATA names another place for it.
func realData(t *testing.T, archive string) string {
	dir := os.Getenv("DCLONE_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(dir, "local", archive))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("%s is not there: DCLONE_DATA says where real data is", archive)
	}
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	to := t.TempDir()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return to
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

// TestRealData verifies clones of databases that Datomic Local wrote: first copies, and one
// that is caught up with two thousand transactions.
func TestRealData(t *testing.T) {
	for _, c := range []struct{ archive, first, later string }{
		{"types5.tar.gz", "types5", ""},
		{"bigd.tar.gz", "bigd", ""},
		{"mbrainz.tar.gz", "mbrainz", "mbrainz-later"},
	} {
		t.Run(c.first, func(t *testing.T) {
			data, dir := realData(t, c.archive), t.TempDir()
			src := filepath.Join(data, c.first)
			syncClone(t, src, dir, session.Options{})
			requireOK(t, verifyClone(t, src, dir, Options{}))
			if c.later == "" {
				return
			}
			src = filepath.Join(data, c.later)
			syncClone(t, src, dir, session.Options{})
			for _, l := range levels {
				rep := verifyClone(t, src, dir, Options{Level: l})
				requireOK(t, rep)
				if l != Counts {
					require.Greater(t, rep.Transactions, int64(1000))
				}
			}
		})
	}
}
