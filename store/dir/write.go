package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Put writes a file.
func (f *Files) Put(ctx context.Context, key string, data []byte) error {
	return f.write(ctx, key, data, os.Rename)
}

// Create writes a file where there is none.
func (f *Files) Create(ctx context.Context, key string, data []byte) (bool, error) {
	err := f.write(ctx, key, data, renameNew)
	if errors.Is(err, errTaken) {
		return false, nil
	}
	return err == nil, err
}

var errTaken = errors.New("there is one")

// write makes a file whole and durable in the work directory, and then has it appear.
func (f *Files) write(ctx context.Context, key string, data []byte, appear func(from, to string) error) error {
	name, err := f.name(ctx, key)
	if err != nil {
		return err
	}
	parent := filepath.Dir(name)
	if err := errors.Join(f.makeDir(f.work()), f.makeDir(parent)); err != nil {
		return err
	}
	temp, err := f.writeTemp(data)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := appear(temp, name); err != nil {
		os.Remove(temp) // if it stays, the next that locks removes it
		return fmt.Errorf("write %s: %w", name, err)
	}
	return syncDir(parent)
}

// writeTemp writes a durable file with a name of its own into the work directory. Its mode is that of
// any new file: a backup may be there for others to read.
func (f *Files) writeTemp(data []byte) (name string, err error) {
	name = filepath.Join(f.work(), randomName())
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return "", err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		os.Remove(name)
		return "", err
	}
	return name, nil
}

// renameNew renames without replacing: its error is errTaken where there is something. Where the
// file system has no hard links, a look before must do; it is for the owner alone, under the lock.
func renameNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil {
		return os.Remove(from)
	}
	if errors.Is(err, fs.ErrExist) {
		return errTaken
	}
	if _, err := os.Lstat(to); err == nil {
		return errTaken
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(from, to)
}

// makeDir sees that a directory, and those above it, are there and durable. One that is there when
// we come may be from a run that was killed before it was durable.
func (f *Files) makeDir(path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.makeDirLocked(path)
}

func (f *Files) makeDirLocked(path string) error {
	if f.ready[path] {
		return nil
	}
	above := filepath.Dir(path)
	err := os.Mkdir(path, 0o777)
	if errors.Is(err, fs.ErrNotExist) && above != path {
		if err := f.makeDirLocked(above); err != nil {
			return err
		}
		err = os.Mkdir(path, 0o777)
	}
	if err == nil || errors.Is(err, fs.ErrExist) {
		err = f.syncAbove(path, err == nil)
	}
	if err != nil {
		return err
	}
	f.ready[path] = true
	return nil
}

// syncAbove makes the entry of a directory durable. That of one that was above the backup before us
// is not our business; it may lie where we may not read.
func (f *Files) syncAbove(path string, made bool) error {
	if len(path) <= len(f.path) && !made {
		return nil
	}
	return syncDir(filepath.Dir(path))
}

// settle makes durable, once, what a run may have left in a directory that was killed between a rename
// and the sync behind it.
func (f *Files) settle(path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.writing || f.settled[path] {
		return nil
	}
	if err := syncDir(path); err != nil {
		return err
	}
	f.settled[path] = true
	return nil
}

// syncDir makes the entries of a directory durable, where the file system knows such a thing.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
