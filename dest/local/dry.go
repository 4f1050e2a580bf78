package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"dclone"
	"dclone/datomic/local"
	"dclone/dest"
)

// Dry returns a Clone that has no directory, for plans. Only what its kind is like may be asked of
// it: Bootstrap, KindName, EachBorn, HasType, Same and Encode.
func Dry() *Clone { return new(Clone) }

// Look says what a directory holds, without locking or making it.
func Look(dir string) (Content, error) {
	l, err := local.OpenLog(dir)
	if errors.Is(err, local.ErrNoDatabase) {
		return Nothing, nil
	}
	if err != nil {
		return Data, err
	}
	defer l.Close()
	if l.Basis() > local.BootstrapT {
		return Data, nil
	}
	return Empty, nil
}

// Loading reports whether a directory holds a first copy that is not published.
func Loading(dir string) bool {
	loading, err := os.Lstat(filepath.Join(dir, "db.log.loading"))
	if err != nil {
		return false
	}
	log, err := os.Lstat(filepath.Join(dir, "db.log"))
	return err != nil || !os.SameFile(loading, log) // a crash may leave one log under both names
}

// Beyond compares the database in a directory with the mark its sidecar has, without locking it, and
// returns how many bytes lie behind. The error wraps dest.ErrStale where the mark is not there.
func Beyond(dir string, key dclone.DigestKey, at dclone.Mark) (int64, error) {
	l, err := local.OpenLog(dir)
	if errors.Is(err, local.ErrNoDatabase) {
		return 0, fmt.Errorf("compare clone %s with its sidecar: the database is gone: %w", dir, dest.ErrStale)
	}
	if err != nil {
		return 0, err
	}
	defer l.Close()
	stale := fmt.Errorf("compare clone %s with its sidecar: t %d is not there as it was written: %w", dir, at.T, dest.ErrStale)
	from, err := l.Find(at.T)
	if err != nil {
		return 0, err
	}
	if at.Length > l.End() || from >= at.Length {
		return 0, stale
	}
	h := key.New()
	if err := l.CopyTo(h, from, at.Length); err != nil {
		return 0, err
	}
	if dclone.SumDigest(h) != at.Digest {
		return 0, stale
	}
	return l.End() - at.Length, nil
}

// DropLoading removes a first copy that is not whole, and leaves a database alone.
func (c *Clone) DropLoading() error { return c.dir.DropLoading() }
