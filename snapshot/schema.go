package snapshot

import (
	"cmp"
	"context"
	"slices"

	"dclone"
	"dclone/eidmap"
	"dclone/fressian"
)

// Idents of the bootstrap that a first copy treats in ways of their own.
var (
	installAttribute = dclone.Kw("db.install", "attribute")
	alterAttribute   = dclone.Kw("db.alter", "attribute")
	txInstant        = dclone.Kw("db", "txInstant")
)

// An attribute is one that the source has installed itself.
type attribute struct {
	id        dclone.EntityID
	t         dclone.T       // when it was installed
	composite bool           // it needs others, perhaps of the same t, before it
	datoms    []dclone.Datom // all that holds of it, but its idents
	ident     dclone.Datom   // the first it was given
}

// follows reports whether a must be installed after the renames of t: a composite finds its parts by
// the names they have when it comes.
func (a attribute) follows(t dclone.T) bool { return t < a.t || t == a.t && a.composite }

// readSchema finds the attributes of the source's own.
func (p *Plan) readSchema(context.Context) error {
	s := p.src.Schema()
	p.txInstant, _ = s.Entity(txInstant)
	install, _ := s.Entity(installAttribute)
	alter, _ := s.Entity(alterAttribute)
	p.withheld[install], p.withheld[alter] = true, true
	for _, d := range p.src.SchemaDatoms() {
		if d.A != install || !d.Added {
			continue
		}
		err := eidmap.EachRef(d.V, dclone.WholeRef, func(e dclone.EntityID) {
			_, builtin := p.fit.Builtin(e)
			if builtin || p.fit.Column(e).RefusesAll() || p.isAttr[e] || s.Attribute(e) == nil {
				return
			}
			p.isAttr[e] = true
			p.attributes = append(p.attributes, attribute{id: e, t: d.Tx.T(), composite: s.Attribute(e).TupleAttrs != nil})
		})
		if err != nil {
			return p.damaged(d, err)
		}
	}
	slices.SortStableFunc(p.attributes, func(a, b attribute) int {
		return cmp.Or(cmp.Compare(a.t, b.t), map[bool]int{true: 1}[a.composite]-map[bool]int{true: 1}[b.composite],
			cmp.Compare(a.id, b.id))
	})
	for i := range p.attributes {
		p.attributes[i].datoms = p.holding(p.attributes[i].id)
	}
	return nil
}

// holding returns what holds of an attribute, by attribute id, but its idents.
func (p *Plan) holding(e dclone.EntityID) []dclone.Datom {
	var datoms []dclone.Datom
	for _, d := range p.src.SchemaDatoms() {
		if d.E != e || d.A == dclone.AttrIdent {
			continue
		}
		if _, refused := p.fit.Refuses(d); refused {
			continue
		}
		datoms = slices.DeleteFunc(datoms, func(h dclone.Datom) bool { return h.A == d.A && string(h.V) == string(d.V) })
		if d.Added {
			datoms = append(datoms, d)
		}
	}
	slices.SortStableFunc(datoms, func(a, b dclone.Datom) int {
		return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(string(a.V), string(b.V)))
	})
	return datoms
}

// unborn returns retractions of what the clone is born with and the source no longer has.
func (p *Plan) unborn() []dclone.Datom {
	if p.fit.Foreign() {
		return nil // what it was born with is not what the clone was born with
	}
	type fact struct {
		e, a dclone.EntityID
		v    string
	}
	lost := map[fact]int{}
	var datoms []dclone.Datom
	for _, d := range p.src.SchemaDatoms() {
		f := fact{d.E, d.A, string(d.V)}
		i, born := lost[f]
		switch {
		case p.fit.Born(d.Tx.T()):
			lost[f] = -1
		case born && d.Added && i >= 0:
			datoms[i].A, lost[f] = 0, -1 // asserted again: its column has it
		case born && !d.Added && i < 0:
			lost[f] = len(datoms)
			datoms = append(datoms, d)
		}
	}
	return slices.DeleteFunc(datoms, func(d dclone.Datom) bool { return d.A == 0 })
}

