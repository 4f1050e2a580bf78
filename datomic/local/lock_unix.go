//go:build linux || darwin

package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// lockFile takes an exclusive open-file-description lock on all of f. It conflicts with the POSIX
// locks of a JVM, and unlike them it stays when this process opens and closes the file elsewhere.
func lockFile(f *os.File) error {
	l := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	err := retryInterrupted(func() error { return syscall.FcntlFlock(f.Fd(), ofdSetLock, &l) })
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
		held := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
		if syscall.FcntlFlock(f.Fd(), ofdGetLock, &held) != nil {
			held.Pid = -1
		}
		return &lockError{f.Name(), int(held.Pid)}
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w (%w)", f.Name(), ErrNoLocks, err)
	}
	return nil
}

func retryInterrupted(f func() error) error {
	for {
		if err := f(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
