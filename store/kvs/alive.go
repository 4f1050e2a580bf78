package kvs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Alive reports whether a transactor is at work: whether its heartbeat, the rev of pod-coord, moves
// within some time. Datomic's beats every five seconds unless it is told otherwise. Where there never was a
// heartbeat, that is the answer at once. Nothing else of that row is read.
func (s *Storage) Alive(ctx context.Context, wait time.Duration) (bool, error) {
	beat := func() (rev int64, err error) {
		err = s.pool.QueryRow(ctx, `select coalesce(rev, 0) from datomic_kvs where id = 'pod-coord'`).Scan(&rev)
		if errors.Is(err, pgx.ErrNoRows) {
			return -1, nil
		}
		return rev, err
	}
	first, err := beat()
	if err == nil && first < 0 {
		return false, nil // no transactor was ever started on this storage
	}
	for end := time.Now().Add(wait); err == nil; {
		left := time.Until(end)
		if err = sleep(ctx, min(max(left, 0), 500*time.Millisecond)); err != nil {
			break
		}
		rev, failed := beat()
		switch {
		case failed != nil:
			err = failed
		case rev != first:
			return true, nil
		case left <= 0:
			return false, nil
		}
	}
	return false, fmt.Errorf("look for a transactor of %v: %w", s, explained(err))
}
