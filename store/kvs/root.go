package kvs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dclone"
	"dclone/store"
)

// maxLog is the newest version of logs that is known.
const maxLog = 3

// Rows that may be on the point of coming are waited for: settling is for how long, pause is how often.
const (
	settling = 5 * time.Second
	pause    = 100 * time.Millisecond
)

// Root returns the roots of now, all of one moment. Its IndexVersion is 0, because only the index root
// itself says it. The Tail must not be written to.
func (d *Database) Root(ctx context.Context, t dclone.T) (store.Root, error) {
	if t != store.Newest {
		return store.Root{}, fmt.Errorf("read root %d of %v: a storage has none but the newest: %w", t, d, store.ErrNoRoot)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var root store.Root
	err := d.settled(ctx, func() error {
		return d.storage.retried(ctx, func() (err error) {
			root, err = d.readRoot(ctx)
			return err
		})
	})
	if err != nil {
		return store.Root{}, fmt.Errorf("read root of %v: %w", d, explained(err))
	}
	return root, nil
}

// settled does f until the rows of a database that has just been created are there.
func (d *Database) settled(ctx context.Context, f func() error) error {
	for end := time.Now().Add(settling); ; {
		err := f()
		if !errors.Is(err, store.ErrNoRoot) || time.Now().After(end) {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// retried does f again for the server's reasons, and a few times where a row is not there that another
// one names.
func (s *Storage) retried(ctx context.Context, f func() error) error {
	for n := 1; ; n++ {
		err := again(ctx, f)
		if !errors.Is(err, store.ErrMissing) || n == 3 {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func (d *Database) readRoot(ctx context.Context) (store.Root, error) {
	named, pieces, err := readPod(ctx, d.storage.pool, podQuery{
		names: []string{d.tailPod(), d.indexRef(), d.logRef()},
		pod:   d.tailPod(), known: d.last.newest, max: maxVal,
	})
	if err != nil {
		return store.Root{}, err
	}
	root := store.Root{DatabaseID: d.id, T: store.Newest}
	if root.Index, err = required(named, d.indexRef(), "", "key"); err != nil {
		return store.Root{}, err
	}
	newest, err := required(named, d.tailPod(), "", "tail")
	if err != nil {
		return store.Root{}, err
	}
	if root.Log, root.LogVersion, err = d.log(named); err != nil {
		return store.Root{}, err
	}
	tail := []byte(nil)
	if len(pieces) == 0 || pieces[len(pieces)-1].prev != "" {
		tail = d.last.tail // they end at the one that is known
	}
	if tail, err = join(tail, pieces); err != nil {
		return store.Root{}, err
	}
	d.last = seen{root.Log, newest, tail}
	root.Tail = tail[:len(tail):len(tail)] // the next Root appends behind it
	return root, nil
}

// log returns the root and the version of the log.
func (d *Database) log(named map[string]rowMap) (id string, version int, err error) {
	switch v := named[d.tailPod()].get("d", "l").(type) {
	case nil:
		version = 1
	case int64:
		if version = int(min(max(v, 0), maxLog+1)); version < 1 || version > maxLog {
			return "", 0, fmt.Errorf("its log has version %d, which is not known", v)
		}
	default:
		return "", 0, fmt.Errorf("%w: its :d/l is no version", damaged(d.tailPod()))
	}
	if version == 1 {
		id, err = required(named, d.logRef(), "", "key")
		return id, version, err
	}
	id, err = required(named, d.tailPod(), "d", "r")
	return id, version, err
}

// errNoRow is store.ErrNoRoot in the words of a storage.
var errNoRow error = noRow{}

type noRow struct{}

func (noRow) Error() string        { return "it is not there" }
func (noRow) Is(target error) bool { return target == store.ErrNoRoot }

// required returns the id of a segment that a row must name. Where there is no such row, or not yet, the
// error is ErrNoRoot.
func required(named map[string]rowMap, row, namespace, name string) (string, error) {
	m, ok := named[row]
	if !ok {
		return "", fmt.Errorf("row %s: %w", row, errNoRow)
	}
	id, err := m.segment(row, namespace, name)
	if err == nil && id == "" {
		err = fmt.Errorf("%w: it has no %v", damaged(row), dclone.Kw(namespace, name))
	}
	return id, err
}

// readNamed answers the maps of rows.
func readNamed(ctx context.Context, q querier, ids ...string) (map[string]rowMap, error) {
	rows, err := q.Query(ctx, `select id, case when octet_length(map) > $2 then '' else map end from datomic_kvs where id = any($1)`,
		ids, int64(maxMap))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	named := map[string]rowMap{}
	for rows.Next() {
		var id string
		var text *string
		if err := rows.Scan(&id, &text); err != nil {
			return nil, err
		}
		if text != nil && *text == "" {
			return nil, fmt.Errorf("%w: its map is empty or absurd", damaged(id))
		}
		if named[id], err = parseMap(id, text); err != nil {
			return nil, err
		}
	}
	return named, rows.Err()
}
