package main

import (
	"context"
	"errors"
	"fmt"

	"dclone"
	"dclone/address"
	"dclone/store"
	"dclone/store/kvs"
)

// openStorage opens a database in a storage.
func openStorage(ctx context.Context, a address.Storage) (store.Database, error) {
	if err := oneDatabase(a); err != nil {
		return nil, err
	}
	db, err := kvs.Open(ctx, a.JDBC(), a.DB)
	if err != nil {
		return nil, noStored(a, err)
	}
	return db, nil
}

// oneDatabase refuses the asterisk where one database is wanted.
func oneDatabase(a address.Address) error {
	if !isAll(a) {
		return nil
	}
	return &failure{codeUsage, fmt.Errorf("open %s: the asterisk stands for all databases", a),
		"dclone list " + shellWord(a.String()) + " for their names"}
}

// isAll reports whether an address is of all databases in a place.
func isAll(a address.Address) bool {
	switch a := a.(type) {
	case address.Storage:
		return a.DB == address.AllDatabases
	case address.Client, address.Peer:
		_, _, db := liveArgs(a)
		return db == address.AllDatabases
	}
	return false
}

// noStored says of an error in opening a storage what can be done about it.
func noStored(a address.Storage, err error) error {
	all := shellWord(a.Named(address.AllDatabases).String())
	switch {
	case errors.Is(err, kvs.ErrNoTable):
		return &failure{codeNone, err, "the URL of the PostgreSQL database in which Datomic keeps its storage"}
	case errors.Is(err, kvs.ErrNoPlace):
		return &failure{codeNone, err, tryPlace}
	case errors.Is(err, store.ErrNoDatabase):
		return &failure{codeNone, err, "dclone list " + all + " to see what is there"}
	}
	return dclone.InSource(err)
}
