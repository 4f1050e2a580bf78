package live

import "dclone"

// choose finds the frame that a transaction was, and goes on with the next transaction.
func (a *aligner) choose(at int) bool {
	if at == len(a.txs) {
		return true
	}
	a.bound[self] = dclone.TxID(a.txs[at].T)
	open := a.open()
	if len(open) > 0 && !a.frames[open[0]].free() {
		return a.try(at, open[0])
	}
	for _, fits := range []func(at, k int) bool{a.inPlace, a.shuffled} {
		for _, k := range open {
			if fits(at, k) {
				return true
			}
		}
	}
	return false
}

// open returns the frames that may come next: those that are free, up to one that is not; or that one, where all before
// it are there.
func (a *aligner) open() (open []int) {
	for k, f := range a.frames {
		switch {
		case a.there[k]:
		case f.free():
			open = append(open, k)
		case len(open) == 0:
			return []int{k}
		default:
			return open
		}
	}
	return open
}

func (a *aligner) try(at, k int) bool {
	a.there[k], a.became[at] = true, k
	if a.match(at, 0) {
		return true
	}
	a.there[k] = false
	return false
}

// inPlace tries a frame whose forms became the datoms of a transaction in their order.
func (a *aligner) inPlace(at, k int) bool {
	f, tx := a.frames[k], &a.txs[at]
	if len(f.forms) != len(tx.Datoms) || a.tried > patience {
		return false
	}
	a.there[k], a.became[at] = true, k
	var bound []dclone.EntityID
	fits := true
	for i := 0; i < len(f.forms) && fits; i++ {
		var some []dclone.EntityID
		x, _, err := f.forms[i].resolve(a.bound)
		some, fits = a.unify(x, tx.Datoms[i])
		bound = append(bound, some...)
		fits = fits && err == nil && x.added == tx.Datoms[i].Added
		a.tried++
	}
	if fits && a.choose(at+1) {
		return true
	}
	a.undo(bound)
	a.bound[self] = dclone.TxID(tx.T)
	a.there[k] = false
	return false
}

// shuffled tries a frame whose forms became the datoms of a transaction in another order. Most are told by what they say:
// a search could go through all orders.
func (a *aligner) shuffled(at, k int) bool {
	f, tx := a.frames[k], &a.txs[at]
	if len(f.forms) != len(tx.Datoms) || a.tried > patience {
		return false
	}
	a.tried += len(f.forms)
	have := map[string]int{}
	for _, d := range tx.Datoms {
		have[key(form{added: d.Added, a: d.A, v: d.V})]++
	}
	for _, x := range f.forms {
		if x.tempids != dclone.NoRefs {
			continue
		}
		k := key(form{added: x.added, a: a.bound.of(x.a), v: x.v})
		if have[k]--; have[k] < 0 {
			return false
		}
	}
	return a.try(at, k)
}
