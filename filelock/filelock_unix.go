//go:build unix && !solaris && !aix

package filelock

import (
	"os"
	"syscall"
)

// Wait waits for the exclusive lock on the file name, which it makes where there is none, and returns what lets go of
// it. A process that dies lets go of it too.
func Wait(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, &os.PathError{Op: "lock", Path: name, Err: err}
	}
	return func() { f.Close() }, nil
}
