package dir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"dclone/store"
)

// Files are the files of a directory.
type Files struct {
	path string

	mu      sync.Mutex
	writing bool // Lock was called
	lock    *os.File
	ready   map[string]bool // directories known to be there, durably
	settled map[string]bool // directories all of whose entries of before us are durable
}

var _ store.Files = (*Files)(nil)

// Open returns the files of a directory, which need not be there before something is written.
func Open(path string) (*Files, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil && !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.ENOTDIR}
	}
	return &Files{path: path, ready: map[string]bool{}, settled: map[string]bool{}}, nil
}

// String returns the address.
func (f *Files) String() string { return "file:" + f.path }

// Close lets the lock go.
func (f *Files) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lock == nil {
		return nil
	}
	err := f.lock.Close()
	f.lock = nil
	return err
}

// name returns the path of a key.
func (f *Files) name(ctx context.Context, key string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := store.CheckKey(key); err != nil {
		return "", err
	}
	return filepath.Join(f.path, filepath.FromSlash(key)), nil
}

// Get reads a file. It takes regular files only, and does not wait for those that are not.
func (f *Files) Get(ctx context.Context, key string) ([]byte, error) {
	name, err := f.name(ctx, key)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open %s: %w", name, store.ErrMissing)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if err := regular(name, info); err != nil {
		return nil, err
	}
	// The size is believed as far as there is that much; a file that grows is read to its end.
	var b bytes.Buffer
	b.Grow(int(info.Size()) + bytes.MinRead)
	if _, err := b.ReadFrom(io.LimitReader(file, store.MaxFile+1)); err != nil {
		return nil, err
	}
	if b.Len() > store.MaxFile {
		return nil, tooLarge(name)
	}
	return b.Bytes(), nil
}

// ErrIrregular says that a directory, or what else is no file, lies where a file should be.
var ErrIrregular = errors.New("it is no regular file")

// regular refuses what holds no bytes of its own, or too many.
func regular(name string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("read %s: %w", name, ErrIrregular)
	}
	if info.Size() > store.MaxFile {
		return tooLarge(name)
	}
	return nil
}

func tooLarge(name string) error {
	return fmt.Errorf("read %s: it has more than %d bytes", name, store.MaxFile)
}

// Has reports whether there is a file. For one who writes, a file that is there is as durable as if it
// were Put: what refers to it may be written.
func (f *Files) Has(ctx context.Context, key string) (bool, error) {
	name, err := f.name(ctx, key)
	if err != nil {
		return false, err
	}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := regular(name, info); err != nil {
		return false, err
	}
	return true, f.settle(filepath.Dir(name))
}

// List returns the names of the regular files in a directory.
func (f *Files) List(ctx context.Context, dir string) ([]string, error) {
	name, err := f.name(ctx, dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		// A link is as good as the file it leads to.
		info, err := os.Stat(filepath.Join(name, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
