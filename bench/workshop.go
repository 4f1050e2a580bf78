//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// A workshop is where the bench works, and the programs it measures.
type workshop struct {
	dir          string
	self, dclone string
	temporary    bool
}

// newWorkshop builds dclone, in dir or in a temporary directory.
func newWorkshop(dir string) (*workshop, error) {
	w := &workshop{temporary: dir == ""}
	var err error
	if w.temporary {
		w.dir, err = os.MkdirTemp("", "dclone-bench-")
	} else if w.dir, err = filepath.Abs(dir); err == nil { // Datomic Local wants it so
		err = os.MkdirAll(w.dir, 0o777)
	}
	if err != nil {
		return nil, err
	}
	if w.self, err = os.Executable(); err == nil {
		err = w.build()
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *workshop) build() error {
	w.dclone = filepath.Join(w.dir, "dclone")
	if out, err := exec.Command("go", "build", "-o", w.dclone, "./cmd/dclone").CombinedOutput(); err != nil {
		return fmt.Errorf("build dclone: %w\n%s", err, out)
	}
	return nil
}

// close removes a temporary directory.
func (w *workshop) close() {
	if w.temporary {
		os.RemoveAll(w.dir)
	}
}
