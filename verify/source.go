package verify

import (
	"context"
	"fmt"

	"dclone"
	"dclone/datomic/local"
	"dclone/eidmap"
)

// A sourceReader takes in the source's log, translated.
type sourceReader struct {
	*side
	p      *pass
	t      *translator
	replay replayed // nil where transactions are not compared
}

// readSource reads the source up to its position. The map is good for this goroutine.
func (p *pass) readSource(ctx context.Context, m *eidmap.Map) error {
	s := &sourceReader{side: p.src, p: p, t: newTranslator(m, p.src.fit)}
	if p.first && p.sums {
		s.replay = newReplayed(ctx, p, s)
		defer s.replay.stop()
	}
	at := dclone.T(0)
	for tx, err := range p.run.src.Txs(ctx, 0) {
		if err != nil {
			return dclone.InSource(err)
		}
		if tx.T > p.run.pos.Source.T {
			break
		}
		if err := s.tx(tx); err != nil {
			return err
		}
		p.run.meter.add(int64(tx.T - at))
		at = tx.T
	}
	if s.replay != nil {
		return s.replay.end()
	}
	return nil
}

func (s *sourceReader) tx(tx *dclone.Tx) error {
	if err := s.schema.Apply(tx.Datoms); err != nil {
		return dclone.InSource(err)
	}
	if tx.T > s.born {
		s.fit.Learn(tx.Datoms)
	}
	if tx.T > s.born || s.p.run.born.alike {
		for i := range tx.Datoms {
			if err := s.datom(&tx.Datoms[i]); err != nil {
				return err
			}
		}
	}
	if s.replay != nil && tx.T > s.p.run.pos.Basis {
		s.p.replayed++
		return s.replay.compare(tx)
	}
	return nil
}

func (s *sourceReader) datom(d *dclone.Datom) error {
	c, err := s.column(d.A, s.found)
	if err != nil || c.skipped {
		return err
	}
	if _, refused := c.fit.Refuses(*d); refused {
		return nil
	}
	instant := d.A == s.p.run.born.src.txInstant && d.E.IsTx()
	if instant && s.p.first && d.E == d.Tx && d.Tx.T() <= s.p.run.pos.Basis {
		i, _ := local.Instant(d.V)
		s.p.newest = max(s.p.newest, i)
	}
	f := s.flagsOf(d, s.p.run.pos.Basis)
	if s.mayLack(c, d) {
		f |= mayLack
	}
	if s.p.countsOnly() {
		if instant {
			return nil
		}
		return s.take(c, d.E, d.Tx.T(), f)
	}
	e, ok, err := s.t.subject(d.E)
	if err != nil {
		return err
	}
	if instant && (!ok || !e.IsTx()) {
		s.checkAll(d, ok)
		return nil // an ordinary entity, or none, in the clone
	}
	if ok = ok && c.mapped; ok {
		s.key, ok, err = s.t.value(appendEntity(s.key[:0], e), d.V, s.schema.Refs(d.A))
		if err != nil {
			return err
		}
	}
	if d.A == dclone.AttrIdent && d.Added {
		s.idents[string(d.V)] = named{src: d.E, clone: e, mapped: ok, t: d.Tx.T()}
	}
	if !ok {
		s.key = appendKey(s.key[:0], d.E, d.V)
		return s.take(c, d.E, d.Tx.T(), f|unmapped)
	}
	return s.take(c, e, d.Tx.T(), f)
}

// found prepares a column.
func (s *sourceReader) found(c *column) (err error) {
	b := s.p.run.born
	c.skipped, c.fit, c.refs = c.a == b.src.alter, s.fit.Column(c.a), s.schema.Refs(c.a)
	if at := s.schema.Attribute(c.a); at != nil {
		c.text = at.ValueType == dclone.Kw("db.type", "string")
	}
	_, c.builtin = s.fit.Builtin(c.a)
	c.builtin = c.builtin && s.schema.Ident(c.a).Namespace != "db.install"
	c.clone, c.mapped, err = s.t.entity(c.a)
	if s.p.wanted != nil {
		c.wanted = c.mapped && s.p.wanted(attrKey{c.clone, true}) || s.p.wanted(attrKey{c.a, false})
	}
	return err
}

// allTxEntities is the option of a first copy that keeps all transaction entities.
const allTxEntities = "all"

// checkAll makes sure that a first copy that was to keep all transaction entities has this one. In a
// live clone something may have needed its id before, which made it an ordinary entity.
func (s *sourceReader) checkAll(d *dclone.Datom, mapped bool) {
	r := s.p.run
	if mapped && r.live {
		return
	}
	if !s.p.first || r.session.Options.TxEntities != allTxEntities || d.Tx.T() > r.pos.Basis {
		return
	}
	r.mapFinding(d.E, 0, fmt.Sprintf(
		"source transaction t %d has no transaction of the clone, though the first copy was to keep all", d.E.T()))
}
