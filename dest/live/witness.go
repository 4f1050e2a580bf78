package live

import (
	"hash/maphash"
	"iter"

	"dclone"
	"dclone/datomic/live"
	"dclone/dest"
)

// A Witness is a clone that has all transactions already: what is appended must be what its log has next. For a translator
// it holds what it held then.
type Witness struct {
	*Clone
	at   dclone.Mark // has come to
	left int         // transactions beyond
	next func() (*dclone.Tx, error, bool)
	stop func()

	unique map[dclone.EntityID]bool // attributes that are, or were once
	seed   maphash.Seed
	moves  map[uint64][]move // by attribute and value, in the order of the log
}

// A move is a transaction that gives or takes away a unique value.
type move struct {
	t     dclone.T
	taken bool // from somebody who held it before
}

// Witness returns one that has come to a mark, which the clone has. It is to be closed.
func (c *Clone) Witness(at dclone.Mark) (*Witness, error) {
	w := &Witness{Clone: c, at: at, unique: map[dclone.EntityID]bool{}, seed: maphash.MakeSeed(), moves: map[uint64][]move{}}
	marks := live.Range{Attr: c.Ident(dclone.Kw("db", "unique")), At: c.mark.T, History: true}
	for datoms, err := range c.conn.DB.Datoms(c.ctx, marks) {
		if err != nil {
			return nil, err
		}
		for _, d := range datoms {
			w.unique[d.E] = true
		}
	}
	for tx, err := range c.conn.DB.TxRange(c.ctx, at.T+1, c.mark.T+1, 0) {
		if err != nil {
			return nil, err
		}
		w.left++
		w.read(tx)
	}
	w.next, w.stop = iter.Pull2(c.conn.DB.TxRange(c.ctx, at.T+1, c.mark.T+1, 0))
	return w, nil
}

// Close ends the reading of the log.
func (w *Witness) Close() { w.stop() }

// Left returns how many transactions the log has beyond what was appended.
func (w *Witness) Left() int { return w.left }

func (w *Witness) read(tx *dclone.Tx) {
	for _, d := range tx.Datoms {
		if !w.unique[d.A] {
			continue
		}
		k := w.of(d.A, d.V)
		all := w.moves[k]
		if n := len(all); n == 0 || all[n-1].t != tx.T {
			all = append(all, move{t: tx.T})
		}
		all[len(all)-1].taken = all[len(all)-1].taken || !d.Added
		w.moves[k] = all
	}
}

func (w *Witness) of(a dclone.EntityID, v dclone.Value) uint64 {
	var h maphash.Hash
	h.SetSeed(w.seed)
	maphash.WriteComparable(&h, a)
	h.Write(v)
	return h.Sum64()
}

// Held reports which of some values were held then: that the next transaction to move one tells, or where there is none
// the clone as it is.
func (w *Witness) Held(a dclone.EntityID, values []dclone.Value) ([]bool, error) {
	held, err := w.Clone.Held(a, values)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		for _, m := range w.moves[w.of(a, v)] {
			if m.t > w.at.T {
				held[i] = m.taken
				break
			}
		}
	}
	return held, nil
}

// Append compares a group with the transactions that the log has next. Where it ends within the group, the rest is sent.
func (w *Witness) Append(frames []byte, lengths []int) error {
	group, err := split(frames, lengths)
	if err != nil {
		return err
	}
	var txs []dclone.Tx
	for range min(len(group), w.left) {
		tx, err, ok := w.next()
		if !ok {
			return &dest.DriftError{T: w.at.T + 1, Cause: "the log ended"}
		}
		if err != nil {
			return err
		}
		txs = append(txs, keep(tx))
	}
	w.bound = binding{}
	rest, err := w.match(group, txs)
	if err != nil {
		return err
	}
	if w.left -= len(txs); len(txs) < len(group) {
		if err = w.send(rest); err == nil {
			w.at, err = w.Clone.Mark()
		}
		return err
	}
	last := &txs[len(txs)-1]
	w.at = dclone.Mark{T: last.T, Instant: last.Instant, Digest: w.digest(last)}
	return nil
}

// Mark returns that of the transaction that was appended last.
func (w *Witness) Mark() (dclone.Mark, error) { return w.at, nil }
