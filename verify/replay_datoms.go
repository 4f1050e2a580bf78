package verify

import (
	"bytes"
	"context"
	"slices"

	"dclone"
)

// compareDatoms compares the clone's transaction with what it should be.
func (r *replay) compareDatoms(src dclone.T) {
	want, have := r.want, r.cur.Datoms
	if slices.EqualFunc(want, have, sameDatom) {
		return
	}
	missing, extra := subtract(want, have), subtract(have, want)
	if gone := retractions(missing); r.remember(src, gone) {
		missing, want = subtract(missing, gone), subtract(want, gone)
	}
	for _, d := range missing {
		r.p.run.found.add(transactionFinding(src, d, true))
	}
	for _, d := range extra {
		r.p.run.found.add(transactionFinding(src, d, false))
	}
	if len(missing) == 0 && len(extra) == 0 && !slices.EqualFunc(want, have, sameDatom) {
		r.add(src, r.t, "source t %d, clone t %d: the datoms are in another order", src, r.t)
	}
}

func sameDatom(a, b dclone.Datom) bool {
	return a.E == b.E && a.A == b.A && a.Added == b.Added && bytes.Equal(a.V, b.V)
}

// subtract returns the datoms of a that b has not, or not as often.
func subtract(a, b []dclone.Datom) []dclone.Datom {
	has := map[datomKey]int{}
	for _, d := range b {
		has[keyOf(d)]++
	}
	var rest []dclone.Datom
	for _, d := range a {
		if k := keyOf(d); has[k] > 0 {
			has[k]--
		} else {
			rest = append(rest, d)
		}
	}
	return rest
}

type datomKey struct {
	e, a  dclone.EntityID
	v     string
	added bool
}

func keyOf(d dclone.Datom) datomKey { return datomKey{d.E, d.A, string(d.V), d.Added} }

// transactionFinding returns the finding that one side's transaction has d, and the other's not.
func transactionFinding(src dclone.T, d dclone.Datom, missing bool) finding {
	f := finding{Difference: Difference{Kind: KindTransaction, SourceT: src, CloneT: d.Tx.T()},
		a: d.A, e: d.E, retraction: !d.Added, named: true}
	if missing {
		f.src = d.V
	} else {
		f.clone = d.V
	}
	return f
}

func retractions(datoms []dclone.Datom) []dclone.Datom {
	return slices.DeleteFunc(slices.Clone(datoms), func(d dclone.Datom) bool { return d.Added })
}

// A droppedDatom is a retraction that the clone has not. That is right if the clone never had
// what it retracts.
type droppedDatom struct {
	src dclone.T
	dclone.Datom
}

// maxDropped is how many retractions are remembered, to be looked into.
const maxDropped = 10_000

// remember keeps retractions that the clone has not for settleDropped, where they are not too
// many.
func (r *replay) remember(src dclone.T, gone []dclone.Datom) bool {
	if len(r.p.dropped)+len(gone) > maxDropped {
		return false
	}
	for _, d := range gone {
		d.V = slices.Clone(d.V)
		r.p.dropped = append(r.p.dropped, droppedDatom{src, d})
	}
	return true
}

// settleDropped reads the clone again where it lacks retractions, to learn whether it had what
// they retract.
func (r *run) settleDropped(ctx context.Context, p *pass) error {
	if len(p.dropped) == 0 {
		return nil
	}
	entities := map[dclone.EntityID]bool{}
	wanted := map[datomKey][]droppedDatom{} // by the assertion; in order of t
	for _, d := range p.dropped {
		k := keyOf(d.Datom)
		k.added = true
		wanted[k] = append(wanted[k], d)
		entities[d.E] = true
	}
	for tx, err := range r.clone.Txs(ctx, 0) {
		if err != nil {
			return dclone.InDest(err)
		}
		for _, d := range tx.Datoms {
			if !entities[d.E] || !d.Added {
				continue
			}
			k := keyOf(d)
			for _, gone := range wanted[k] {
				if gone.Tx.T() > tx.T {
					r.found.add(transactionFinding(gone.src, gone.Datom, true))
				}
			}
			delete(wanted, k)
		}
	}
	return nil
}
