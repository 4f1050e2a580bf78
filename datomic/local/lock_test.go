//go:build linux || darwin

package local

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const lockVar = "DCLONE_TEST_LOCK"

// init makes the test binary, asked by its environment, another process that locks a file the way a
// JVM does (posix) or as dclone does (dir), says how that went, and holds on until its input ends.
func init() {
	how := os.Getenv(lockVar)
	if how == "" {
		return
	}
	var err error
	switch path := os.Args[1]; how {
	case "posix":
		var f *os.File
		if f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666); err == nil {
			err = syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart})
		}
	case "dir":
		var d *Dir
		if d, err = LockDir(path); err == nil {
			defer d.Close()
		}
	}
	fmt.Println(err)
	bufio.NewReader(os.Stdin).ReadString('\n')
	os.Exit(0)
}

// elsewhere has another process lock, until release is called.
func elsewhere(t testing.TB, how, path string) (said string, release func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), lockVar+"="+how, "GORACE=atexit_sleep_ms=0")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return line, func() {
		require.NoError(t, in.Close())
		require.NoError(t, cmd.Wait())
	}
}

const locked = "<nil>\n"

func refusedElsewhere(t testing.TB, how, path string) {
	t.Helper()
	said, release := elsewhere(t, how, path)
	release()
	require.NotEqual(t, locked, said, "%s lock of %s was granted", how, filepath.Base(path))
}

func grantedElsewhere(t testing.TB, how, path string) {
	t.Helper()
	said, release := elsewhere(t, how, path)
	release()
	require.Equal(t, locked, said, "%s lock of %s", how, filepath.Base(path))
}

// While dclone has a database open nobody else gets it, even when this process opens and closes
// the files elsewhere: that would end a POSIX lock.
func TestLockHeld(t *testing.T) {
	s := newSample(t, 3, 0)
	dir := t.TempDir()
	put(t, dir, s.log, s.idx)
	d, w := openWriter(t, dir)
	for range 2 {
		refusedElsewhere(t, "dir", dir)
		for _, name := range []string{lockName, logName, idxName} {
			refusedElsewhere(t, "posix", filepath.Join(dir, name))
		}
		l, err := OpenLog(dir)
		require.NoError(t, err)
		require.NoError(t, l.Close())
		readFile(t, filepath.Join(dir, lockName))
		_, err = LockDir(dir)
		require.ErrorIs(t, err, ErrLocked, "this process locked it twice")
	}
	require.NoError(t, w.Close())
	grantedElsewhere(t, "posix", filepath.Join(dir, logName))
	refusedElsewhere(t, "dir", dir)
	require.NoError(t, d.Close())
	grantedElsewhere(t, "dir", dir)
}

// A first copy, published, stays locked under its new name.
func TestLockPublished(t *testing.T) {
	dir := t.TempDir()
	d, w, _ := loaded(t, dir)
	refusedElsewhere(t, "posix", filepath.Join(dir, "db.log.loading"))
	require.NoError(t, d.Publish(w))
	refusedElsewhere(t, "posix", filepath.Join(dir, logName))
	refusedElsewhere(t, "posix", filepath.Join(dir, idxName))
	closeWriter(t, d, w)
}

// An index that was rebuilt is locked like the one it replaced.
func TestLockRebuilt(t *testing.T) {
	s := newSample(t, 3, 0)
	dir := t.TempDir()
	put(t, dir, s.log, nil)
	d, w := openWriter(t, dir)
	require.NoError(t, w.Sync())
	require.Equal(t, s.idx, readFile(t, filepath.Join(dir, idxName)))
	refusedElsewhere(t, "posix", filepath.Join(dir, idxName))
	closeWriter(t, d, w)
}

// While a Datomic Local process has a database open, dclone does not get it.
func TestLockRefused(t *testing.T) {
	s := newSample(t, 3, 0)
	dir := t.TempDir()
	put(t, dir, s.log, s.idx)
	for _, name := range []string{lockName, logName, idxName} {
		said, release := elsewhere(t, "posix", filepath.Join(dir, name))
		require.Equal(t, locked, said)
		d, err := LockDir(dir)
		if name == lockName {
			require.ErrorIs(t, err, ErrLocked)
			require.Contains(t, err.Error(), "process ")
		} else {
			require.NoError(t, err)
			_, err = d.Open()
			require.ErrorIs(t, err, ErrLocked, name)
			require.NoError(t, d.Close())
		}
		l, err := OpenLog(dir)
		require.NoError(t, err, "reading asks no lock")
		require.NoError(t, l.Close())
		release()
	}
	d, w := openWriter(t, dir)
	closeWriter(t, d, w)
	require.Equal(t, s.log, readFile(t, filepath.Join(dir, logName)))
}

// Reading takes no lock: the owner can open its database meanwhile.
func TestReaderLocksNothing(t *testing.T) {
	s := newSample(t, 3, 0)
	dir := t.TempDir()
	put(t, dir, s.log, s.idx)
	l, err := OpenLog(dir)
	require.NoError(t, err)
	defer l.Close()
	grantedElsewhere(t, "dir", dir)
	grantedElsewhere(t, "posix", filepath.Join(dir, logName))
	grantedElsewhere(t, "posix", filepath.Join(dir, idxName))
}

func TestLockNoPermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write anywhere")
	}
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o500))
	_, err := LockDir(dir)
	require.ErrorIs(t, err, os.ErrPermission)
}
