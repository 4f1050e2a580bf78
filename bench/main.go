//go:build unix

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"dclone/datomic/local"
	"dclone/fressian"
)

func main() {
	people := flag.Int("size", 1_000_000, "datoms of the generated database, and four times as many in a second one; 0 for none")
	runs := flag.Int("runs", 5, "runs of each row")
	work := flag.String("dir", "", "directory to work in (default: a temporary one)")
	peer := flag.String("peer", "", "checkout of kennyjwilli/datomic-backup to measure too; needs java and mvn, takes minutes")
	pro := flag.Bool("pro", false, "measure Datomic Pro instead: backups, storage in PostgreSQL, and Datomic's own code beside; needs java and mvn, takes minutes")
	proSize := flag.Int("pro-size", 3_000_000, "datoms of the Datomic Pro database, and a tenth of them in another; 0 for none")
	live := flag.Bool("live", false, "measure clones through Datomic Local's client API instead; needs java and mvn, takes minutes")
	liveSize := flag.Int("live-size", 200_000, "datoms of the database for that")
	flag.Parse()
	var err error
	switch {
	case *pro:
		err = benchPro(*proSize, *runs, *work)
	case *live:
		err = benchLive(*liveSize/10, *runs, *work, *peer)
	default:
		err = start(flag.Args(), *people/10, *runs, *work, *peer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// start runs the bench, or one of the processes it measures.
func start(args []string, people, runs int, work, checkout string) error {
	if len(args) == 0 {
		return bench(people, runs, work, checkout)
	}
	switch args[0] {
	case "generate":
		n, _ := strconv.Atoi(args[2])
		return generate(args[1], n)
	case "grow":
		n, _ := strconv.Atoi(args[2])
		return grow(args[1], n)
	case "index":
		return index(args[1])
	case "floor":
		return floor(args[1])
	case "last-t":
		return printLastT(args[1])
	case "cp":
		return copySync(args[1], args[2])
	}
	return startPro(args)
}

// floor turns every value of a log into a Go value, in one pass of one goroutine.
func floor(dir string) error {
	l, err := local.OpenLog(dir)
	if err != nil {
		return err
	}
	defer l.Close()
	s := l.Scan(0, l.End())
	for s.Frame() {
		for s.Datom() {
			if _, _, err := fressian.Decode(s.D.V); err != nil {
				return err
			}
		}
	}
	return s.Err()
}

// copySync is cp and fsync.
func copySync(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// A place has the places that the rows of one database work in.
type place struct {
	*workshop
	source, clone string
	scratch       string
	kept          string // a clone as it was, to begin from again
	peer          *peer
}

func bench(people, runs int, work, checkout string) error {
	w, err := newWorkshop(work)
	if err != nil {
		return err
	}
	defer w.close()
	clojure, err := newPeer(checkout, w.dir)
	if err != nil {
		return err
	}
	for _, n := range []int{people, 4 * people} {
		if n == 0 {
			continue
		}
		p := newPlace(w, fmt.Sprintf("company-%d", n))
		if n == people { // it is minutes for this one already
			p.peer = clojure
		}
		if _, err := run(w.self, "generate", p.source, strconv.Itoa(n)); err != nil {
			return err
		}
		if err := p.rows(fmt.Sprintf("%d datoms", n*10), runs, true); err != nil {
			return err
		}
	}
	return benchReal(w, runs, clojure)
}

func newPlace(w *workshop, name string) *place {
	return &place{workshop: w,
		source:  filepath.Join(w.dir, "source", "bench", name),
		clone:   filepath.Join(w.dir, "clone", "bench", name),
		kept:    filepath.Join(w.dir, "kept", "bench", name),
		scratch: filepath.Join(w.dir, "scratch")}
}

// rows measures everything on one source.
func (p *place) rows(title string, runs int, grows bool) error {
	sync := []string{p.dclone, "sync", "--quiet", "datomic-local:" + p.source, "datomic-local:" + p.clone}
	fresh := func() error { return os.RemoveAll(p.clone) }
	floorRows := []*row{
		{name: "floor: decode every value", command: []string{p.self, "floor", p.source}},
		{name: "cp + fsync", command: []string{p.self, "cp", logPath(p.source), p.scratch}},
	}
	first := append(floorRows,
		&row{name: "first copy, --no-index", prepare: fresh, command: append(sync, "--no-index")},
		&row{name: "first copy", prepare: fresh, command: sync},
		&row{name: "no-op", command: sync},
		&row{name: "verify", command: []string{p.dclone, "verify", "datomic-local:" + p.source, "datomic-local:" + p.clone}},
	)
	first = append(first, p.peerFirst(first[3])...)
	if err := measure(first, runs); err != nil {
		return err
	}
	printRows(title, first)
	printTheirs(first)
	info, err := os.Stat(filepath.Join(p.clone, "dclone.state"))
	if err != nil {
		return err
	}
	fmt.Printf("sidecar: %d KiB\n", info.Size()>>10)
	if !grows {
		return nil
	}
	return p.catchUp(title, runs, sync)
}

const fewTxs = 2000

// catchUp measures small transactions. Each run begins from the clone of before.
func (p *place) catchUp(title string, runs int, sync []string) error {
	if err := copyTree(p.clone, p.kept); err != nil {
		return err
	}
	had := 0
	for _, txs := range []int{fewTxs, 100_000} {
		if _, err := run(p.self, "grow", p.source, strconv.Itoa(txs-had)); err != nil {
			return err
		}
		had = txs
		again := func() error { return copyTree(p.kept, p.clone) }
		rows := []*row{
			{name: "floor: decode every value", command: []string{p.self, "floor", p.source}},
			{name: "cp + fsync", command: []string{p.self, "cp", logPath(p.source), p.scratch}},
			{name: fmt.Sprintf("catch-up of %d, --no-index", txs), prepare: again, command: append(sync, "--no-index")},
			{name: fmt.Sprintf("catch-up of %d", txs), prepare: again, command: sync},
		}
		rows = append(rows, p.peerAgain(txs, rows[3])...)
		if err := measure(rows, runs); err != nil {
			return err
		}
		printRows(fmt.Sprintf("%s and %d small transactions", title, txs), rows)
		printTheirs(rows)
		wall := least(rows[2].costs)
		fmt.Printf("%.0f transactions/s without the index\n", float64(txs)/wall.Seconds())
	}
	return nil
}

func copyTree(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.CopyFS(to, os.DirFS(from))
}
