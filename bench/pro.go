//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"dclone"
)

// A proPlace has the places that the rows of one Datomic Pro database work in.
type proPlace struct {
	*workshop
	datomic  *datomic
	postgres *postgres // nil where there is none

	source   string   // a backup with two restore points
	old, new dclone.T // the restore points

	clone, again string // of the source; of that clone, and of the storage
	kept         string // clone as of old, to begin from again
	backup       string // what dclone backs up to
	keptBackup   string // backup as of old
	theirs       string // what Datomic backs up to

	measured []*row
}

// benchPro measures a generated database, a smaller one, to see what grows with size, and mbrainz.
func benchPro(datoms, runs int, work string) error {
	w, err := newWorkshop(work)
	if err != nil {
		return err
	}
	defer w.close()
	own, err := newDatomic(w.dir)
	if err != nil {
		return err
	}
	server, err := newPostgres()
	if err != nil {
		fmt.Printf("\nstorage in PostgreSQL: skipped, %v\n", err)
		server = nil
	}
	var generated []*proPlace
	for _, n := range []int{datoms / 10, datoms} {
		if n == 0 {
			continue
		}
		p := newProPlace(w, fmt.Sprintf("company-%d", n), own, server)
		if err := own.make(p.source, n); err != nil {
			return err
		}
		if err := p.rows(fmt.Sprintf("%d datoms of Datomic Pro", n), runs); err != nil {
			return err
		}
		generated = append(generated, p)
	}
	printPeaks(generated)
	return benchProReal(newProPlace(w, "mbrainz", own, server), runs)
}

func newProPlace(w *workshop, name string, own *datomic, server *postgres) *proPlace {
	in := func(kind string) string { return filepath.Join(w.dir, "pro", kind, "bench", name) }
	return &proPlace{workshop: w, datomic: own, postgres: server,
		source: in("source"),
		clone:  in("clone"), again: in("again"), kept: in("kept"),
		backup: in("backup"), keptBackup: in("kept-backup"), theirs: in("their-backup")}
}

func benchProReal(p *proPlace, runs int) error {
	archive, ok := realData("pro", "mbrainz.tar")
	if !ok {
		return nil
	}
	if err := os.RemoveAll(p.source); err != nil {
		return err
	}
	if err := unpack(archive, filepath.Dir(p.source)); err != nil {
		return err
	}
	return p.rows("mbrainz, a backup of Datomic Pro", runs)
}

// rows measures everything on one source.
func (p *proPlace) rows(title string, runs int) error {
	points, err := restorePoints(p.source)
	if err != nil {
		return err
	}
	if len(points) != 2 {
		return fmt.Errorf("measure %s: it has %d restore points, not 2", p.source, len(points))
	}
	p.old, p.new = points[0], points[1]
	for _, part := range []struct {
		name string
		rows func() ([]*row, error)
	}{
		{"reading the log", p.reading},
		{"cloning", p.cloning},
		{"catching up", p.catchingUp},
		{"backing up", p.backingUp},
		{"backing up what came since", p.backingUpSince},
		{"checking and restoring", p.checking},
	} {
		rows, err := part.rows()
		if err != nil {
			return err
		}
		if err := p.measure(title+": "+part.name, rows, runs); err != nil {
			return err
		}
	}
	return nil
}

// measure measures rows, beside the floors.
func (p *proPlace) measure(title string, rows []*row, runs int) error {
	floors := []*row{
		{name: "floor: decode every value", command: []string{p.self, "pro-floor", p.source}},
		{name: "cp + fsync of each file", command: []string{p.self, "cp-tree", p.source, filepath.Join(p.dir, "scratch-tree")}},
	}
	all := slices.Concat(floors, rows)
	if err := measure(all, runs); err != nil {
		return err
	}
	printRows(title, all)
	printTheirs(all)
	p.measured = append(p.measured, rows...)
	return nil
}

// at is the address of the source at a restore point.
func (p *proPlace) at(t dclone.T) string {
	return "file:" + p.source + "?t=" + strconv.FormatInt(int64(t), 10)
}

// store puts a restore point of the source into PostgreSQL.
func (p *proPlace) store(t dclone.T) error {
	_, err := run(p.dclone, "restore", "--quiet", p.at(t), p.postgres.source.uri())
	return err
}

// printPeaks shows what databases of two sizes take at most, row by row.
func printPeaks(places []*proPlace) {
	if len(places) != 2 {
		return
	}
	fmt.Printf("\npeak MiB, of a database and of one ten times as large\n")
	for i, small := range places[0].measured {
		large := places[1].measured[i]
		a, b := small.middle().peak, large.middle().peak
		fmt.Printf("%-34s %9.0f %9.0f %8.1f ×\n", small.name, float64(a)/1024, float64(b)/1024, float64(b)/float64(a))
	}
}

// without removes directories.
func without(dirs ...string) func() error {
	return func() error {
		var errs []error
		for _, dir := range dirs {
			errs = append(errs, os.RemoveAll(dir))
		}
		return errors.Join(errs...)
	}
}
