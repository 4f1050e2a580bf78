package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"dclone"
	"dclone/address"
	"dclone/source"
	sourcelocal "dclone/source/local"
	"dclone/source/pro"
	"dclone/store"
	"dclone/store/dir"
	"dclone/store/s3"
)

// openSource opens a database to be read.
func (p *program) openSource(ctx context.Context, a address.Address) (source.Conn, error) {
	if isLive(a) {
		return p.openLive(ctx, theSource, a)
	}
	if a, ok := a.(address.Local); ok {
		return openLocal(a)
	}
	db, err := openDatabase(ctx, a)
	if err != nil {
		return nil, err
	}
	conn, err := pro.Open(ctx, db, point(a))
	if err != nil {
		db.Close()
		return nil, unreadable(a, err)
	}
	return conn, nil
}

func openLocal(a address.Local) (source.Conn, error) {
	conn, err := sourcelocal.Open(a.Dir())
	if isNoSource(err) {
		return nil, &failure{codeNone, fmt.Errorf("open source: there is no database at %s", a),
			"dclone list " + shellWord(address.Scheme+a.Storage) + " to see what is there"}
	}
	if err != nil {
		return nil, dclone.InSource(err)
	}
	return conn, nil
}

// point returns the restore point that an address names.
func point(a address.Address) dclone.T {
	if b, ok := a.(address.Backup); ok {
		if t, ok := b.Point(); ok {
			return t
		}
	}
	return store.Newest
}

// openDatabase opens the segments of a Datomic Pro database to be read.
func openDatabase(ctx context.Context, a address.Address) (store.Database, error) {
	switch a := a.(type) {
	case address.Storage:
		return openStorage(ctx, a)
	case address.Backup:
		return openBackup(ctx, a)
	}
	return nil, &failure{codeUsage, fmt.Errorf("open %s: it is %s, and has no segments", a, a.Kind()),
		"a Datomic Pro backup, or Datomic Pro storage; dclone sync clones any database"}
}

// openBackup opens a backup that is there.
func openBackup(ctx context.Context, a address.Backup) (*store.Backup, error) {
	files, err := openFiles(ctx, a, s3.Options{})
	if d, ok := a.(address.Directory); ok && errors.Is(err, syscall.ENOTDIR) {
		return nil, noDirectory(d)
	}
	if err != nil {
		return nil, dclone.InSource(err)
	}
	b, err := store.OpenBackup(ctx, asSourceFiles{files})
	if err != nil {
		files.Close()
		return nil, noBackup(a, err)
	}
	return b, nil
}

// openFiles opens what a backup lies in, or will.
func openFiles(ctx context.Context, a address.Backup, opt s3.Options) (store.Files, error) {
	switch a := a.(type) {
	case address.Directory:
		return dir.Open(a.Path)
	case address.Bucket:
		return s3.Open(ctx, a.Bucket, a.Prefix, opt)
	}
	return nil, fmt.Errorf("open %s: it is %s", a, a.Kind())
}

// unreadable says of an error in opening what can be done about it.
func unreadable(a address.Address, err error) error {
	switch a := a.(type) {
	case address.Storage:
		return noStored(a, err)
	case address.Backup:
		return noBackup(a, err)
	}
	return dclone.InSource(err)
}

// noBackup is unreadable for backups.
func noBackup(a address.Backup, err error) error {
	switch {
	case errors.Is(err, store.ErrNoRoot):
		return &failure{codeNone, err, "dclone list " + shellWord(a.At(address.Newest).String())}
	case !errors.Is(err, store.ErrNoDatabase):
		return dclone.InSource(err)
	}
	if d, ok := a.(address.Directory); ok {
		return noDirectory(d)
	}
	return &failure{codeNone, err, "the address of what holds owner, roots and values"}
}

// noDirectory is the failure to open a directory that is no backup; one of those in it may be meant.
func noDirectory(a address.Directory) error {
	const try = "the directory that holds owner, roots and values"
	info, err := os.Stat(a.Path)
	switch {
	case err != nil:
		return &failure{codeNone, fmt.Errorf("open backup: there is no directory %s", a.Path), try}
	case !info.IsDir():
		return &failure{codeNone, fmt.Errorf("open backup: %s is a file, no directory", a.Path), try}
	}
	if inside, _ := filepath.Glob(filepath.Join(globQuote.Replace(a.Path), "*", "roots")); len(inside) > 0 {
		return &failure{codeNone, fmt.Errorf("open backup: directory %s is no Datomic Pro backup, but holds %s", a.Path,
			count(len(inside), "of them", "of them")), shellWord(address.Directory{Path: filepath.Dir(inside[0]), T: a.T}.String())}
	}
	return &failure{codeNone, fmt.Errorf("open backup: directory %s is no Datomic Pro backup: it has neither an owner nor roots", a.Path), try}
}

var globQuote = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)
