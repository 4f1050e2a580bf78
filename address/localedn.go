package address

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"dclone"
	"dclone/edn"
)

// storageDir returns the storage-dir that the user has set for Datomic Local.
func storageDir(text string) (string, error) {
	const try = Scheme + "/abs/storage-dir/SYSTEM/DB"
	home := os.Getenv("HOME")
	if home == "" {
		return "", refuse(text, errors.New("its storage-dir is in ~/.datomic/local.edn, and HOME is not set"), try)
	}
	path := filepath.Join(home, ".datomic", "local.edn")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", refuse(text, fmt.Errorf("its storage-dir is in %s, which does not exist", path), try)
	}
	if err == nil {
		var dir string
		if dir, err = parseStorageDir(b); err == nil {
			return dir, nil
		}
	}
	return "", refuse(text, fmt.Errorf("read storage-dir in %s: %w", path, err), `{:storage-dir "/abs/storage-dir"} in that file, or `+try)
}

// parseStorageDir reads what local.edn holds: {:storage-dir "/abs/path"}.
func parseStorageDir(b []byte) (string, error) {
	v, err := edn.Parse(b)
	if err != nil {
		return "", err
	}
	m, ok := v.(edn.Map)
	if !ok {
		return "", errors.New("it is not a map")
	}
	v, ok = m.Get(dclone.Kw("", "storage-dir"))
	if !ok {
		return "", errors.New("it has no :storage-dir")
	}
	if v == dclone.Kw("", "mem") {
		return "", errors.New("it is :mem, and databases in memory cannot be read")
	}
	dir, ok := v.(string)
	if !ok || !filepath.IsAbs(dir) {
		return "", errors.New("it is not an absolute path")
	}
	return filepath.Clean(dir), nil
}
