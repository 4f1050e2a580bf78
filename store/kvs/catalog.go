package kvs

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"dclone"
	"dclone/edn"
	"dclone/store"
)

const catalogPod = "pod-catalog"

var (
	deletedKey = dclone.Kw("datomic", "deleted")
	idKey      = dclone.Kw("", "db-id")
)

// A Listed is a database in the catalog. One that is deleted has no name any more.
type Listed struct {
	Name    string
	ID      string // the name it was created under, and a uuid
	Deleted bool
}

// Databases returns the databases of the storage by name, those that are deleted last.
func (s *Storage) Databases(ctx context.Context) ([]Listed, error) {
	c, err := s.catalog(ctx)
	if err != nil {
		return nil, err
	}
	all := append(c.databases(), c.deleted()...)
	slices.SortFunc(all, func(a, b Listed) int {
		if a.Deleted != b.Deleted {
			if a.Deleted {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// catalog reads the catalog as it is now.
func (s *Storage) catalog(ctx context.Context) (c catalog, err error) {
	err = s.retried(ctx, func() (err error) {
		c, err = readCatalog(ctx, s.pool)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read catalog of %v: %w", s, explained(err))
	}
	return c, nil
}

// A querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// A catalog is the map of names to databases, as it stands in the storage. What this package does not
// know of it is kept.
type catalog edn.Map

// readCatalog reads the catalog; that of a storage in which nothing was ever created is empty.
func readCatalog(ctx context.Context, q querier) (catalog, error) {
	rows, pieces, err := readPod(ctx, q, podQuery{names: []string{catalogPod}, pod: catalogPod, max: maxCatalog})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	text, err := join(nil, pieces)
	if err != nil || len(text) == 0 {
		return nil, err
	}
	return parseCatalog(text)
}

func parseCatalog(text []byte) (catalog, error) {
	v, err := edn.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: it is no EDN: %w", damaged(catalogPod), err)
	}
	m, ok := v.(edn.Map)
	if !ok {
		return nil, fmt.Errorf("%w: it is no map", damaged(catalogPod))
	}
	for _, entry := range m {
		if _, ok := entry.Key.(string); ok && databaseID(entry) == "" {
			return nil, fmt.Errorf("%w: a database has no :db-id", damaged(catalogPod))
		}
	}
	return catalog(m), nil
}

func databaseID(entry edn.Entry) string {
	m, _ := entry.Value.(edn.Map)
	for _, e := range m {
		if e.Key == idKey {
			id, _ := e.Value.(string)
			return id
		}
	}
	return ""
}

func (c catalog) databases() (all []Listed) {
	for _, entry := range c {
		if name, ok := entry.Key.(string); ok {
			all = append(all, Listed{Name: name, ID: databaseID(entry)})
		}
	}
	return all
}

func (c catalog) deleted() (all []Listed) {
	for _, entry := range c {
		ids, _ := entry.Value.(edn.Set)
		if entry.Key != deletedKey {
			continue
		}
		for _, id := range ids {
			if id, ok := id.(string); ok {
				all = append(all, Listed{ID: id, Deleted: true})
			}
		}
	}
	return all
}

// with returns the catalog with a database more, which is deleted no longer. It reports false where the
// database is there, under that very name; the error is a *CollisionError.
func (c catalog) with(name, id string) (catalog, bool, error) {
	if err := checkName(name); err != nil {
		return nil, false, err
	}
	for _, d := range c.databases() {
		switch {
		case d.Name == name && d.ID == id:
			return c, false, nil
		case d.Name == name:
			return nil, false, &CollisionError{Words: ":restore/collision The name '" + name + "' is already in use by a different database"}
		}
	}
	for _, d := range c.databases() {
		if d.ID == id {
			return nil, false, &CollisionError{":restore/collision The database already exists under the name '" + d.Name + "'", true}
		}
	}
	added := append(slices.Clone(c), edn.Entry{Key: name, Value: edn.Map{{Key: idKey, Value: id}}})
	at := slices.IndexFunc(added, func(e edn.Entry) bool { return e.Key == deletedKey })
	if at < 0 {
		return append(added, edn.Entry{Key: deletedKey, Value: edn.Set{}}), true, nil
	}
	ids, _ := added[at].Value.(edn.Set)
	ids = slices.DeleteFunc(slices.Clone(ids), func(v any) bool { return v == id })
	added[at].Value = append(edn.Set{}, ids...)
	return added, true, nil
}

// find returns the database of a name.
func (c catalog) find(name string) (Listed, error) {
	for _, d := range c.databases() {
		if d.Name == name {
			return d, nil
		}
	}
	return Listed{}, store.ErrNoDatabase
}
