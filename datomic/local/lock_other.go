//go:build !linux && !darwin

package local

import (
	"fmt"
	"os"
	"runtime"
)

// lockFile refuses: without locks that a JVM respects nothing may be written.
func lockFile(f *os.File) error {
	return fmt.Errorf("lock %s: %w: dclone cannot write on %s", f.Name(), ErrNoLocks, runtime.GOOS)
}

func syncData(f *os.File) error { return f.Sync() }
