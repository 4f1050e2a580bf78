package session_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	destlocal "dclone/dest/local"
	"dclone/historytest"
	"dclone/session"
	sourcelocal "dclone/source/local"
)

// A pair is a source directory and a clone's.
type pair struct{ src, dst string }

func (p pair) sidecar() string { return filepath.Join(p.dst, "dclone.state") }

// sync is one run of dclone, everything opened and closed.
func (p pair) sync(opt session.Options) (r session.Result, err error) {
	return p.syncContext(context.Background(), opt)
}

func (p pair) syncContext(ctx context.Context, opt session.Options) (r session.Result, err error) {
	src, err := sourcelocal.Open(p.src)
	if err != nil {
		return r, err
	}
	defer src.Close()
	dst, err := destlocal.Lock(p.dst)
	if err != nil {
		return r, err
	}
	defer dst.Close()
	if opt.Jobs == 0 {
		opt.Jobs = 2
	}
	opt.SourceAddress, opt.DestAddress = "datomic-local:/source", "datomic-local:/clone"
	return session.Sync(ctx, src, dst, p.sidecar(), opt)
}

func (p pair) must(t testing.TB, opt session.Options) session.Result {
	t.Helper()
	r, err := p.sync(opt)
	require.NoError(t, err)
	return r
}

func (p pair) check(t testing.TB) {
	t.Helper()
	historytest.Check(t, p.src, p.dst, p.sidecar())
}

// log returns what must be equal byte for byte.
func (p pair) log(t testing.TB) [2]string {
	t.Helper()
	return [2]string{read(t, filepath.Join(p.dst, "db.log")), read(t, filepath.Join(p.dst, "log.idx"))}
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

// copyDir makes to a copy of from, whatever was there.
func copyDir(t testing.TB, from, to string) {
	t.Helper()
	require.NoError(t, os.RemoveAll(to))
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	require.NoError(t, filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			err = os.Chmod(path, 0o600)
		}
		return err
	}))
}

// sameLogs fails t unless both clones are the same byte for byte.
func sameLogs(t testing.TB, want, got [2]string, format string, args ...any) {
	t.Helper()
	if want == got {
		return
	}
	what := fmt.Sprintf(format, args...)
	a, err := historytest.Split([]byte(want[0]))
	require.NoError(t, err)
	b, err := historytest.Split([]byte(got[0]))
	require.NoError(t, err, what)
	for i := range min(len(a), len(b)) {
		require.True(t, want[0][a[i].From:a[i].To] == got[0][b[i].From:b[i].To], "clone t %d differs: %s", i, what)
	}
	require.Len(t, b, len(a), "transactions: %s", what)
	require.Equal(t, []byte(want[1]), []byte(got[1]), "log.idx: %s", what)
}
