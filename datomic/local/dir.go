package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const loadingSuffix = ".loading"

// A Dir is a database's directory, locked: while it is open neither a Datomic Local process nor
// another dclone opens the database in it.
type Dir struct {
	path string
	lock *os.File
}

// LockDir makes the directory where it is missing and locks it. The error wraps ErrLocked where
// another process has the database open, ErrNoLocks where the file system has no locks.
func LockDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, err
	}
	return &Dir{path: path, lock: f}, nil
}

// Close lets the lock go.
func (d *Dir) Close() error { return d.lock.Close() }

// Path returns the name of the directory.
func (d *Dir) Path() string { return d.path }

// Has reports whether the directory holds a database.
func (d *Dir) Has() (bool, error) { return d.exists(logName) }

// HasLoading reports whether the directory holds a first copy that is not published.
func (d *Dir) HasLoading() (bool, error) {
	has, err := d.exists(logName + loadingSuffix)
	if err != nil || !has {
		return false, err
	}
	// A crash between link and unlink leaves the published log under both names.
	a, errA := os.Stat(filepath.Join(d.path, logName+loadingSuffix))
	b, errB := os.Stat(filepath.Join(d.path, logName))
	if errA != nil || errB != nil || !os.SameFile(a, b) {
		return true, nil
	}
	return false, d.remove(logName + loadingSuffix)
}

func (d *Dir) exists(name string) (bool, error) {
	_, err := os.Lstat(filepath.Join(d.path, name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Open opens the database for appending. Its files are locked too. What lies behind the last
// whole frame is left alone; see [Writer.Cut].
func (d *Dir) Open() (*Writer, error) {
	if err := d.finishPublish(); err != nil {
		return nil, err
	}
	return d.open("", 0)
}

// Load opens the first copy that is being written, or begins one where there is none. It holds
// no frames then, not even the bootstrap. Datomic Local does not see it before Publish.
func (d *Dir) Load() (*Writer, error) { return d.open(loadingSuffix, os.O_CREATE) }

func (d *Dir) open(suffix string, flag int) (*Writer, error) {
	w := &Writer{dir: d, loading: suffix != ""}
	var err error
	if w.db, err = openLocked(filepath.Join(d.path, logName+suffix), flag); err != nil {
		return nil, err
	}
	w.idx, err = openLocked(filepath.Join(d.path, idxName+suffix), flag)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = w.locate()
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func openLocked(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|flag, 0o666)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// DropIndex removes what was derived from the log. The roots go first, and durably: a root
// whose files are gone keeps Datomic Local from opening the database.
func (d *Dir) DropIndex() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	for _, prefixes := range [][]string{{"db-root-", "tmp-db-root"}, {"index-"}} {
		removed := false
		for _, e := range entries {
			if !hasPrefix(e.Name(), prefixes) || e.IsDir() {
				continue
			}
			if err := os.Remove(filepath.Join(d.path, e.Name())); err != nil {
				return err
			}
			removed = true
		}
		if removed {
			if err := d.sync(); err != nil {
				return err
			}
		}
	}
	return nil
}

func hasPrefix(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// DropLoading removes a first copy that is not whole.
func (d *Dir) DropLoading() error {
	return d.remove(logName+loadingSuffix, idxName+loadingSuffix, idxName+loadingSuffix+".new")
}

// DropDatabase removes the database, as delete-database does: the directory, .lock and files of
// others stay.
func (d *Dir) DropDatabase() error {
	if err := d.DropIndex(); err != nil {
		return err
	}
	return d.remove(logName, idxName, idxName+".new")
}

func (d *Dir) remove(names ...string) error {
	for _, name := range names {
		if err := os.Remove(filepath.Join(d.path, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return d.sync()
}

func (d *Dir) sync() error {
	f, err := os.Open(d.path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync directory %s: %w", d.path, err)
	}
	return nil
}

// Publish makes the first copy that w holds the database. It fails, touching nothing, where a
// database has appeared in the directory meanwhile: create-database asks no lock. The log goes
// before its index, which Datomic Local makes anew where it is missing.
func (d *Dir) Publish(w *Writer) error {
	if err := w.Sync(); err != nil {
		return err
	}
	log, idx := filepath.Join(d.path, logName), filepath.Join(d.path, idxName)
	if has, err := d.Has(); err != nil || has {
		return errors.Join(err, fmt.Errorf("publish %s: %w", log, ErrAppeared))
	}
	if err := d.remove(idxName); err != nil {
		return err
	}
	if err := renameNew(log+loadingSuffix, log); err != nil {
		return fmt.Errorf("publish %s: %w", log, err)
	}
	if err := os.Rename(idx+loadingSuffix, idx); err != nil {
		return err
	}
	w.loading = false
	return d.sync()
}

// ErrAppeared says that a database is where a first copy was to become one.
var ErrAppeared = errors.New("a database has appeared there")

// renameNew renames without replacing. Where the file system has no hard links, a look before
// the rename must do.
func renameNew(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrExist) {
		return ErrAppeared
	}
	if err == nil {
		return os.Remove(from)
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, ErrAppeared)
	}
	return os.Rename(from, to)
}

// finishPublish does what a crash within Publish left undone.
func (d *Dir) finishPublish() error {
	idx := filepath.Join(d.path, idxName)
	if has, err := d.Has(); err != nil || !has {
		return err
	}
	if has, err := d.exists(idxName + loadingSuffix); err != nil || !has {
		return err
	}
	if has, err := d.exists(idxName); err != nil || has {
		return errors.Join(err, d.remove(idxName+loadingSuffix)) // Datomic Local has made it anew
	}
	if err := os.Rename(idx+loadingSuffix, idx); err != nil {
		return err
	}
	return d.sync()
}
