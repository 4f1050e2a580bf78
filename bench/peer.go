//go:build unix

package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dclone/datomic/local"
)

var (
	//go:embed peer.clj
	peerScript []byte
	//go:embed peer-pom.xml
	peerPom []byte
)

// A peer is datomic-backup, the Clojure library that does dclone's job, from a checkout of it. Each
// of its runs is a JVM of its own with Java's own settings, of which the heap's limit, a quarter of
// the machine's memory, has most say in the peak; JAVA_TOOL_OPTIONS can say others.
//
// What it opens is indexed before, as databases are that have been in use: Datomic Local would index
// them while it opens them the first time, which takes most of a minute for a million datoms. Its
// log, a line for each transaction, is off.
type peer struct {
	command []string // without the arguments of the script
	clone   string   // storage directory of its clones and its state
}

// newPeer makes ready to run the library of a checkout; it is nil where there is none to run.
func newPeer(checkout, work string) (*peer, error) {
	if checkout == "" {
		return nil, nil
	}
	src, err := filepath.Abs(filepath.Join(checkout, "src"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(src, "dev", "kwill", "datomic_backup.clj")); err != nil {
		return nil, fmt.Errorf("find datomic-backup: %w", err)
	}
	jars, err := classPath(work, "peer", peerPom)
	if err != nil {
		return nil, err
	}
	script := filepath.Join(work, "peer.clj")
	cp := strings.Join([]string{src, jars}, string(os.PathListSeparator))
	return &peer{
		command: []string{"java", "-cp", cp, "clojure.main", script},
		clone:   filepath.Join(work, "peer"),
	}, os.WriteFile(script, peerScript, 0o666)
}

// classPath asks Maven for the class path of what a pom wants.
func classPath(work, name string, pom []byte) (string, error) {
	file, answer := filepath.Join(work, name+"-pom.xml"), filepath.Join(work, name+"-classpath")
	if err := errors.Join(os.MkdirAll(work, 0o777), os.WriteFile(file, pom, 0o666)); err != nil {
		return "", err
	}
	if _, err := run("mvn", "-q", "-B", "-f", file, "dependency:build-classpath", "-Dmdep.outputFile="+answer); err != nil {
		return "", err
	}
	jars, err := os.ReadFile(answer)
	return string(bytes.TrimSpace(jars)), err
}

// peerFirst is the library's first copy: one row, run once, for it takes minutes, or none.
func (p *place) peerFirst(ours *row) []*row {
	if p.peer == nil {
		return nil
	}
	fresh := func() error {
		return errors.Join(os.RemoveAll(p.peer.clone), os.MkdirAll(p.peer.clone, 0o777), p.index(p.source))
	}
	return []*row{{name: "first copy, datomic-backup", once: true, ours: ours, prepare: fresh, command: p.peerCall()}}
}

// peerAgain is the library's catch-up after peerFirst: the short one alone, for the same reason.
func (p *place) peerAgain(txs int, ours *row) []*row {
	if p.peer == nil || txs != fewTxs {
		return nil
	}
	name := fmt.Sprintf("catch-up of %d, datomic-backup", txs)
	clone := filepath.Join(p.peer.clone, filepath.Base(filepath.Dir(p.source)), filepath.Base(p.source))
	ready := func() error { return p.index(p.source, clone, clone+"-state") }
	return []*row{{name: name, once: true, ours: ours, prepare: ready, command: p.peerCall()}}
}

// peerCall is the command for the first copy and the catch-ups alike.
func (p *place) peerCall() []string {
	system := filepath.Dir(p.source)
	return slices.Concat(p.peer.command,
		[]string{filepath.Dir(system), p.peer.clone, filepath.Base(system), filepath.Base(p.source)})
}

// index runs apart, because memory that the bench has used counts as its children's.
func (p *place) index(dirs ...string) error {
	for _, dir := range dirs {
		if _, err := run(p.self, "index", dir); err != nil {
			return err
		}
	}
	return nil
}

// index gives a database the index that Datomic Local would otherwise make when it opens it.
func index(dir string) error {
	d, err := local.LockDir(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	l, err := local.OpenLog(dir)
	if err != nil {
		return err
	}
	defer l.Close()
	root, err := d.BuildIndex(context.Background(), l, local.IndexOptions{})
	var order *local.OrderError
	if errors.As(err, &order) {
		return nil // Datomic Local makes its own
	}
	if err != nil {
		return err
	}
	return d.WriteRoot(root)
}
