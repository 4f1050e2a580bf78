package verify

import (
	"fmt"
	"slices"

	"dclone"
)

// A became compares the source's transactions after the first copy with what they became in a clone
// that a running Datomic writes: one transaction, or several. The map has the last one. Where it is
// an ordinary entity that stands for a transaction of the source, that one's last is not known, and
// it is compared together with the next.
type became struct {
	*replay
	open []*wanted // what is not yet compared
}

// A wanted is what the clone should have of a transaction of the source.
type wanted struct {
	t       dclone.T // the source's
	instant dclone.Instant
	datoms  []wantedDatom // without the instant
}

// A wantedDatom is a datom that the clone should have in a transaction.
type wantedDatom struct {
	dclone.Datom
	one     bool // its attribute has one value at a time
	mayLack bool
}

// compare compares one transaction of the source, and those before it that are open.
func (b *became) compare(src *dclone.Tx) error {
	if b.p.replayed == 1 {
		if err := b.begin(); err != nil {
			return err
		}
	}
	if err := b.passUpgrades(); err != nil {
		return err
	}
	b.newest = max(b.newest, src.Instant)
	w, err := b.want(src)
	if err != nil {
		return err
	}
	b.open = append(b.open, w)
	t, is, err := b.stands(src.T)
	if err != nil || !is {
		return err
	}
	txs, err := b.take(t)
	if err != nil {
		return err
	}
	if n := len(txs); n == 0 || txs[n-1].T != t {
		for _, tx := range txs {
			b.unknown(tx.T)
		}
		b.add(src.T, t, "source t %d has no transaction in the clone, where it should be t %d", src.T, t)
		b.open = nil
		return nil
	}
	b.close(txs)
	return nil
}

// end compares what is open, and finds what the clone has beyond.
func (b *became) end() error {
	if b.p.replayed == 0 {
		if err := b.begin(); err != nil {
			return err
		}
	}
	txs, err := b.take(b.p.run.cloneT)
	if err == nil && len(b.open) > 0 {
		b.close(txs)
		return nil
	}
	for _, tx := range txs {
		b.unknown(tx.T)
	}
	return err
}

// passUpgrades passes over upgrades of the base schema, whose instants are of their own time.
func (b *became) passUpgrades() error {
	for b.cur != nil && b.p.run.born.upgrades[b.cur.T] {
		b.newest = max(b.newest, b.cur.Instant)
		if err := b.step(); err != nil {
			return err
		}
	}
	return nil
}

// take takes the clone's transactions up to t.
func (b *became) take(t dclone.T) (txs []*dclone.Tx, err error) {
	for b.cur != nil && b.cur.T <= t {
		tx := &dclone.Tx{T: b.cur.T, Instant: b.cur.Instant, Datoms: slices.Clone(b.cur.Datoms)}
		for i := range tx.Datoms {
			tx.Datoms[i].V = slices.Clone(tx.Datoms[i].V)
		}
		txs = append(txs, tx)
		if err := b.step(); err != nil {
			return nil, err
		}
		if err := b.passUpgrades(); err != nil {
			return nil, err
		}
	}
	return txs, nil
}

// want makes what the clone should have of a transaction, each datom once.
func (b *became) want(src *dclone.Tx) (*wanted, error) {
	w := &wanted{t: src.T, instant: b.newest}
	b.arena = nil // what is open is kept
	has := map[datomKey]bool{}
	for i := range src.Datoms {
		d := &src.Datoms[i]
		if d.A == b.p.run.born.src.txInstant && d.E == d.Tx {
			continue
		}
		c, err := b.s.column(d.A, b.s.found)
		if err != nil {
			return nil, err
		}
		x, ok, err := b.carried(c, d, 0)
		if err != nil {
			return nil, err
		}
		if k := keyOf(x); ok && !c.skipped && !has[k] {
			has[k] = true
			at := b.s.schema.Attribute(d.A)
			w.datoms = append(w.datoms, wantedDatom{x, at != nil && !at.Many, b.s.mayLack(c, d)})
		}
	}
	return w, nil
}

// close compares what is open with the transactions it became.
func (b *became) close(txs []*dclone.Tx) {
	open := b.open
	b.open = nil
	b.instants(open, txs)
	from := dclone.T(0)
	if len(txs) > 0 {
		from = txs[0].T
	}
	txs = b.withoutHelpers(open, txs)
	b.idle(open, txs)
	if len(txs) == len(open) {
		for i := range open {
			b.match(open[i:i+1], txs[i:i+1], from)
		}
		return
	}
	if len(txs) < len(open) {
		w := open[len(open)-1]
		b.add(w.t, 0, "of the source's transactions t %d to %d the clone lacks %d", open[0].t, w.t, len(open)-len(txs))
	}
	b.match(open, txs, from)
}

// instants makes sure that each transaction has one instant, that of one it is of.
func (b *became) instants(open []*wanted, txs []*dclone.Tx) {
	at := 0
	for _, tx := range txs {
		n := 0
		for _, d := range tx.Datoms {
			if d.A == b.p.run.born.clone.txInstant && d.E == d.Tx && d.Added {
				n++
			}
		}
		if n != 1 {
			b.p.run.found.add(finding{Difference: Difference{Kind: KindInstant, SourceT: open[at].t, CloneT: tx.T,
				Text: fmt.Sprintf("clone t %d has %d instants", tx.T, n)}})
		}
		next := slices.IndexFunc(open[at:], func(w *wanted) bool { return w.instant == tx.Instant })
		if next < 0 {
			b.p.run.found.add(finding{Difference: Difference{Kind: KindInstant, SourceT: open[at].t, CloneT: tx.T, Text: fmt.Sprintf(
				"source t %d, clone t %d: the instant should be %s and is %s", open[at].t, tx.T, open[at].instant, tx.Instant)}})
			continue
		}
		at += next
	}
}

// idle finds transactions that say nothing, but for those that stand for one of the source.
func (b *became) idle(open []*wanted, txs []*dclone.Tx) {
	left := len(open) - 1
	for _, tx := range txs[:max(0, len(txs)-1)] {
		if len(tx.Datoms) > 1 {
			continue
		}
		if left--; left < 0 {
			b.unknown(tx.T)
		}
	}
}
