package pro

import (
	"context"
	"slices"

	"dclone"
	"dclone/datomic/segment"
)

// Excised reports whether the source has a transaction at or after a t that asks for an excision.
// What that took away may have been of any time.
func (c *Conn) Excised(ctx context.Context, from dclone.T) (bool, error) {
	r := c.roots()
	for renewals := 0; ; renewals++ {
		found, err := c.excised(ctx, r, from)
		if err == nil || renewals == maxRenewals {
			return found, err
		}
		if r, err = c.renew(ctx, r, err); err != nil {
			return false, err
		}
	}
}

// excised looks in the index, and in the log behind it.
func (c *Conn) excised(ctx context.Context, r *roots, from dclone.T) (bool, error) {
	excise, err := c.named(ctx, r, dclone.Kw("db", "excise"))
	if err != nil {
		return false, err
	}
	for _, a := range excise {
		if from > r.index.BasisT {
			break // none of it is in the index
		}
		for _, t := range c.trees(r, segment.AEVT) {
			for all, err := range t.scan(ctx, stretch{a, a + 1}) {
				if err != nil {
					return false, err
				}
				if slices.ContainsFunc(all, func(d dclone.Datom) bool { return d.Tx.T() >= from }) {
					return true, nil
				}
			}
		}
	}
	for tx, err := range c.txs(ctx, r, max(from, r.index.BasisT+1), r.basis) {
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(tx.Datoms, func(d dclone.Datom) bool { return slices.Contains(excise, d.A) }) {
			return true, nil
		}
	}
	return false, nil
}
