package live

import (
	"dclone"
	"dclone/fressian"
)

// patience is how many places a search tries before it gives up.
const patience = 1 << 22

// An aligner finds what the tempids of some frames stand for in the transactions that they became.
type aligner struct {
	frames  []*frame
	txs     []dclone.Tx
	instant dclone.EntityID            // :db/txInstant
	derives map[dclone.EntityID]bool   // attributes whose datoms Datomic adds by itself
	taken   func(dclone.EntityID) bool // ids that stand for something else

	bound   binding // at first, what was bound before
	owners  map[dclone.EntityID]dclone.EntityID
	became  []int              // by transaction, the frame that became it
	there   []bool             // by frame, whether it became one
	index   []map[string][]int // by transaction, where each datom is
	used    [][]bool
	cursor  []int // by transaction, behind the place found last
	missing []item
	tried   int
}

// An item is a form of the frame that a transaction was.
type item struct {
	at int
	form
}

// align reports whether some of the frames became the transactions, one by one. became, bound and missing say more then.
func (a *aligner) align() bool {
	a.owners = map[dclone.EntityID]dclone.EntityID{}
	for e, id := range a.bound {
		a.owners[id] = e
	}
	for _, tx := range a.txs {
		index := map[string][]int{}
		for j, d := range tx.Datoms {
			k := key(form{added: d.Added, e: d.E, a: d.A, v: d.V})
			index[k] = append(index[k], j)
		}
		a.index = append(a.index, index)
		a.used = append(a.used, make([]bool, len(tx.Datoms)))
		a.cursor = append(a.cursor, 0)
	}
	a.became, a.there = make([]int, len(a.txs)), make([]bool, len(a.frames))
	return a.choose(0)
}

// rest returns the frames that became no transaction.
func (a *aligner) rest() (rest []*frame) {
	for k, f := range a.frames {
		if !a.there[k] {
			rest = append(rest, f)
		}
	}
	return rest
}

func key(x form) string {
	b := fressian.AppendInt(nil, int64(x.e))
	b = fressian.AppendInt(b, int64(x.a))
	if x.added {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	return string(append(b, x.v...))
}

// match finds places in a transaction for the forms of its frame, from the i-th on, and goes on behind them.
func (a *aligner) match(at, i int) bool {
	f := a.frames[a.became[at]]
	if a.tried > patience {
		return false
	}
	if i == len(f.forms) {
		return a.explained(at) && a.choose(at+1)
	}
	a.bound[self] = dclone.TxID(a.txs[at].T)
	x, open, err := f.forms[i].resolve(a.bound)
	switch {
	case err != nil:
		return false
	case open:
		return a.search(at, i, x)
	}
	for _, j := range a.index[at][key(x)] {
		if !a.used[at][j] {
			return a.use(at, i, j)
		}
	}
	if f.free() || x.a == a.instant && x.e.IsTx() {
		return false // every transaction has its own instant
	}
	a.missing = append(a.missing, item{at, x})
	if a.match(at, i+1) {
		return true
	}
	a.missing = a.missing[:len(a.missing)-1]
	return false
}

// use takes place j for form i.
func (a *aligner) use(at, i, j int) bool {
	before := a.cursor[at]
	a.used[at][j], a.cursor[at] = true, j+1
	if a.match(at, i+1) {
		return true
	}
	a.tried++
	a.used[at][j], a.cursor[at] = false, before
	return false
}

// search tries the places of a transaction for a form with tempids, first those behind the place found last.
func (a *aligner) search(at, i int, x form) bool {
	tx := a.txs[at]
	n := len(tx.Datoms)
	from := a.cursor[at]
	for k := range n {
		j := (from + k) % n
		d := tx.Datoms[j]
		if a.used[at][j] || d.Added != x.added {
			continue
		}
		undo, ok := a.unify(x, d)
		if ok && a.use(at, i, j) {
			return true
		}
		a.undo(undo)
		a.bound[self] = dclone.TxID(tx.T)
		if a.tried > patience {
			return false
		}
	}
	return false
}

// undo takes back what was bound.
func (a *aligner) undo(bound []dclone.EntityID) {
	for _, e := range bound {
		delete(a.owners, a.bound[e])
		delete(a.bound, e)
	}
}

// unify binds the tempids of x so that it becomes d. What it has bound is to be undone, even where it fails.
func (a *aligner) unify(x form, d dclone.Datom) (undo []dclone.EntityID, ok bool) {
	bind := func(e, id dclone.EntityID) bool {
		if e = a.bound.of(e); e >= 0 {
			return e == id
		}
		if _, owned := a.owners[id]; owned || a.taken(id) {
			return false
		}
		a.bound[e], a.owners[id] = id, e
		undo = append(undo, e)
		return true
	}
	if !bind(x.e, d.E) || !bind(x.a, d.A) {
		return undo, false
	}
	if x.tempids == dclone.NoRefs {
		return undo, string(x.v) == string(d.V)
	}
	var ids []dclone.EntityID
	if err := (form{v: d.V, tempids: x.tempids}).each(func(id dclone.EntityID) { ids = append(ids, id) }); err != nil {
		return undo, false
	}
	n, ok := 0, true
	err := x.each(func(e dclone.EntityID) {
		ok = ok && n < len(ids) && bind(e, ids[n])
		n++
	})
	if err != nil || !ok || n != len(ids) {
		return undo, false
	}
	r, open, err := x.resolve(a.bound)
	return undo, err == nil && !open && string(r.v) == string(d.V)
}

// explained reports whether what no form became was added to a transaction by Datomic itself.
func (a *aligner) explained(at int) bool {
	f := a.frames[a.became[at]]
	for j, d := range a.txs[at].Datoms {
		if !a.used[at][j] && !a.derived(f, a.txs[at].T, d) {
			return false
		}
	}
	return true
}

func (a *aligner) derived(f *frame, t dclone.T, d dclone.Datom) bool {
	if a.derives[d.A] {
		return true
	}
	tuple, ofIt := fressian.NewWalker(d.V).Next() == fressian.IsList, false
	for _, x := range f.forms {
		of := a.bound.of(x.a) == d.A
		tuple = tuple && !of
		e := a.bound.of(x.e)
		if x.e == self {
			e = dclone.TxID(t)
		}
		ofIt = ofIt || e == d.E
		if of && e == d.E && !d.Added && x.added {
			return true
		}
	}
	return tuple && ofIt
}
