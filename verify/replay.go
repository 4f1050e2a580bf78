package verify

import (
	"context"
	"fmt"
	"iter"

	"dclone"
	"dclone/datomic/local"
)

// A replayed compares the source's transactions after the first copy with the clone's.
type replayed interface {
	compare(src *dclone.Tx) error // is given one after the other
	end() error                   // is called when there are no more
	stop()
}

// newReplayed begins at the end of the first copy.
func newReplayed(ctx context.Context, p *pass, s *sourceReader) replayed {
	r := &replay{p: p, s: s, t: p.run.pos.Loaded}
	r.next, r.leave = iter.Pull2(p.run.clone.Txs(ctx, r.t))
	if p.run.live {
		return &became{replay: r}
	}
	return r
}

// A replay compares transactions one for one: t, instant, and the datoms in their order.
type replay struct {
	p *pass
	s *sourceReader

	next   func() (*dclone.Tx, error, bool)
	leave  func()
	cur    *dclone.Tx     // of the clone, not yet compared; nil at the end
	t      dclone.T       // of the clone's transaction compared last
	newest dclone.Instant // of the clone's transactions so far, as it should be

	want  []dclone.Datom // the clone's transaction as it should be
	arena []byte
}

func (r *replay) stop() { r.leave() }

// begin steps to the first transaction after the first copy.
func (r *replay) begin() error {
	if err := r.step(); err != nil || r.cur == nil || r.cur.T > r.t {
		return err
	}
	r.newest = r.cur.Instant
	return r.step()
}

// step takes the clone's next transaction.
func (r *replay) step() error {
	tx, err, ok := r.next()
	if err != nil {
		return dclone.InDest(err)
	}
	if r.cur = tx; !ok || tx.T > r.p.run.cloneT {
		r.cur = nil
	}
	return nil
}

// compare compares one transaction of the source.
func (r *replay) compare(src *dclone.Tx) error {
	if r.p.replayed == 1 {
		if err := r.begin(); err != nil {
			return err
		}
	}
	t, err := r.cloneT(src.T)
	if err != nil {
		return err
	}
	for r.cur != nil && r.cur.T < t {
		r.unknown(r.cur.T)
		if err := r.step(); err != nil {
			return err
		}
	}
	r.t = t
	r.newest = max(r.newest, src.Instant)
	if r.cur == nil || r.cur.T > t {
		r.add(src.T, t, "source t %d has no transaction in the clone, where it should be t %d", src.T, t)
		return nil
	}
	if r.cur.Instant != r.newest {
		r.p.run.found.add(finding{Difference: Difference{Kind: KindInstant, SourceT: src.T, CloneT: t, Text: fmt.Sprintf(
			"source t %d, clone t %d: the instant should be %s and is %s", src.T, t, r.newest, r.cur.Instant)}})
	}
	if err := r.translate(src, t); err != nil {
		return err
	}
	r.compareDatoms(src.T)
	return r.step()
}

// cloneT returns the t a source's transaction should have in the clone.
func (r *replay) cloneT(src dclone.T) (dclone.T, error) {
	t, is, err := r.stands(src)
	if err != nil || is {
		return t, err
	}
	if r.p.run.session.Options.KeepT {
		return src, nil
	}
	return r.t + 1, nil // something referred to it before it came: an ordinary entity has what it says of itself
}

// stands returns the clone's transaction that stands for one of the source, if there is one.
func (r *replay) stands(src dclone.T) (t dclone.T, is bool, err error) {
	e, ok, err := r.s.t.entity(dclone.TxID(src))
	switch {
	case err != nil:
		return 0, false, err
	case !ok:
		r.p.run.mapFinding(dclone.TxID(src), 0, fmt.Sprintf("source t %d has no transaction of the clone in the map", src))
	}
	return e.T(), ok && e.IsTx(), nil
}

// end finds what the clone has beyond the source's transactions.
func (r *replay) end() error {
	if r.p.replayed == 0 {
		if err := r.begin(); err != nil {
			return err
		}
	}
	for r.cur != nil {
		r.unknown(r.cur.T)
		if err := r.step(); err != nil {
			return err
		}
	}
	return nil
}

func (r *replay) unknown(t dclone.T) {
	r.add(0, t, "clone t %d is no transaction of the source", t)
}

func (r *replay) add(src, clone dclone.T, format string, args ...any) {
	r.p.run.found.add(finding{Difference: Difference{Kind: KindTransaction, SourceT: src, CloneT: clone,
		Text: fmt.Sprintf(format, args...)}})
}

// translate makes r.want: the clone's transaction as it should be. Its instant is left to be
// compared by itself. What has no clone is left out: pass finds whether it should have one.
func (r *replay) translate(src *dclone.Tx, t dclone.T) error {
	r.want, r.arena = r.want[:0], r.arena[:0]
	b := r.p.run.born
	placed := false
	for i := range src.Datoms {
		d := &src.Datoms[i]
		if d.A == b.src.txInstant && d.E == d.Tx {
			if d.Added {
				placed = true
				r.want = append(r.want, r.instant(t))
			}
			continue
		}
		c, err := r.s.column(d.A, r.s.found)
		if err != nil {
			return err
		}
		x, ok, err := r.carried(c, d, t)
		if err != nil {
			return err
		}
		if ok {
			r.want = append(r.want, x)
		}
	}
	if !placed { // where the source has no instant the clone has it first
		r.want = append([]dclone.Datom{r.instant(t)}, r.want...)
	}
	return nil
}

// carried returns d as the clone should have it in t, if it and all it refers to has a clone. Its value is in
// r.arena.
func (r *replay) carried(c *column, d *dclone.Datom, t dclone.T) (x dclone.Datom, ok bool, err error) {
	if _, refused := c.fit.Refuses(*d); refused {
		return x, false, nil
	}
	e, ok, err := r.s.t.subject(d.E)
	if err != nil || !ok || !c.mapped {
		return x, false, err
	}
	at := len(r.arena)
	r.arena, ok, err = r.s.t.value(r.arena, d.V, r.s.schema.Refs(d.A))
	return dclone.Datom{E: e, A: c.clone, V: r.arena[at:], Tx: dclone.TxID(t), Added: d.Added}, ok, err
}

// instant returns the datom of the clone's instant, as it is there.
func (r *replay) instant(t dclone.T) dclone.Datom {
	at := len(r.arena)
	r.arena = local.AppendInstant(r.arena, r.cur.Instant)
	return dclone.Datom{E: dclone.TxID(t), A: r.p.run.born.clone.txInstant, V: r.arena[at:], Tx: dclone.TxID(t), Added: true}
}
