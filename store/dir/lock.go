package dir

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const (
	workName = ".dclone"
	lockName = "lock"
)

// work is the directory of what is only ours.
func (f *Files) work() string { return filepath.Join(f.path, workName) }

func randomName() string { return rand.Text() }

var errNoLocks = errors.New("the file system has no locks")

// Lock makes the directory where it is missing, locks it, and clears it of what others, killed, have
// left. On file systems without locks it does the first only: two that write there at once write the
// same segments, each whole, and do no harm to one another.
func (f *Files) Lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.makeDir(f.work()); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writing = true
	if f.lock != nil {
		return nil
	}
	file, err := os.OpenFile(filepath.Join(f.work(), lockName), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	if err := lockFile(file); err != nil {
		file.Close()
		if errors.Is(err, errNoLocks) {
			return nil
		}
		return fmt.Errorf("lock %s: %w", f.path, err)
	}
	f.lock = file
	return f.clear()
}

// clear removes files that are half written. Nobody writes one, for the lock is ours.
func (f *Files) clear() error {
	entries, err := os.ReadDir(f.work())
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == lockName || !e.Type().IsRegular() {
			continue
		}
		if err := os.Remove(filepath.Join(f.work(), e.Name())); err != nil {
			return err
		}
	}
	return nil
}
