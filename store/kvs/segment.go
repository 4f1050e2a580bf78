package kvs

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"dclone/store"
)

// maxVal bounds the val of one row, as store.MaxFile does a file of a backup.
const maxVal = store.MaxFile

const selectSegment = `select case when octet_length(val) <= $2 then val end, coalesce(octet_length(val), -1)
	from datomic_kvs where id = $1`

// Segment returns the bytes of a segment.
func (s *Storage) Segment(ctx context.Context, id string) ([]byte, error) {
	if !segmentID.MatchString(id) {
		return nil, fmt.Errorf("read segment %.80q of %v: no segment has such an id: %w", id, s, store.ErrMissing)
	}
	var val []byte
	var size int64
	err := again(ctx, func() error { return s.pool.QueryRow(ctx, selectSegment, id, int64(maxVal)).Scan(&val, &size) })
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("read segment %s of %v: %w", id, s, store.ErrMissing)
	}
	if err != nil {
		return nil, fmt.Errorf("read segment %s of %v: %w", id, s, explained(err))
	}
	if val == nil {
		return nil, fmt.Errorf("read segment %s of %v: %w", id, s, noVal(id, size))
	}
	return val, nil
}

// noVal says why the val of a row is not taken.
func noVal(id string, size int64) error {
	if size < 0 {
		return fmt.Errorf("%w: it has no val", damaged(id))
	}
	return fmt.Errorf("%w: its val has %d bytes", damaged(id), size)
}

const selectSegments = `select id, case when octet_length(val) <= $2 then val end, coalesce(octet_length(val), -1)
	from datomic_kvs where id = any($1)`

// Segments returns the bytes of several segments, nil for one that is not there, with one statement.
func (s *Storage) Segments(ctx context.Context, ids []string) ([][]byte, error) {
	for _, id := range ids {
		if !segmentID.MatchString(id) {
			return nil, fmt.Errorf("read segment %.80q of %v: no segment has such an id: %w", id, s, store.ErrMissing)
		}
	}
	var found map[string][]byte
	err := again(ctx, func() error {
		found = make(map[string][]byte, len(ids))
		rows, err := s.pool.Query(ctx, selectSegments, ids, int64(maxVal))
		if err != nil {
			return err
		}
		var id string
		var val []byte
		var size int64
		_, err = pgx.ForEachRow(rows, []any{&id, &val, &size}, func() error {
			if found[id] = val; val == nil {
				return noVal(id, size)
			}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %d segments of %v: %w", len(ids), s, explained(err))
	}
	vals := make([][]byte, len(ids))
	for i, id := range ids {
		vals[i] = found[id]
	}
	return vals, nil
}

// HasSegments tells which segments are there, with one statement and without reading them.
func (s *Storage) HasSegments(ctx context.Context, ids []string) (map[string]bool, error) {
	has := make(map[string]bool, len(ids))
	err := again(ctx, func() error {
		rows, err := s.pool.Query(ctx, `select id from datomic_kvs where id = any($1) and val is not null`, onlySegments(ids))
		if err != nil {
			return err
		}
		var id string
		_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
			has[id] = true
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for %d segments in %v: %w", len(ids), s, explained(err))
	}
	return has, nil
}

func onlySegments(ids []string) []string {
	kept := make([]string, 0, len(ids))
	for _, id := range ids {
		if segmentID.MatchString(id) {
			kept = append(kept, id)
		}
	}
	return kept
}

// batch bounds the bytes and rows of one statement that puts segments.
const (
	batchBytes = 8 << 20
	batchRows  = 2000
)

// PutSegments puts segments, each under its id. One that is there already stays as it is. Where an error
// is returned, some may have been put.
func (s *Storage) PutSegments(ctx context.Context, ids []string, vals [][]byte) error {
	if len(ids) != len(vals) {
		return fmt.Errorf("put segments into %v: %d ids for %d segments", s, len(ids), len(vals))
	}
	for _, id := range ids {
		if !segmentID.MatchString(id) {
			return fmt.Errorf("put segment %.80q into %v: no segment has such an id", id, s)
		}
	}
	for len(ids) > 0 {
		n, size := 0, 0
		for n < len(ids) && n < batchRows && (n == 0 || size+len(vals[n]) <= batchBytes) {
			size += len(vals[n])
			n++
		}
		err := s.write(ctx, func(tx pgx.Tx) error { return putSegments(ctx, tx, ids[:n], vals[:n]) })
		if err != nil {
			return fmt.Errorf("put %d segments into %v: %w", n, s, explained(err))
		}
		ids, vals = ids[n:], vals[n:]
	}
	return nil
}

func putSegments(ctx context.Context, tx pgx.Tx, ids []string, vals [][]byte) error {
	_, err := tx.Exec(ctx, `insert into datomic_kvs (id, rev, map, val)
		select id, null, '{}', val from unnest($1::text[], $2::bytea[]) as new (id, val) order by id
		on conflict (id) do nothing`, ids, vals)
	return err
}
