//go:build linux || darwin

package local

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
)

// ofdGetLock is F_OFD_GETLK of fcntl.
var ofdGetLock = map[string]int{"linux": 36, "darwin": 92}[runtime.GOOS]

// holder asks who stands in the way of an exclusive lock on all of f. It does so by way of an open
// file description.
func holder(f *os.File) (pid int, held bool, err error) {
	l := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	if err := syscall.FcntlFlock(f.Fd(), ofdGetLock, &l); err != nil {
		return 0, false, fmt.Errorf("ask for locks on %s: %w", f.Name(), err)
	}
	return max(int(l.Pid), 0), l.Type != syscall.F_UNLCK, nil
}
