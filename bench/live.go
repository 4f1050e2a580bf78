//go:build unix

package main

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dclone"
)

//go:embed live.clj
var liveScript []byte

// A livePlace has the places of a database that is cloned through Datomic Local's client API.
type livePlace struct {
	*workshop
	peer   *peer    // nil where there is none
	jars   string   // the class path of both
	script []string // the command of live.clj

	source, clone, theirs, floor string // storage directories
	kept, keptTheirs             string // clones as they were after the first copy
	state                        string // dclone's
	last                         int    // t of the source at the first copy, 0 before
}

const (
	liveSystem, liveDB = "bench", "company"
	liveTxs            = 1500
)

// benchLive measures a first copy, and a catch-up with small transactions, by dclone and by datomic-backup.
func benchLive(people, runs int, work, checkout string) error {
	w, err := newWorkshop(work)
	if err != nil {
		return err
	}
	defer w.close()
	clojure, err := newPeer(checkout, w.dir)
	if err != nil {
		return err
	}
	p, err := newLivePlace(w, clojure)
	if err != nil {
		return err
	}
	source := filepath.Join(p.source, liveSystem, liveDB)
	if err := errors.Join(os.RemoveAll(p.source), os.RemoveAll(p.theirs)); err != nil {
		return err
	}
	if _, err := run(w.self, "generate", source, strconv.Itoa(people)); err != nil {
		return err
	}
	if _, err := run(w.self, "index", source); err != nil {
		return err
	}
	if err := p.first(people*10, runs); err != nil {
		return err
	}
	if p.last, err = w.lastT(source); err != nil {
		return err
	}
	if _, err := run(w.self, "grow", source, strconv.Itoa(liveTxs)); err != nil {
		return err
	}
	if _, err := run(w.self, "index", source); err != nil {
		return err
	}
	return p.again(runs)
}

func newLivePlace(w *workshop, clojure *peer) (*livePlace, error) {
	jars, err := classPath(w.dir, "peer", peerPom)
	if err != nil {
		return nil, err
	}
	in := func(name string) string { return filepath.Join(w.dir, "live", name) }
	p := &livePlace{workshop: w, peer: clojure, jars: jars, source: in("source"), clone: in("clone"), theirs: in("theirs"),
		floor: in("floor"), kept: in("kept"), keptTheirs: in("kept-theirs"), state: in("state")}
	script := filepath.Join(w.dir, "live.clj")
	p.script = []string{"java", "-cp", jars, "clojure.main", script}
	return p, os.WriteFile(script, liveScript, 0o666)
}

// sync is dclone's command for both.
func (p *livePlace) sync(flags ...string) []string {
	address := func(storage string) string {
		return fmt.Sprintf("client:{:server-type :datomic-local :storage-dir %q :system %q}#%s", storage, liveSystem, liveDB)
	}
	command := []string{p.dclone, "sync", "--quiet", "--datomic-classpath", p.jars, "--state", p.state}
	return slices.Concat(command, flags, []string{address(p.source), address(p.clone)})
}

func (p *livePlace) peerCall() []string {
	return slices.Concat(p.peer.command, []string{p.source, p.theirs, liveSystem, liveDB})
}

// floorCall transacts again what dclone has transacted from t on.
func (p *livePlace) floorCall(t int) []string {
	return slices.Concat(p.script, []string{"floor", p.clone, p.floor, liveSystem, liveDB, strconv.Itoa(t)})
}

// firstT is that of the first transaction of a Datomic Local database.
const firstT = 6

