package kvs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"dclone"
	"dclone/store"
)

// A Database is one database of a storage.
type Database struct {
	storage  *Storage
	name, id string
	owns     bool // the storage

	mu     sync.Mutex
	last   seen
	looked time.Time // when the catalog was read
}

// catalogEvery is how often somebody who polls a database hears that it is not there any more.
const catalogEvery = 30 * time.Second

var _ store.Database = (*Database)(nil)

// A seen is what the last Root was of.
type seen struct {
	log, newest string // log root, newest piece of the tail
	tail        []byte
}

// Database returns the database that has a name at present. It goes on being that database when it is
// renamed or deleted, but [Database.Changed] tells. Closing it does not close the storage.
func (s *Storage) Database(ctx context.Context, name string) (*Database, error) {
	c, err := s.catalog(ctx)
	if err != nil {
		return nil, err
	}
	found, err := c.find(name)
	if err != nil {
		return nil, fmt.Errorf("look for %q in the catalog of %v: %w", name, s, err)
	}
	return &Database{storage: s, name: name, id: found.ID, looked: time.Now()}, nil
}

// Open is Connect and then Database. Closing the database closes the storage too.
func Open(ctx context.Context, jdbcURL, name string) (*Database, error) {
	s, err := Connect(ctx, jdbcURL)
	if err != nil {
		return nil, err
	}
	d, err := s.Database(ctx, name)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	d.owns = true
	return d, nil
}

// ID returns the name the database was created under, and a uuid.
func (d *Database) ID() string { return d.id }

// String returns the URI of the peers, without user and password.
func (d *Database) String() string {
	return "datomic:sql://" + d.name + "?" + d.storage.String()
}

// Close closes the storage if Open made it.
func (d *Database) Close() error {
	if !d.owns {
		return nil
	}
	return d.storage.Close()
}

// Segment returns the bytes of a segment.
func (d *Database) Segment(ctx context.Context, id string) ([]byte, error) {
	return d.storage.Segment(ctx, id)
}

// Segments returns the bytes of several segments, nil for one that is not there, with one statement.
func (d *Database) Segments(ctx context.Context, ids []string) ([][]byte, error) {
	return d.storage.Segments(ctx, ids)
}

// Points returns none: a storage has its databases as they are now.
func (d *Database) Points(context.Context) ([]dclone.T, error) { return nil, nil }

// Changed reports whether transactions were added, the log was indexed, or another point in time was
// restored, since the last Root; before the first Root it reports true. It reads one row, and now and
// then the catalog: the error wraps ErrNoDatabase where the database is not there under its name any more.
func (d *Database) Changed(ctx context.Context) (bool, error) {
	if err := d.look(ctx); err != nil {
		return false, fmt.Errorf("poll %v: %w", d, explained(err))
	}
	var log, newest string
	err := d.storage.retried(ctx, func() error {
		named, err := readNamed(ctx, d.storage.pool, d.tailPod())
		if err != nil {
			return err
		}
		m, ok := named[d.tailPod()]
		if !ok {
			return fmt.Errorf("row %s: %w", d.tailPod(), store.ErrMissing)
		}
		if log, err = m.segment(d.tailPod(), "d", "r"); err != nil {
			return err
		}
		newest, err = m.segment(d.tailPod(), "", "tail")
		return err
	})
	if err != nil {
		return false, fmt.Errorf("poll %v: %w", d, explained(err))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last.newest != newest || d.last.log != log, nil
}

// look looks whether the name is still that of the database, if nobody has for some time.
func (d *Database) look(ctx context.Context) error {
	d.mu.Lock()
	looked := d.looked
	d.mu.Unlock()
	if time.Since(looked) < catalogEvery {
		return nil
	}
	now, err := d.storage.Database(ctx, d.name)
	if err != nil {
		return err
	}
	if now.id != d.id {
		return fmt.Errorf("the name is that of %s now, not of %s: %w", now.id, d.id, store.ErrNoDatabase)
	}
	d.mu.Lock()
	d.looked = now.looked
	d.mu.Unlock()
	return nil
}

func (d *Database) tailPod() string  { return "pod-log-tail/" + d.id }
func (d *Database) indexRef() string { return "ref-index-root/" + d.id }
func (d *Database) logRef() string   { return "ref-log-root/" + d.id }
func gcRef(databaseID string) string { return "ref-gc-root/" + databaseID }
