package pro

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"dclone"
)

// A novelty is datoms of the log, sorted as AEVT is. What MaxMemory has no room for is in
// temporary files.
type novelty struct {
	max    int64
	dir    string
	counts map[dclone.EntityID]int64

	bytes  int64
	arena  []byte
	recent []dclone.Datom
	at     map[dclone.EntityID][]dclone.Datom // of recent, once it is sorted
	runs   []*run
}

// defaultMemory is for who does not say how much there is.
const defaultMemory = 256 << 20

// leastMemory is used whatever they say, because each run keeps a file open.
var leastMemory int64 = 1 << 20

// readNovelty takes in those datoms of some transactions that are wanted. It copies them.
func readNovelty(ctx context.Context, txs iter.Seq2[*dclone.Tx, error], want func(dclone.Datom) bool, maxMemory int64, dir string) (*novelty, error) {
	if maxMemory <= 0 {
		maxMemory = defaultMemory
	}
	n := &novelty{max: max(maxMemory, leastMemory), dir: dir, counts: map[dclone.EntityID]int64{}}
	err := n.read(ctx, txs, want)
	if err == nil {
		n.sort()
		return n, nil
	}
	n.close()
	return nil, err
}

func (n *novelty) read(ctx context.Context, txs iter.Seq2[*dclone.Tx, error], want func(dclone.Datom) bool) error {
	for tx, err := range txs {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		for _, d := range tx.Datoms {
			if !want(d) {
				continue
			}
			n.add(d)
			if n.bytes >= n.max/2 { // what grows takes twice its size for a while
				if err := n.spill(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (n *novelty) add(d dclone.Datom) {
	n.counts[d.A]++
	n.bytes += datomSize + int64(len(d.V))
	if cap(n.arena)-len(n.arena) < len(d.V) {
		n.arena = make([]byte, 0, max(1<<16, len(d.V)))
	}
	from := len(n.arena)
	n.arena = append(n.arena, d.V...)
	d.V = n.arena[from:len(n.arena):len(n.arena)]
	n.recent = append(n.recent, d)
}

// sort orders what is in memory, and finds where each attribute begins.
func (n *novelty) sort() {
	slices.SortStableFunc(n.recent, func(x, y dclone.Datom) int {
		if c := cmp.Compare(x.A, y.A); c != 0 {
			return c
		}
		return inTree(x, y)
	})
	n.at = map[dclone.EntityID][]dclone.Datom{}
	for from := 0; from < len(n.recent); {
		to := from + 1
		for to < len(n.recent) && n.recent[to].A == n.recent[from].A {
			to++
		}
		n.at[n.recent[from].A] = n.recent[from:to:to]
		from = to
	}
}

// spill moves what is in memory to a file.
func (n *novelty) spill() error {
	n.sort()
	r, err := writeRun(n.dir, n.recent)
	if err != nil {
		return err
	}
	n.runs = append(n.runs, r)
	n.recent, n.at, n.arena, n.bytes = n.recent[:0], nil, nil, 0
	return nil
}

// streams returns what there is of an attribute.
func (n *novelty) streams(ctx context.Context, a dclone.EntityID) (streams []stream) {
	if n == nil || n.counts[a] == 0 {
		return nil
	}
	for _, r := range n.runs {
		streams = append(streams, r.stream(ctx, a))
	}
	return append(streams, func(yield func([]dclone.Datom, error) bool) { yield(n.at[a], nil) })
}

// close removes the files.
func (n *novelty) close() {
	if n == nil {
		return
	}
	for _, r := range n.runs {
		r.close()
	}
}
