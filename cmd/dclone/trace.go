package main

import (
	"os"
	"path/filepath"
)

// A trace is what a run is about to make in a clone's directory before it is sure that there will
// be a clone.
type trace struct {
	dirs []string // that are missing, the innermost first
	lock string   // the lock file, "" where it is there already
}

func traceOf(dir string) trace {
	t := tracePath(dir)
	t.lock = filepath.Join(dir, ".lock")
	if _, err := os.Lstat(t.lock); err == nil {
		t.lock = ""
	}
	return t
}

// tracePath is traceOf of a directory that has no lock file.
func tracePath(dir string) (t trace) {
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); err == nil {
			break
		}
		t.dirs = append(t.dirs, dir)
	}
	return t
}

// remove takes back what was made. The lock file goes only if it is held: somebody else may hold
// one that was not there before. Directories go as long as nothing else is in them.
func (t trace) remove(held bool) {
	if t.lock != "" && held {
		os.Remove(t.lock)
	}
	for _, dir := range t.dirs {
		os.Remove(dir)
	}
}
