package source

import (
	"bytes"
	"cmp"
	"slices"

	"dclone"
	"dclone/datomic/local"
)

// UserT is where the ts of Datomic Pro's transactions begin. What is before it is of the bootstrap, and so are
// entities with a lesser eidx.
const UserT = 1000

// Rebuild makes transactions of the datoms of a bootstrap that no log has, by t. The datoms are put in order.
func Rebuild(datoms map[dclone.T][]dclone.Datom) []dclone.Tx {
	var txs []dclone.Tx
	for t, all := range datoms {
		slices.SortFunc(all, WithinTx)
		all = slices.CompactFunc(all, func(x, y dclone.Datom) bool { return WithinTx(x, y) == 0 })
		tx := dclone.Tx{T: t, Datoms: all}
		for _, d := range all {
			if isInstant(d) && d.Added {
				tx.Instant, _ = local.Instant(d.V)
			}
		}
		txs = append(txs, tx)
	}
	slices.SortFunc(txs, func(x, y dclone.Tx) int { return cmp.Compare(x.T, y.T) })
	return txs
}

// SortSchema puts schema datoms, read from an index, in the order that a log could have them.
func SortSchema(datoms []dclone.Datom) {
	slices.SortFunc(datoms, func(x, y dclone.Datom) int { return cmp.Or(cmp.Compare(x.Tx, y.Tx), WithinTx(x, y)) })
}

// WithinTx is the order of datoms within a transaction that has to be rebuilt: its instant, then idents, which
// schemas know attributes by, then by entity and attribute; retractions come before assertions.
func WithinTx(x, y dclone.Datom) int {
	return cmp.Or(
		Before(isInstant(x), isInstant(y)), Before(x.A == dclone.AttrIdent, y.A == dclone.AttrIdent),
		cmp.Compare(x.E, y.E), cmp.Compare(x.A, y.A), Before(!x.Added, !y.Added),
		local.CompareValues(x.V, y.V), bytes.Compare(x.V, y.V))
}

func isInstant(d dclone.Datom) bool { return d.A == local.AttrTxInstant && d.E == d.Tx }

// Before orders true before false.
func Before(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return -1
	}
	return 1
}
