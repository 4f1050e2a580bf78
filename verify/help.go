package verify

import (
	"maps"

	"dclone"
	"dclone/fressian"
)

var valueTrue = func() string {
	b, _ := fressian.Append(nil, true)
	return string(b)
}()

// withoutHelpers leaves out transactions that were made to help others: by which entities that the map has got their
// ids, or attributes that become unique got an index.
func (b *became) withoutHelpers(open []*wanted, txs []*dclone.Tx) (rest []*dclone.Tx) {
	r := b.p.run
	for len(txs) > 1 {
		all := r.born.minted(txs[0].Datoms, true)
		for e := range all {
			if !r.mapped.clone.Has(e) {
				all = nil
				break
			}
		}
		switch {
		case len(all) > 0 && maps.Equal(all, r.born.minted(txs[1].Datoms, false)):
			txs = txs[2:]
		case b.helpsUnique(open, txs[0]):
			txs = txs[1:]
		default:
			rest, txs = append(rest, txs[0]), txs[1:]
		}
	}
	return append(rest, txs...)
}

// helpsUnique reports whether a transaction only indexes attributes that what is open makes unique. It says nothing where
// they were indexed.
func (b *became) helpsUnique(open []*wanted, tx *dclone.Tx) bool {
	born, unique := b.p.run.born, map[dclone.EntityID]bool{}
	for _, w := range open {
		for _, d := range w.datoms {
			if d.A == born.clone.unique && d.Added {
				unique[d.E] = true
			}
		}
	}
	attrs := born.indexed(tx.Datoms)
	for e := range attrs {
		if !unique[e] {
			return false
		}
	}
	return attrs != nil && len(unique) > 0
}

// indexed returns the attributes that a transaction gives :db/index, nil where it does anything else.
func (b *births) indexed(datoms []dclone.Datom) map[dclone.EntityID]bool {
	all := map[dclone.EntityID]bool{}
	for _, d := range datoms {
		switch {
		case d.A == b.clone.txInstant && d.E == d.Tx && d.Added, d.A == b.clone.alter:
		case d.A == b.clone.index && d.Added && string(d.V) == valueTrue && !all[d.E]:
			all[d.E] = true
		default:
			return nil
		}
	}
	return all
}
