package pro

import (
	"context"
	"fmt"
	"iter"

	"dclone"
	"dclone/datomic/segment"
)

// Txs yields the transactions from t on, without what is about to be excised.
func (c *Conn) Txs(ctx context.Context, from dclone.T) iter.Seq2[*dclone.Tx, error] {
	return func(yield func(*dclone.Tx, error) bool) {
		r := c.roots()
		xs, err := c.pending(ctx, r)
		if err != nil {
			yield(nil, err)
			return
		}
		for tx, err := range c.between(ctx, r, from, r.basis) {
			if err == nil && len(xs) > 0 {
				left := *tx
				left.Datoms = xs.from(tx.Datoms)
				tx = &left
			}
			if !yield(tx, err) {
				return
			}
		}
	}
}

// between yields the transactions from one t to another, taking up new roots where segments of the
// old ones vanish.
func (c *Conn) between(ctx context.Context, r *roots, from, to dclone.T) iter.Seq2[*dclone.Tx, error] {
	return func(yield func(*dclone.Tx, error) bool) {
		for renewals := 0; ; renewals++ {
			var failed error
			for tx, err := range c.txs(ctx, r, from, to) {
				if failed = err; err != nil {
					break
				}
				from, renewals = tx.T+1, 0
				if !yield(tx, nil) {
					return
				}
			}
			if failed == nil && from <= to && to == r.basis {
				failed = c.endsEarly(from, to)
			}
			if failed == nil {
				return
			}
			if renewals < maxRenewals {
				r, failed = c.renew(ctx, r, failed)
			}
			if failed != nil {
				yield(nil, failed)
				return
			}
		}
	}
}

// txs yields the transactions from one t to another that some roots lead to.
func (c *Conn) txs(ctx context.Context, r *roots, from, to dclone.T) iter.Seq2[*dclone.Tx, error] {
	return func(yield func(*dclone.Tx, error) bool) {
		for i := range c.born {
			if tx := c.born[i]; tx.T >= from && tx.T <= to && !yield(&tx, nil) {
				return
			}
		}
		l := logReader{r, c.nodes}
		last := max(from-1, c.Born())
		for batch, err := range ahead(ctx, l.parts(ctx, last+1, to), l.parse) {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range batch.txs {
				tx := &batch.txs[i]
				if tx.T <= last {
					continue // before from, or in the tree and in the tail
				}
				if tx.T > to {
					return
				}
				last = tx.T
				if !yield(tx, nil) {
					return
				}
			}
			batch.free()
		}
	}
}

// endsEarly is the error of a log that has nothing from a t on.
func (c *Conn) endsEarly(from, basis dclone.T) error {
	err := fmt.Errorf("nothing from t %d on, where t %d is the basis", from, basis)
	return fmt.Errorf("read log of %s: %w", c.db, &segment.DamageError{Kind: "log", Err: err})
}
