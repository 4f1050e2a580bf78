package verify

import (
	"context"
	"fmt"
	"iter"

	"dclone"
	"dclone/datomic/local"
)

// A replay compares the source's transactions after the first copy with the clone's, one for
// one: t, instant, and the datoms in their order.
type replay struct {
	p *pass
	s *sourceReader

	next   func() (*dclone.Tx, error, bool)
	stop   func()
	cur    *dclone.Tx     // of the clone, not yet compared; nil at the end
	t      dclone.T       // of the clone's transaction compared last
	newest dclone.Instant // of the clone's transactions so far, as it should be

	want  []dclone.Datom // the clone's transaction as it should be
	arena []byte
}

func newReplay(ctx context.Context, p *pass, s *sourceReader) *replay {
	r := &replay{p: p, s: s, t: p.run.pos.Loaded}
	r.next, r.stop = iter.Pull2(p.run.clone.Txs(ctx, r.t))
	return r
}

func (r *replay) close() { r.stop() }

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
		r.unknown()
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
	e, ok, err := r.s.t.entity(dclone.TxID(src))
	switch {
	case err != nil:
		return 0, err
	case !ok:
		r.p.run.mapFinding(dclone.TxID(src), 0, fmt.Sprintf("source t %d has no transaction of the clone in the map", src))
	case e.IsTx():
		return e.T(), nil
	}
	if r.p.run.session.Options.KeepT {
		return src, nil
	}
	return r.t + 1, nil // something referred to it before it came: an ordinary entity has what it says of itself
}

// end finds what the clone has beyond the source's transactions.
func (r *replay) end() error {
	if r.p.replayed == 0 {
		if err := r.begin(); err != nil {
			return err
		}
	}
	for r.cur != nil {
		r.unknown()
		if err := r.step(); err != nil {
			return err
		}
	}
	return nil
}

func (r *replay) unknown() {
	r.add(0, r.cur.T, "clone t %d is no transaction of the source", r.cur.T)
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
		if _, refused := c.fit.Refuses(*d); refused {
			continue
		}
		e, ok, err := r.s.t.subject(d.E)
		if err != nil {
			return err
		}
		if !ok || !c.mapped {
			continue
		}
		at := len(r.arena)
		if r.arena, ok, err = r.s.t.value(r.arena, d.V, r.s.schema.Refs(d.A)); err != nil {
			return err
		}
		if ok {
			r.want = append(r.want, dclone.Datom{E: e, A: c.clone, V: r.arena[at:], Tx: dclone.TxID(t), Added: d.Added})
		}
	}
	if !placed { // where the source has no instant the clone has it first
		r.want = append([]dclone.Datom{r.instant(t)}, r.want...)
	}
	return nil
}

// instant returns the datom of the clone's instant, as it is there.
func (r *replay) instant(t dclone.T) dclone.Datom {
	at := len(r.arena)
	r.arena = local.AppendInstant(r.arena, r.cur.Instant)
	return dclone.Datom{E: dclone.TxID(t), A: r.p.run.born.clone.txInstant, V: r.arena[at:], Tx: dclone.TxID(t), Added: true}
}
