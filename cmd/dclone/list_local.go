package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"dclone"
	"dclone/address"
	"dclone/datomic/local"
	destlocal "dclone/dest/local"
	sourcelocal "dclone/source/local"
	"dclone/state"
)

// A listing is what list prints.
type listing struct {
	Address   string           `json:"address"`
	Databases []listedDatabase `json:"databases"`
}

type listedDatabase struct {
	Address string       `json:"address"`
	System  string       `json:"system"`
	Name    string       `json:"name"`
	T       *dclone.T    `json:"t"` // nil where there is no database yet, or it cannot be read
	Log     int64        `json:"log_bytes"`
	Size    int64        `json:"size_bytes"` // of all files
	First   *time.Time   `json:"first_instant"`
	Newest  *time.Time   `json:"newest_instant"`
	Clone   *listedClone `json:"clone"` // nil where dclone did not make it
	Error   string       `json:"error"`
}

// A listedClone is what the sidecar beside a database says.
type listedClone struct {
	Source    string   `json:"source"`
	SessionID string   `json:"session_id"`
	Phase     string   `json:"phase"`
	SourceT   dclone.T `json:"source_t"`
}

// listLocal lists what is at or below a path.
func (p *program) listLocal(ctx context.Context, text string) error {
	path, err := address.ParsePlace(text)
	if err != nil {
		return addressFailure(err)
	}
	dirs, err := findDatabases(path)
	if err != nil {
		return err
	}
	l := listing{Address: address.Scheme + path, Databases: []listedDatabase{}}
	var damaged error
	for _, dir := range dirs {
		d, err := describe(ctx, dir)
		if err != nil {
			d.Error = oneLine(err.Error())
			damaged = &failure{codeSource, err, ""}
		}
		l.Databases = append(l.Databases, d)
	}
	return p.listed(&l, damaged)
}

// findDatabases returns the directories at path, below it, or two levels below it, that hold a
// database or a clone.
func findDatabases(path string) ([]string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil, &failure{codeNone, fmt.Errorf("list %s: there is no such directory", address.Scheme+path), ""}
	}
	if err != nil {
		return nil, dclone.InSource(err)
	}
	level := []string{path}
	var found []string
	for range 3 {
		var next []string
		for _, dir := range level {
			if isDatabase(dir) {
				found = append(found, dir)
				continue
			}
			entries, err := os.ReadDir(dir)
			if err != nil && dir == path {
				return nil, dclone.InSource(err)
			}
			for _, e := range entries {
				sub := filepath.Join(dir, e.Name())
				if info, err := os.Stat(sub); err == nil && info.IsDir() {
					next = append(next, sub)
				}
			}
		}
		level = next
	}
	return found, nil
}

func isDatabase(dir string) bool {
	for _, name := range []string{"db.log", sidecarName} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return destlocal.Loading(dir)
}

// describe reads what list tells of the database in dir.
func describe(ctx context.Context, dir string) (listedDatabase, error) {
	d := listedDatabase{Address: address.Scheme + dir, System: filepath.Base(filepath.Dir(dir)), Name: filepath.Base(dir)}
	d.Clone = describeClone(ctx, dir)
	if err := d.measure(dir); err != nil {
		return d, err
	}
	conn, err := sourcelocal.Open(dir)
	if errors.Is(err, local.ErrNoDatabase) && d.Clone != nil {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	defer conn.Close()
	basis := conn.Basis()
	d.T = &basis
	if basis <= local.BootstrapT {
		return d, nil
	}
	for tx, err := range conn.Txs(ctx, local.BootstrapT+1) {
		if err != nil {
			return d, err
		}
		first := tx.Instant.Time()
		d.First = &first
		break
	}
	f, err := conn.Fingerprint(nil, basis)
	newest := f.Instant.Time()
	d.Newest = &newest
	return d, err
}

// measure adds up the sizes of a database's files.
func (d *listedDatabase) measure(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			d.Size += info.Size()
			if e.Name() == "db.log" {
				d.Log = info.Size()
			}
		}
	}
	return err
}

// liveStateOf returns where the sidecar is if Datomic Local has a clone in dir, otherwise where nobody knows.
func liveStateOf(dir, otherwise string) string {
	a, err := address.ParseDest(address.Scheme + dir)
	if err != nil {
		return otherwise
	}
	if state, err := liveSidecar(a); err == nil {
		return state
	}
	return otherwise
}

// describeClone reads the sidecar of what is in dir, or what a run that has it open has recorded. It
// returns nil where there is none.
func describeClone(ctx context.Context, dir string) *listedClone {
	at := place{dir: dir, state: filepath.Join(dir, sidecarName)}
	if _, err := os.Lstat(at.state); err != nil {
		at.state = liveStateOf(dir, at.state)
	}
	sc, err := at.read(ctx, 0)
	if err == nil {
		return &listedClone{sc.session.Source.Address, sc.session.ID.String(), string(sc.pos.Phase), sc.pos.Source.T}
	}
	if errors.Is(err, state.ErrNone) {
		return nil
	}
	if r, _ := readRecord(at.state); r != nil {
		return &listedClone{r.Source, r.SessionID, r.Phase, r.SourceT}
	}
	return &listedClone{Source: oneLine(err.Error())}
}

// rows are the listing for people.
func (l *listing) rows() []string {
	if len(l.Databases) == 0 {
		return []string{"no databases at " + l.Address}
	}
	rows := []string{"SYSTEM\tDATABASE\tT\tSIZE\tFIRST\tNEWEST\tCLONE OF"}
	for _, d := range l.Databases {
		t, of := "-", "-"
		if d.T != nil {
			t = strconv.FormatInt(int64(*d.T), 10)
		}
		if d.Clone != nil {
			of = d.Clone.Source
			if d.Clone.Phase != string(state.Current) {
				of += " (" + d.Clone.Phase + ")"
			}
		}
		if d.Error != "" {
			of = d.Error
		}
		rows = append(rows, strings.Join([]string{d.System, d.Name, t, sizeText(d.Size), dateText(d.First), dateText(d.Newest), of}, "\t"))
	}
	return rows
}

func dateText(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Format(time.RFC3339)
}

// sizeText writes a number of bytes for people.
func sizeText(n int64) string {
	for _, u := range sizeUnits {
		if n >= u.bytes && u.bytes > 1 {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.bytes), u.suffix)
		}
	}
	return fmt.Sprintf("%d B", n)
}