// readRenames finds the idents that say more than which keyword an entity has now. A keyword
// goes on naming the entity that got it last, even when it was replaced or retracted: such
// idents are carried with their history.
func (p *Plan) readRenames(ctx context.Context) error {
	at := map[dclone.EntityID]int{}
	for i, a := range p.attributes {
		at[a.id] = i
	}
	flush := func(history []dclone.Datom) {
		if len(history) == 0 {
			return
		}
		e := history[0].E
		i, isAttr := at[e]
		if isAttr {
			p.attributes[i].ident = history[0]
			history = history[1:]
		} else if len(history) == 1 && history[0].Added {
			return
		}
		if len(history) > 0 {
			p.renamed[e] = true
			p.renames = append(p.renames, history...)
		}
	}
	var history []dclone.Datom
	for datoms, err := range p.src.History(ctx, dclone.AttrIdent) {
		if err != nil {
			return err
		}
		for _, d := range datoms {
			if _, refused := p.fit.Refuses(d); refused || p.fit.Born(d.Tx.T()) {
				continue
			}
			if len(history) > 0 && history[0].E != d.E {
				flush(history)
				history = history[:0]
			}
			d.V = slices.Clone(d.V)
			history = append(history, d)
		}
	}
	flush(history)
	slices.SortStableFunc(p.renames, func(a, b dclone.Datom) int {
		return cmp.Or(cmp.Compare(a.Tx, b.Tx), map[bool]int{false: 1}[a.Added]-map[bool]int{false: 1}[b.Added])
	})
	return nil
}

// makeEarly builds the transactions of schema: installs, and the renames between them.
func (p *Plan) makeEarly() error {
	b := &earlyBuilder{p: p}
	b.add(p.unborn())
	attributes, renames := p.attributes, p.renames
	for len(attributes) > 0 || len(renames) > 0 {
		if len(renames) > 0 && (len(attributes) == 0 || attributes[0].follows(renames[0].Tx.T())) {
			n := 1
			for n < len(renames) && renames[n].Tx == renames[0].Tx {
				n++
			}
			b.flush()
			b.add(renames[:n])
			b.flush()
			renames = renames[n:]
			continue
		}
		b.install(attributes[0])
		attributes = attributes[1:]
	}
	b.flush()
	return b.err
}

// An earlyBuilder gathers datoms into the transactions of schema.
type earlyBuilder struct {
	p         *Plan
	datoms    []dclone.Datom
	installed []dclone.Datom
	err       error
}

func (b *earlyBuilder) install(a attribute) {
	if len(b.datoms)+len(b.installed)+len(a.datoms)+2 > b.p.opt.MaxBatchSize {
		b.flush()
	}
	if a.ident.A != 0 {
		b.add([]dclone.Datom{a.ident})
	}
	b.add(a.datoms)
	install, _ := b.p.src.Schema().Entity(installAttribute)
	db, _ := b.p.src.Schema().Entity(dclone.Kw("db.part", "db"))
	id, err := b.p.Clone(a.id)
	if err != nil {
		b.err = err
		return
	}
	v := dclone.Value(fressian.AppendInt(nil, int64(id)))
	b.installed = append(b.installed, b.p.translateIDs(dclone.Datom{E: db, A: install, V: v, Added: true}, &b.err))
}

func (b *earlyBuilder) add(datoms []dclone.Datom) {
	for _, d := range datoms {
		v, err := eidmap.Rewrite(nil, d.V, b.p.refs(d.A), b.p.Clone)
		if err != nil && b.err == nil {
			b.err = b.p.damaged(d, err)
		}
		d.V = v
		b.datoms = append(b.datoms, b.p.translateIDs(d, &b.err))
	}
}

// translateIDs returns d, whose value is the clone's already, with the clone's ids.
func (p *Plan) translateIDs(d dclone.Datom, failed *error) dclone.Datom {
	e, err := p.Clone(d.E)
	a, err2 := p.Clone(d.A)
	if *failed == nil {
		*failed = cmp.Or(err, err2)
	}
	return dclone.Datom{E: e, A: a, V: d.V, Added: d.Added}
}

func (b *earlyBuilder) flush() {
	if len(b.datoms) == 0 {
		return
	}
	b.p.early = append(b.p.early, dclone.Tx{Instant: b.p.instant, Datoms: append(b.datoms, b.installed...)})
	b.datoms, b.installed = nil, nil
}
