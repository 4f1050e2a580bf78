package local

import "os"

// fcntl commands for open file description locks (sys/fcntl.h).
const (
	ofdSetLock = 90
	ofdGetLock = 92
)

// syncData makes the written bytes of f durable.
func syncData(f *os.File) error { return f.Sync() }
