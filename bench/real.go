//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// realData is the archive of a real database, where DCLONE_DATA leads to it. Where it does not, realData says so.
func realData(kind, name string) (archive string, ok bool) {
	data := os.Getenv("DCLONE_DATA")
	if data == "" {
		data = "../shared/data"
	}
	archive = filepath.Join(data, kind, name)
	if _, err := os.Stat(archive); err != nil {
		fmt.Printf("\n%s: skipped, there is no %s\n", name, archive)
		return "", false
	}
	return archive, true
}

// unpack gets a directory out of an archive.
func unpack(archive, into string) error {
	if err := os.MkdirAll(into, 0o777); err != nil {
		return err
	}
	if out, err := exec.Command("tar", "xf", archive, "-C", into).CombinedOutput(); err != nil {
		return fmt.Errorf("unpack %s: %w\n%s", archive, err, out)
	}
	return nil
}

// benchReal measures mbrainz.
func benchReal(w *workshop, runs int, clojure *peer) error {
	archive, ok := realData("local", "mbrainz.tar.gz")
	if !ok {
		return nil
	}
	p := newPlace(w, "mbrainz")
	p.peer = clojure
	if err := unpack(archive, filepath.Dir(p.source)); err != nil {
		return err
	}
	return p.rows("mbrainz", runs, false)
}
