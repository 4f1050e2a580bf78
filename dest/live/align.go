package live

import (
	"dclone"
	"dclone/fressian"
)

// patience is how many places a search tries before it gives up.
const patience = 1 << 20

// An aligner finds what the tempids of some frames stand for in the transactions that they became.
type aligner struct {
	frames  []*frame
	txs     []dclone.Tx
	instant dclone.EntityID            // :db/txInstant
	derives map[dclone.EntityID]bool   // attributes whose datoms Datomic adds by itself
	taken   func(dclone.EntityID) bool // ids that stand for something else

	bound   binding // at first, what was bound before
	owners  map[dclone.EntityID]dclone.EntityID
	items   []item
	index   []map[string][]int // by transaction, where each datom is
	used    [][]bool
	cursor  []int // by transaction, behind the place found last
	missing []item
	tried   int
}

// An item is a form of one of the frames.
type item struct {
	at int
	form
}

// align reports whether the frames became the transactions, one by one. bound and missing say more then.
func (a *aligner) align() bool {
	a.owners = map[dclone.EntityID]dclone.EntityID{}
	for e, id := range a.bound {
		a.owners[id] = e
	}
	for i, f := range a.frames {
		tx := a.txs[i]
		index := map[string][]int{}
		for j, d := range tx.Datoms {
			k := key(form{added: d.Added, e: d.E, a: d.A, v: d.V})
			index[k] = append(index[k], j)
		}
		a.index = append(a.index, index)
		a.used = append(a.used, make([]bool, len(tx.Datoms)))
		a.cursor = append(a.cursor, 0)
		for _, x := range f.forms {
			a.items = append(a.items, item{i, x})
		}
	}
	return a.match(0)
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

// match finds places for the items from i on.
func (a *aligner) match(i int) bool {
	if a.tried++; a.tried > patience {
		return false
	}
	if i == len(a.items) {
		return a.explained()
	}
	it := a.items[i]
	a.bound[self] = dclone.TxID(a.txs[it.at].T)
	x, open, err := it.resolve(a.bound)
	switch {
	case err != nil:
		return false
	case open:
		return a.search(i, it, x)
	}
	for _, j := range a.index[it.at][key(x)] {
		if !a.used[it.at][j] {
			return a.use(i, it.at, j)
		}
	}
	if x.a == a.instant && x.e.IsTx() {
		return false // every transaction has its own
	}
	a.missing = append(a.missing, item{it.at, x})
	if a.match(i + 1) {
		return true
	}
	a.missing = a.missing[:len(a.missing)-1]
	return false
}

// use takes place j for item i.
func (a *aligner) use(i, at, j int) bool {
	before := a.cursor[at]
	a.used[at][j], a.cursor[at] = true, j+1
	if a.match(i + 1) {
		return true
	}
	a.used[at][j], a.cursor[at] = false, before
	return false
}

// search tries the places of a transaction for an item with tempids, first those behind the place found last.
func (a *aligner) search(i int, it item, x form) bool {
	tx := a.txs[it.at]
	n := len(tx.Datoms)
	from := a.cursor[it.at]
	for k := range n {
		j := (from + k) % n
		d := tx.Datoms[j]
		if a.used[it.at][j] || d.Added != x.added {
			continue
		}
		undo, ok := a.unify(x, d)
		if ok && a.use(i, it.at, j) {
			return true
		}
		for _, e := range undo {
			delete(a.owners, a.bound[e])
			delete(a.bound, e)
		}
		a.bound[self] = dclone.TxID(tx.T)
		if a.tried > patience {
			return false
		}
	}
	return false
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

// explained reports whether what no form became was added by Datomic itself.
func (a *aligner) explained() bool {
	for i, f := range a.frames {
		for j, d := range a.txs[i].Datoms {
			if !a.used[i][j] && !a.derived(f, a.txs[i].T, d) {
				return false
			}
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
