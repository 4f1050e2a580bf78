package pro

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dclone"
	"dclone/datomic/segment"
	"dclone/source"
)

// bootstrap rebuilds the transactions a database was born with.
func (c *Conn) bootstrap(ctx context.Context, r *roots) ([]dclone.Tx, error) {
	byT := map[dclone.T][]dclone.Datom{}
	for _, t := range c.trees(r, segment.EAVT) {
		for _, s := range []stretch{{0, source.UserT}, {dclone.TxID(0), dclone.TxID(source.UserT)}} {
			for all, err := range t.scan(ctx, s) {
				if err != nil {
					return nil, err
				}
				for _, d := range all {
					if t := d.Tx.T(); t < source.UserT {
						d.V = slices.Clone(d.V)
						byT[t] = append(byT[t], d)
					}
				}
			}
		}
	}
	txs := source.Rebuild(byT)
	if txs == nil {
		return nil, c.nodes.damage(r.Index, errors.New("the indexes have no bootstrap"))
	}
	if txs[0].Datoms[min(1, len(txs[0].Datoms)-1)].A != dclone.AttrIdent {
		return nil, c.nodes.damage(r.Index, fmt.Errorf("the bootstrap begins without idents"))
	}
	return txs, nil
}
