package verify

import (
	"context"
	"fmt"
	"maps"

	"dclone"
	"dclone/datomic/local"
)

// A cloneReader takes in the clone's log.
type cloneReader struct {
	*side
	p         *pass
	t         dclone.T // of the transaction at hand
	firstCopy bool     // it is the first copy's
	instants  int      // it has
	before    dclone.Instant
	minted    map[dclone.EntityID]bool // by the transaction before, to have an id
}

// readClone reads the clone up to its position.
func (p *pass) readClone(ctx context.Context) error {
	c := &cloneReader{side: p.clone, p: p}
	at := dclone.T(0)
	for tx, err := range p.run.clone.Txs(ctx, 0) {
		if err != nil {
			return dclone.InDest(err)
		}
		if tx.T > p.run.cloneT {
			break
		}
		if err := c.tx(tx); err != nil {
			return err
		}
		p.run.meter.add(int64(tx.T - at))
		at = tx.T
	}
	return nil
}

func (c *cloneReader) tx(tx *dclone.Tx) error {
	if err := c.schema.Apply(tx.Datoms); err != nil {
		return dclone.InDest(err)
	}
	c.t, c.firstCopy, c.instants = tx.T, c.p.run.isFirstCopy(tx.T), 0
	if tx.T <= c.born && !c.p.run.born.alike || c.p.run.born.upgrades[tx.T] {
		c.before = max(c.before, tx.Instant)
		return nil
	}
	for i := range tx.Datoms {
		if err := c.datom(&tx.Datoms[i]); err != nil {
			return err
		}
	}
	c.before = max(c.before, tx.Instant)
	if c.p.run.live {
		c.live(tx)
	}
	if c.p.first && c.firstCopy && c.instants != 1 {
		c.p.run.found.add(finding{Difference: Difference{Kind: KindInstant, CloneT: c.t,
			Text: fmt.Sprintf("clone t %d has %d instants", c.t, c.instants)}})
	}
	return nil
}

func (c *cloneReader) datom(d *dclone.Datom) error {
	col, err := c.column(d.A, c.found)
	if err != nil || col.skipped {
		return err
	}
	f := c.flagsOf(d, c.p.run.pos.Loaded)
	if c.firstCopy {
		c.checkRetraction(d)
	}
	instant := d.A == c.p.run.born.clone.txInstant && d.E.IsTx()
	if instant && d.E == d.Tx && d.Added {
		c.instants++
		if c.instant(d) == c.before {
			f |= forced
		}
	}
	if instant && (c.p.countsOnly() || !c.p.run.known(d.E)) {
		c.batch(d)
		return nil
	}
	if d.A == dclone.AttrIdent && d.Added {
		c.idents[string(d.V)] = named{clone: d.E, mapped: true, t: c.t}
	}
	c.key = appendKey(c.key[:0], d.E, d.V)
	return c.take(col, d.E, c.t, f)
}

func (c *cloneReader) found(col *column) error {
	b := c.p.run.born
	col.skipped = col.a == b.clone.alter
	col.clone, col.mapped = col.a, true
	col.wanted = c.p.wanted != nil && c.p.wanted(attrKey{col.a, true})
	return nil
}

func (c *cloneReader) instant(d *dclone.Datom) dclone.Instant {
	i, _ := local.Instant(d.V)
	return i
}

// checkRetraction makes sure that a first copy retracts nothing: it has what holds, and only of
// idents what held before.
func (c *cloneReader) checkRetraction(d *dclone.Datom) {
	if !c.p.first || d.Added || d.A == dclone.AttrIdent || c.p.run.live && c.derived(d) {
		return
	}
	c.p.run.found.add(finding{Difference: Difference{Kind: KindFirstCopy, CloneT: c.t},
		a: d.A, e: d.E, clone: d.V, named: true})
}

// live takes in a transaction of a live clone, which may have been made to help another.
func (c *cloneReader) live(tx *dclone.Tx) {
	if !c.firstCopy {
		maps.Copy(c.p.indexed, c.p.run.born.indexed(tx.Datoms))
		return
	}
	c.minted = c.p.run.born.minted(tx.Datoms, true)
	if !c.p.first || c.p.countsOnly() || !c.p.run.known(dclone.TxID(tx.T)) {
		return
	}
	// Those before, which stand for none, were for this one.
	for i, b := range c.p.batches {
		if i != tx.Instant {
			c.p.run.found.add(finding{Difference: Difference{Kind: KindInstant, CloneT: b.t, Text: fmt.Sprintf(
				"clone t %d, of the first copy, has the instant %s; clone t %d, which it was for, has %s", b.t, i, tx.T, tx.Instant)}})
		}
	}
	clear(c.p.batches)
}

// derived reports whether a retraction may be in a live clone's first copy.
func (c *cloneReader) derived(d *dclone.Datom) bool {
	at := c.schema.Attribute(d.A)
	return d.A == c.p.run.born.clone.doc && c.minted[d.E] && string(d.V) == mintDoc || at != nil && at.TupleAttrs != nil
}

// maxBatchInstants is how many instants of the first copy's own transactions are told apart.
const maxBatchInstants = 1000

// batch notes the instant of a transaction that the first copy made for itself.
func (c *cloneReader) batch(d *dclone.Datom) {
	if !c.p.first || !c.firstCopy || d.E != d.Tx || !d.Added {
		return
	}
	i := c.instant(d)
	b, ok := c.p.batches[i]
	if !ok && len(c.p.batches) >= maxBatchInstants {
		return
	}
	if !ok {
		b.t, b.forced = c.t, i == c.before
	}
	b.n++
	c.p.batches[i] = b
}

// checkBatches makes sure that the first copy's own transactions have the newest instant of the
// source, as later transactions need.
func (p *pass) checkBatches() {
	for i, b := range p.batches {
		if i == p.newest || i > p.newest && b.forced {
			continue
		}
		p.run.found.add(finding{Difference: Difference{Kind: KindInstant, CloneT: b.t, Text: fmt.Sprintf(
			"clone t %d, a transaction of the first copy, has the instant %s; the source's newest was %s then (%d such transactions)",
			b.t, i, p.newest, b.n)}})
	}
}
