package verify

import (
	"context"
	"slices"

	"dclone"
	"dclone/fressian"
)

// Tuples and entity specs are in databases that were born, or whose base schema was upgraded, since June 2019.
var younger = []dclone.Keyword{dclone.Kw("db", "tupleAttrs"), dclone.Kw("db", "ensure")}

// addUpgrades adds what upgrades of the base schema have brought, where there may be some.
func (b *birth) addUpgrades(ctx context.Context, db Database) error {
	if !slices.ContainsFunc(younger, func(kw dclone.Keyword) bool { _, has := b.schema.Entity(kw); return !has }) {
		return nil
	}
	b.upgrades = map[dclone.T]bool{}
	for tx, err := range db.Txs(ctx, db.Born()+1) {
		if err != nil {
			return err
		}
		if !isUpgrade(tx) {
			continue
		}
		b.upgrades[tx.T] = true
		if err := b.schema.Apply(tx.Datoms); err != nil {
			return err
		}
		for _, d := range tx.Datoms {
			if d.E != d.Tx {
				d.V, d.Tx = slices.Clone(d.V), dclone.TxID(db.Born())
				b.datoms = append(b.datoms, d)
			}
		}
	}
	return nil
}

// isUpgrade reports whether a transaction adds to the base schema, and does nothing else. Nobody but Datomic gives the names that
// it reserves.
func isUpgrade(tx *dclone.Tx) (is bool) {
	for _, d := range tx.Datoms {
		if d.E.Partition() != dclone.PartDB && d.E != d.Tx {
			return false
		}
		if d.A == dclone.AttrIdent && d.Added {
			v, _, err := fressian.Decode(d.V)
			kw, ok := v.(dclone.Keyword)
			is = is || err == nil && ok && kw.IsReserved()
		}
	}
	return is
}

// drift returns the first transaction from t on that is none of dclone's, 0 where there is none. An upgrade
// of the base schema may be anybody's.
func (r *run) drift(ctx context.Context, t dclone.T) (dclone.T, error) {
	if !r.live {
		return t, nil
	}
	for tx, err := range r.clone.Txs(ctx, t) {
		if err != nil {
			return 0, dclone.InDest(err)
		}
		if !isUpgrade(tx) {
			return tx.T, nil
		}
	}
	return 0, nil
}
