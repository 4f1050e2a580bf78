package local

import (
	"errors"
	"fmt"
)

// ErrLocked says that another process has the database open.
var ErrLocked = errors.New("it is open elsewhere")

// ErrNoLocks says that the file system refuses locks, so that nothing can be written safely.
var ErrNoLocks = errors.New("the file system refuses locks")

// lockError tells who holds a lock, where the system knows.
type lockError struct {
	path string
	pid  int // of the holder; -1 where the lock belongs to an open file description
}

func (e *lockError) Error() string {
	if e.pid > 0 {
		return fmt.Sprintf("lock %s: process %d has the database open", e.path, e.pid)
	}
	return fmt.Sprintf("lock %s: another process has the database open", e.path)
}

func (e *lockError) Unwrap() error { return ErrLocked }
