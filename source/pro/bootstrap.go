package pro

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"dclone"
	"dclone/datomic/segment"
	"dclone/fressian"
)

// userT is where the ts of transactions begin. Whatever is before it is of the bootstrap, and so
// are entities with a lesser eidx.
const userT = 1000

// attrTxInstant is :db/txInstant, in every database.
const attrTxInstant dclone.EntityID = 50

// bootstrap rebuilds the transactions a database was born with.
func (c *Conn) bootstrap(ctx context.Context, r *roots) ([]dclone.Tx, error) {
	byT := map[dclone.T][]dclone.Datom{}
	for _, t := range c.trees(r, segment.EAVT) {
		for _, s := range []stretch{{0, userT}, {dclone.TxID(0), dclone.TxID(userT)}} {
			for all, err := range t.scan(ctx, s) {
				if err != nil {
					return nil, err
				}
				for _, d := range all {
					if t := d.Tx.T(); t < userT {
						d.V = slices.Clone(d.V)
						byT[t] = append(byT[t], d)
					}
				}
			}
		}
	}
	var txs []dclone.Tx
	for t, all := range byT {
		slices.SortFunc(all, bornOrder)
		all = slices.CompactFunc(all, func(x, y dclone.Datom) bool { return bornOrder(x, y) == 0 })
		txs = append(txs, dclone.Tx{T: t, Instant: instantOf(all), Datoms: all})
	}
	if txs == nil {
		return nil, c.nodes.damage(r.Index, errors.New("the indexes have no bootstrap"))
	}
	slices.SortFunc(txs, func(x, y dclone.Tx) int { return cmp.Compare(x.T, y.T) })
	if txs[0].Datoms[min(1, len(txs[0].Datoms)-1)].A != dclone.AttrIdent {
		return nil, c.nodes.damage(r.Index, fmt.Errorf("the bootstrap begins without idents"))
	}
	return txs, nil
}

// bornOrder is the order of datoms within a transaction that has to be rebuilt: as the package
// comment has it.
func bornOrder(x, y dclone.Datom) int {
	return cmp.Or(
		before(x.A == attrTxInstant && x.E == x.Tx, y.A == attrTxInstant && y.E == y.Tx),
		before(x.A == dclone.AttrIdent, y.A == dclone.AttrIdent),
		cmp.Compare(x.E, y.E), cmp.Compare(x.A, y.A), before(!x.Added, !y.Added), compare(x.V, y.V))
}

// before orders true before false.
func before(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return -1
	}
	return 1
}

// instantOf returns the instant of a transaction, of all its datoms.
func instantOf(all []dclone.Datom) dclone.Instant {
	for _, d := range all {
		if d.A == attrTxInstant && d.E == d.Tx && d.Added {
			if v, _, err := fressian.Decode(d.V); err == nil {
				instant, _ := v.(dclone.Instant)
				return instant
			}
		}
	}
	return 0
}
