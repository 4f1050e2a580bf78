//go:build unix && !solaris && !aix

package s3test

import (
	"os"
	"syscall"
)

// lockFile waits for the exclusive lock on name, and returns what lets go of it. A process that dies
// lets go of it too.
func lockFile(name string) (unlock func(), err error) {
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
