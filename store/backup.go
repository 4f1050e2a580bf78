package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"dclone"
)

// A Backup is a Datomic Pro backup of one database:
//
//	owner             the id of the database, the only one that may be backed up here
//	roots/<t>         a root for each restore point, named by the newest t in it
//	values/<xx>/<id>  the segments; xx are the last two characters of the id, in their case
//
// The latter is the layout of version 3, the only one that is written; before it, segments lay in
// values/<id>. A segment is as good as its subtree: it is written after all it refers to, and a root
// after all segments. Nothing is ever removed, and only a root is ever replaced.
//
// Other files are let alone, in roots/ too. A file system that takes 0A and 0a for one directory
// leaves both kinds of segments in it; read back on another, they are still found.
type Backup struct {
	files Files
	flat  atomic.Bool // the last segment that was found lay in values/<id>
}

const (
	ownerKey = "owner"
	rootsDir = "roots"
)

// NewBackup is the backup in files, which may be empty yet.
func NewBackup(files Files) *Backup { return &Backup{files: files} }

// OpenBackup is the backup that is in files. The error wraps ErrNoDatabase where there is none. It
// takes files over, also to close them, unless there is an error.
func OpenBackup(ctx context.Context, files Files) (*Backup, error) {
	b := NewBackup(files)
	points, err := b.Points(ctx)
	if err != nil {
		return nil, err
	}
	if len(points) > 0 {
		return b, nil
	}
	has, err := files.Has(ctx, ownerKey)
	if err != nil {
		return nil, err
	}
	if !has {
		return nil, fmt.Errorf("open backup %s: it holds neither an owner nor roots: %w", b, ErrNoDatabase)
	}
	return b, nil
}

// String returns the address.
func (b *Backup) String() string { return b.files.String() }

// Close closes the files.
func (b *Backup) Close() error { return b.files.Close() }

// Points returns the restore points, newest first.
func (b *Backup) Points(ctx context.Context) ([]dclone.T, error) {
	names, err := b.files.List(ctx, rootsDir)
	if err != nil {
		return nil, fmt.Errorf("list restore points: %w", err)
	}
	var points []dclone.T
	for _, name := range names {
		if t, ok := parsePoint(name); ok {
			points = append(points, t)
		}
	}
	slices.Sort(points)
	slices.Reverse(points)
	return points, nil
}

// parsePoint reads the name of a root. Others lie among them: .DS_Store, 1493~, "1493 (copy)".
func parsePoint(name string) (dclone.T, bool) {
	n, err := strconv.ParseInt(name, 10, 64)
	return dclone.T(n), err == nil && n >= 0 && strconv.FormatInt(n, 10) == name
}

func rootKey(t dclone.T) string { return rootsDir + "/" + strconv.FormatInt(int64(t), 10) }

// Segment returns a segment of the database.
func (b *Backup) Segment(ctx context.Context, id string) ([]byte, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	keys := segmentKeys(id)
	if b.flat.Load() {
		slices.Reverse(keys)
	}
	for _, key := range keys {
		data, err := b.files.Get(ctx, key)
		if err == nil {
			b.flat.Store(key == flatKey(id))
			return data, nil
		}
		if !errors.Is(err, ErrMissing) {
			return nil, fmt.Errorf("read segment %s: %w", id, err)
		}
	}
	return nil, fmt.Errorf("read segment %s as %s in %s: %w", id, segmentKey(id), b, ErrMissing)
}

func segmentKey(id string) string { return "values/" + id[len(id)-2:] + "/" + id }
func flatKey(id string) string    { return "values/" + id }

// segmentKeys are the places where a segment may be: its own, that under the other case, and that of
// old versions.
func segmentKeys(id string) []string {
	keys := []string{segmentKey(id)}
	end := id[len(id)-2:]
	for _, other := range []string{strings.ToLower(end), strings.ToUpper(end)} {
		if other != end {
			keys = append(keys, "values/"+other+"/"+id)
		}
	}
	return append(keys, flatKey(id))
}
