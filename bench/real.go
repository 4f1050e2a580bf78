//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// benchReal measures mbrainz, where DCLONE_DATA leads to it.
func benchReal(work, self, binary string, runs int, clojure *peer) error {
	data := os.Getenv("DCLONE_DATA")
	if data == "" {
		data = "../shared/data"
	}
	archive := filepath.Join(data, "local", "mbrainz.tar.gz")
	if _, err := os.Stat(archive); err != nil {
		fmt.Printf("\nmbrainz: skipped, there is no %s\n", archive)
		return nil
	}
	p := newPlace(work, "mbrainz", self, binary)
	p.peer = clojure
	if err := os.MkdirAll(filepath.Dir(p.source), 0o777); err != nil {
		return err
	}
	if out, err := exec.Command("tar", "xzf", archive, "-C", filepath.Dir(p.source)).CombinedOutput(); err != nil {
		return fmt.Errorf("unpack %s: %w\n%s", archive, err, out)
	}
	return p.rows("mbrainz", runs, false)
}
