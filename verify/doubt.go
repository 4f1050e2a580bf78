package verify

import (
	"context"
	"slices"

	"dclone"
	"dclone/datomic/local"
)

// A doubt is a datom that a transaction of a live clone lacks. That is right where it would have changed
// nothing, because Datomic leaves such out, and where it was not carried.
type doubt struct {
	src  dclone.T
	from dclone.T // the clone's, before which it may have changed nothing
	wantedDatom
}

// match compares what the clone should have with what the transactions say. Their order may be another.
func (b *became) match(open []*wanted, txs []*dclone.Tx, from dclone.T) {
	has := map[datomKey]int{}
	for _, tx := range txs {
		for _, d := range tx.Datoms {
			has[keyOf(d)]++
		}
	}
	wants, replaced := map[datomKey]bool{}, map[place]bool{}
	for _, w := range open {
		for _, d := range w.datoms {
			k := keyOf(d.Datom)
			wants[k] = true
			replaced[place{d.E, d.A}] = replaced[place{d.E, d.A}] || d.one && d.Added
			if has[k] == 0 {
				d.Tx = dclone.TxID(b.last(txs))
				b.p.doubt(doubt{w.t, from, d})
			}
		}
	}
	born := b.p.run.born
	for _, tx := range txs {
		for _, d := range tx.Datoms {
			switch {
			case wants[keyOf(d)] && has[keyOf(d)] == 1:
			case d.A == born.clone.txInstant && d.E == d.Tx && d.Added: // it is compared by itself
			case d.A == born.clone.alter:
			case !d.Added && replaced[place{d.E, d.A}]: // Datomic says what is implied
			default:
				b.p.run.found.add(transactionFinding(open[len(open)-1].t, d, false))
			}
		}
	}
}

func (b *became) last(txs []*dclone.Tx) dclone.T {
	if len(txs) == 0 {
		return 0
	}
	return txs[len(txs)-1].T
}

// A place is where a value is.
type place struct{ e, a dclone.EntityID }

// doubt keeps x to be looked into, where there are not too many.
func (p *pass) doubt(x doubt) {
	if len(p.doubts) >= maxDropped {
		p.run.found.add(transactionFinding(x.src, x.Datom, true))
		return
	}
	p.doubts = append(p.doubts, x)
}

// settleDoubts reads the clone again, to learn what held when datoms were left out.
func (r *run) settleDoubts(ctx context.Context, p *pass) error {
	if len(p.doubts) == 0 {
		return nil
	}
	held := map[place][]dclone.Value{}
	for _, x := range p.doubts {
		held[place{x.E, x.A}] = nil
	}
	left := p.doubts
	for tx, err := range r.clone.Txs(ctx, 0) {
		if err != nil {
			return dclone.InDest(err)
		}
		for len(left) > 0 && left[0].from <= tx.T {
			r.settleDoubt(p, left[0], held)
			left = left[1:]
		}
		if len(left) == 0 {
			return nil
		}
		hold(held, tx)
	}
	for _, x := range left {
		r.settleDoubt(p, x, held)
	}
	return nil
}

func (r *run) settleDoubt(p *pass, x doubt, held map[place][]dclone.Value) {
	holds := slices.ContainsFunc(held[place{x.E, x.A}], func(v dclone.Value) bool { return local.CompareValues(v, x.V) == 0 })
	if holds != x.Added && !(x.mayLack && p.isNoted(x.A, x.E, true)) {
		r.found.add(transactionFinding(x.src, x.Datom, true))
	}
}

// hold brings what holds up to date with a transaction. A retraction ends nothing of its own transaction.
func hold(held map[place][]dclone.Value, tx *dclone.Tx) {
	for _, d := range tx.Datoms {
		at := place{d.E, d.A}
		if vs, ok := held[at]; ok && !d.Added {
			held[at] = slices.DeleteFunc(vs, func(v dclone.Value) bool { return local.CompareValues(v, d.V) == 0 })
		}
	}
	for _, d := range tx.Datoms {
		if vs, ok := held[place{d.E, d.A}]; ok && d.Added {
			held[place{d.E, d.A}] = append(vs, slices.Clone(d.V))
		}
	}
}
