package dir_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/store"
)

const nobody = 65534

// withoutRights runs do as a user who may do nothing special, also where the tests run as root.
func withoutRights(t *testing.T, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		do()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	require.NoError(t, syscall.Setfsuid(nobody))
	defer func() { require.NoError(t, syscall.Setfsuid(0)) }()
	do()
}

// TestDenied sees that errors of rights say so, name the file, and are not taken for absence.
func TestDenied(t *testing.T) {
	path := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(path), 0o755))
	files := open(t, path)
	for _, key := range []string{"values/aa/x", "roots/1", "owner"} {
		require.NoError(t, files.Put(t.Context(), key, []byte("x")))
	}
	denied := func(err error, name string) {
		t.Helper()
		require.ErrorIs(t, err, fs.ErrPermission)
		require.NotErrorIs(t, err, store.ErrMissing)
		require.ErrorContains(t, err, filepath.Join(path, name))
	}
	require.NoError(t, os.Chmod(filepath.Join(path, "owner"), 0))
	for _, name := range []string{"values/aa", "roots", "."} {
		require.NoError(t, os.Chmod(filepath.Join(path, name), 0))
		withoutRights(t, func() {
			switch name {
			case "values/aa":
				_, err := files.Get(t.Context(), "owner")
				denied(err, "owner")
				_, err = files.Get(t.Context(), "values/aa/x")
				denied(err, "values/aa/x")
				_, err = files.Has(t.Context(), "values/aa/x")
				denied(err, "values/aa/x")
			case "roots":
				_, err := files.List(t.Context(), "roots")
				denied(err, "roots")
			case ".":
				denied(open(t, path).Lock(t.Context()), "")
				denied(open(t, path).Put(t.Context(), "values/bb/y", nil), "")
			}
		})
	}
	require.NoError(t, os.Chmod(path, 0o755))
}