func (p *livePlace) first(datoms, runs int) error {
	afresh := func(dirs ...string) func() error {
		return func() error {
			err := without(dirs...)()
			return errors.Join(err, os.MkdirAll(filepath.Dir(p.state), 0o777), os.MkdirAll(p.theirs, 0o777))
		}
	}
	ours := &row{name: "first copy, dclone", prepare: afresh(p.clone, p.state), command: p.sync()}
	small := &row{name: "first copy, batches of 500", prepare: afresh(p.clone, p.state), command: p.sync("--max-batch-size", "500")}
	rows := []*row{small, ours, {name: "floor: transact the same", prepare: afresh(p.floor), command: p.floorCall(firstT)}}
	if p.peer != nil {
		rows = append(rows, &row{name: "first copy, datomic-backup", ours: ours, prepare: afresh(p.theirs), command: p.peerCall()})
	}
	if err := p.measure(fmt.Sprintf("%d datoms through the client API of Datomic Local", datoms), rows, runs); err != nil {
		return err
	}
	return errors.Join(copyTree(p.clone, p.kept), copyFile(p.state, p.state+"-kept"), p.keepTheirs(p.theirs, p.keptTheirs))
}

func (p *livePlace) keepTheirs(from, to string) error {
	if p.peer == nil {
		return nil
	}
	return copyTree(from, to)
}

// again measures the catch-up. Each run begins from the clones as they were.
func (p *livePlace) again(runs int) error {
	last, err := p.lastT(filepath.Join(p.kept, liveSystem, liveDB))
	if err != nil {
		return err
	}
	ours := &row{name: "catch-up, dclone", command: p.sync(), prepare: func() error {
		return errors.Join(copyTree(p.kept, p.clone), copyFile(p.state+"-kept", p.state))
	}}
	rows := []*row{ours, {name: "floor: transact the same", command: p.floorCall(last + 1),
		prepare: func() error { return copyTree(p.kept, p.floor) }}}
	if p.peer != nil {
		rows = append(rows, &row{name: "catch-up, datomic-backup", ours: ours, command: p.peerCall(),
			prepare: func() error { return p.keepTheirs(p.keptTheirs, p.theirs) }})
	}
	rows = append(rows, &row{name: "no-op, dclone", command: p.sync()})
	return p.measure(fmt.Sprintf("%d small transactions through the client API", liveTxs), rows, runs)
}

// measure measures rows, and says what each kind of clone holds in the end.
func (p *livePlace) measure(title string, rows []*row, runs int) error {
	for _, r := range rows {
		r.family = true
	}
	if err := measure(rows, runs); err != nil {
		return err
	}
	printFamilies(title, rows)
	printTheirs(rows)
	want, err := p.counts(p.source)
	if err != nil {
		return err
	}
	clones := map[string]string{"dclone": p.clone}
	if p.peer != nil {
		clones["datomic-backup"] = p.theirs
	}
	for _, name := range slices.Sorted(maps.Keys(clones)) {
		have, err := p.counts(clones[name])
		if err != nil {
			return err
		}
		printLost(name, want, have)
	}
	return nil
}

// counts is what a database holds, by attribute. Of instants, those of the catch-up count: a first copy has one.
func (p *livePlace) counts(storage string) (map[string]string, error) {
	from, to := int64(0), int64(-1)
	if p.last > 0 {
		from, to = int64(instantOf(dclone.T(p.last+1))), int64(instantOf(dclone.T(p.last+liveTxs)))
	}
	c, err := run(p.script[0], slices.Concat(p.script[1:],
		[]string{"counts", storage, liveSystem, liveDB, strconv.FormatInt(from, 10), strconv.FormatInt(to, 10)})...)
	held := map[string]string{}
	for line := range strings.Lines(c.out) {
		if attribute, what, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(attribute, ":") {
			held[attribute] = what
		}
	}
	return held, err
}

// printLost says what a clone holds that the source does not, and the other way round.
func printLost(name string, want, have map[string]string) {
	same := 0
	for _, attribute := range slices.Sorted(maps.Keys(want)) {
		if want[attribute] == have[attribute] {
			same++
		} else {
			fmt.Printf("%s: %s is %s, in the source %s\n", name, attribute, have[attribute], want[attribute])
		}
	}
	fmt.Printf("%s: %d of %d attributes hold what they do in the source\n", name, same, len(want))
}
