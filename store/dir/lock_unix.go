//go:build unix && !solaris && !aix

package dir

import (
	"errors"
	"os"
	"syscall"

	"dclone/store"
)

// lockFile takes the lock on an open file, without waiting. It goes with the process.
func lockFile(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return store.ErrLocked
		case errors.Is(err, syscall.ENOLCK), errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.EINVAL):
			return errNoLocks
		default:
			return err
		}
	}
}
