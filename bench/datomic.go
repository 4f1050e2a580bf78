//go:build unix

package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"dclone"
)

//go:embed pro.clj
var proScript []byte

// A datomic is Datomic Pro's own code: that of the peer library, which has what backs databases up, and
// two scripts of package interop, which stand in for the process of the transactor and for backups in
// directories. Each of its runs is a JVM of its own with Java's own settings, as a peer is (see peer.go).
type datomic struct {
	command []string // without the arguments of the script
}

func newDatomic(work string) (*datomic, error) {
	pom, err := os.ReadFile(filepath.Join("interop", "pro.pom.xml"))
	if err != nil {
		return nil, fmt.Errorf("find package interop, in the root of the repository: %w", err)
	}
	jars, err := classPath(work, "pro", pom)
	if err != nil {
		return nil, err
	}
	command := []string{"java", "-cp", jars, "clojure.main"}
	for _, name := range []string{"transactor.clj", "fsbackup.clj"} {
		path, err := filepath.Abs(filepath.Join("interop", "clj", name))
		if err != nil {
			return nil, err
		}
		command = append(command, "-i", path)
	}
	script := filepath.Join(work, "pro.clj")
	return &datomic{append(command, script)}, os.WriteFile(script, proScript, 0o666)
}

// call is the command of one JVM.
func (d *datomic) call(args ...string) []string { return slices.Concat(d.command, args) }

// make makes a backup of a database of some datoms, with a second restore point 2,000 transactions later. A
// backup that is there is taken as it is: a large one takes minutes to make.
func (d *datomic) make(at string, datoms int) error {
	if points, err := restorePoints(at); err == nil && len(points) == 2 {
		return nil
	}
	if err := os.RemoveAll(at); err != nil {
		return err
	}
	call := d.call("make", at, strconv.Itoa(datoms))
	_, err := run(call[0], call[1:]...)
	return err
}

// restorePoints are those of a backup in a directory, the oldest first.
func restorePoints(at string) ([]dclone.T, error) {
	roots, err := os.ReadDir(filepath.Join(at, "roots"))
	if err != nil {
		return nil, err
	}
	var points []dclone.T
	for _, root := range roots {
		if t, err := strconv.ParseInt(root.Name(), 10, 64); err == nil {
			points = append(points, dclone.T(t))
		}
	}
	slices.Sort(points)
	return points, nil
}
