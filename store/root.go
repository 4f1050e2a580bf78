package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"dclone"
	"dclone/datomic/segment"
)

// Root returns the root at t, or the newest. The error tells some of the restore points where there
// is none at t.
func (b *Backup) Root(ctx context.Context, t dclone.T) (Root, error) {
	if t == Newest {
		points, err := b.Points(ctx)
		if err != nil {
			return Root{}, err
		}
		if len(points) == 0 {
			return Root{}, fmt.Errorf("read newest root of %s: %w: no backup into it was ever finished", b, ErrNoRoot)
		}
		t = points[0]
	}
	if t < 0 {
		return Root{}, b.noRoot(ctx, t)
	}
	data, err := b.files.Get(ctx, rootKey(t))
	if errors.Is(err, ErrMissing) {
		return Root{}, b.noRoot(ctx, t)
	}
	if err != nil {
		return Root{}, fmt.Errorf("read root at t %d: %w", t, err)
	}
	r, err := parseRoot(data)
	if err != nil {
		return Root{}, fmt.Errorf("read root %s of %s: %w", rootKey(t), b, err)
	}
	r.T = t
	return r, nil
}

// manyPoints is how many restore points an error tells.
const manyPoints = 5

// noRoot is the error of a t that has no root.
func (b *Backup) noRoot(ctx context.Context, t dclone.T) error {
	points, err := b.Points(ctx)
	if err != nil {
		return err
	}
	var s []string
	for _, p := range points[:min(len(points), manyPoints)] {
		s = append(s, strconv.FormatInt(int64(p), 10))
	}
	there := "it has " + strings.Join(s, ", ")
	switch older := len(points) - manyPoints; {
	case len(points) == 0:
		there = "it has none"
	case older > 0:
		there += fmt.Sprintf(" and %d older", older)
	}
	return fmt.Errorf("read root at t %d of %s: %w: %s", t, b, ErrNoRoot, there)
}

// parseRoot reads a root file.
func parseRoot(data []byte) (Root, error) {
	r, err := segment.ParseBackupRoot(data)
	if err != nil {
		return Root{}, err
	}
	if err := errors.Join(checkID(r.Index), checkID(r.Log)); err != nil {
		return Root{}, err
	}
	return Root{DatabaseID: r.DatabaseID, Index: r.Index, Log: r.Log, Tail: r.Tail,
		Version: r.Version, IndexVersion: r.IndexVersion, LogVersion: r.LogVersion}, nil
}

// appendRoot appends r as a root file of the version that is written.
func appendRoot(dst []byte, r Root) []byte {
	return segment.AppendBackupRoot(dst, segment.BackupRoot{
		IndexVersion: r.IndexVersion, LogVersion: r.LogVersion,
		DatabaseID: r.DatabaseID, Index: r.Index, Log: r.Log, Tail: r.Tail})
}
