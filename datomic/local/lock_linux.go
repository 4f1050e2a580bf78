package local

import (
	"os"
	"syscall"
)

// fcntl commands for open file description locks (fcntl(2)).
const (
	ofdGetLock = 36
	ofdSetLock = 37
)

// syncData makes the written bytes of f durable.
func syncData(f *os.File) error {
	return retryInterrupted(func() error { return syscall.Fdatasync(int(f.Fd())) })
}
