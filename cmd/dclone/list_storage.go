package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dclone"
	"dclone/address"
	"dclone/source/pro"
	"dclone/store"
	"dclone/store/kvs"
)

// A storageListing is what list prints of a storage.
type storageListing struct {
	Address   string           `json:"address"`
	Databases []storedDatabase `json:"databases"`
}

type storedDatabase struct {
	Address    string     `json:"address"` // "" of one that is deleted
	Name       string     `json:"name"`
	DatabaseID string     `json:"database_id"`
	T          *dclone.T  `json:"t"` // nil where it is deleted, cannot be read or was not asked for
	Newest     *time.Time `json:"newest_instant"`
	Deleted    bool       `json:"deleted"`
	Error      string     `json:"error"`
}

func (p *program) listStorage(ctx context.Context, a address.Storage, deleted bool) error {
	s, err := kvs.Connect(ctx, a.JDBC())
	if err != nil {
		return dclone.InSource(err)
	}
	defer s.Close()
	all, err := s.Databases(ctx)
	if err != nil {
		return noStored(a, err)
	}
	all = slices.DeleteFunc(all, func(d kvs.Listed) bool {
		return d.Deleted && !deleted || !d.Deleted && a.DB != address.AllDatabases && a.DB != d.Name
	})
	if a.DB != address.AllDatabases && !slices.ContainsFunc(all, func(d kvs.Listed) bool { return !d.Deleted }) {
		return noStored(a, fmt.Errorf("look for %q in %s: %w", a.DB, s, store.ErrNoDatabase))
	}
	l := storageListing{Address: a.String(), Databases: []storedDatabase{}}
	var damage error
	for _, d := range all {
		row, err := describeStored(ctx, s, a, d)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			row.Error = oneLine(err.Error())
			damage = &failure{codeSource, err, ""}
		}
		l.Databases = append(l.Databases, row)
	}
	return p.listed(&l, damage)
}

// describeStored reads what list tells of a database in a storage.
func describeStored(ctx context.Context, s *kvs.Storage, a address.Storage, of kvs.Listed) (storedDatabase, error) {
	d := storedDatabase{Name: of.Name, DatabaseID: of.ID, Deleted: of.Deleted}
	if of.Deleted {
		return d, nil
	}
	d.Address = a.Named(of.Name).String()
	db, err := s.Database(ctx, of.Name)
	if err != nil {
		return d, err
	}
	conn, err := pro.Open(ctx, db, store.Newest)
	if err != nil {
		db.Close()
		return d, err
	}
	defer conn.Close()
	t := conn.Basis()
	d.T = &t
	f, err := conn.Fingerprint(nil, t)
	newest := f.Instant.Time()
	d.Newest = &newest
	return d, err
}

// rows are the listing for people.
func (l *storageListing) rows() []string {
	if len(l.Databases) == 0 {
		return []string{"no databases at " + l.Address}
	}
	head := "DATABASE\tT\tNEWEST\tDATABASE ID"
	if slices.ContainsFunc(l.Databases, func(d storedDatabase) bool { return d.Error != "" }) {
		head += "\tERROR"
	}
	rows := []string{head}
	for _, d := range l.Databases {
		name, t, id := d.Name, "-", d.DatabaseID
		if d.T != nil {
			t = strconv.FormatInt(int64(*d.T), 10)
		}
		if d.Deleted {
			name = "(deleted)"
		}
		if d.Error != "" {
			id += "\t" + d.Error
		}
		rows = append(rows, strings.Join([]string{name, t, dateText(d.Newest), id}, "\t"))
	}
	return rows
}
