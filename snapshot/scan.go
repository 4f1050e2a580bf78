package snapshot

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"dclone"
	"dclone/eidmap"
	"dclone/fit"
	"dclone/fressian"
)

// scan reads every attribute once, to learn which entities there are and how many datoms each
// attribute brings to the clone.
func (p *Plan) scan(ctx context.Context) error {
	found := &eidmap.Entities{}
	var mu sync.Mutex
	err := each(ctx, p.opt.Jobs, p.columns, func(c *column) error {
		seen := &eidmap.Entities{}
		values := &eidmap.Set{}
		refs := p.refs(c.a)
		cut := p.cutter(c.a)
		read := p.src.Current
		if c.own && !c.fit.RefusesAll() && refs == dclone.NoRefs {
			read = p.src.Holders // all of it is carried, and refers to nothing
		}
		refused := map[fit.Refusal]*dclone.NotCarried{}
		for datoms, err := range read(ctx, c.a) {
			if err != nil {
				return err
			}
			for _, d := range datoms {
				if !p.carries(c, d) {
					p.note(c, refused, d)
					continue
				}
				c.count++
				if cut.before(d) {
					c.txs++
				}
				p.meet(seen, d.E)
				if refs == dclone.NoRefs {
					continue
				}
				if err := eidmap.EachRef(d.V, refs, func(e dclone.EntityID) { p.meet2(values, e) }); err != nil {
					return p.damaged(d, err)
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		found.DB.Merge(&seen.DB)
		found.Tx.Merge(&seen.Tx)
		found.User.Merge(&seen.User)
		found.Value.Merge(values)
		for why, n := range refused {
			p.refused[why] = n.Plus(p.refused[why])
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, a := range p.attributes {
		found.DB.Add(a.id)
	}
	for _, d := range p.renames {
		p.meet(found, d.E)
	}
	p.entities = found
	return nil
}

// note counts a datom that the clone refuses.
func (p *Plan) note(c *column, refused map[fit.Refusal]*dclone.NotCarried, d dclone.Datom) {
	why, is := c.fit.Refuses(d)
	if !is || why.Reason == "" || p.fit.Born(d.Tx.T()) {
		return
	}
	n := refused[why]
	if n == nil {
		n = &dclone.NotCarried{Attribute: why.Attribute, Reason: why.Reason, FirstT: d.Tx.T()}
		refused[why] = n
	}
	n.Count++
	n.FirstT = min(n.FirstT, d.Tx.T())
}

// meet notes an entity that will have datoms in the clone.
func (p *Plan) meet(e *eidmap.Entities, id dclone.EntityID) {
	if _, ok := p.fit.Builtin(id); ok {
		return
	}
	switch id.Partition() {
	case dclone.PartDB:
		e.DB.Add(id)
	case dclone.PartTx:
		e.Tx.Add(id)
	default:
		e.User.Add(id)
	}
}

// meet2 notes an entity that something refers to.
func (p *Plan) meet2(values *eidmap.Set, id dclone.EntityID) {
	if _, ok := p.fit.Builtin(id); !ok {
		values.Add(id)
	}
}

// settle decides what each entity of the source becomes: transaction entities that stay such,
// entities with datoms, entities without.
func (p *Plan) settle(ctx context.Context) error {
	all, values := &p.entities.Tx, &p.entities.Value
	var tx, value eidmap.Set
	for datoms, err := range p.src.Current(ctx, p.txInstant) {
		if err != nil {
			return err
		}
		for _, d := range datoms {
			if _, builtin := p.fit.Builtin(d.E); builtin || !d.E.IsTx() || p.opt.TxEntities == TxNone {
				continue
			}
			wanted := p.opt.TxEntities == TxAll && !p.fit.Born(d.E.T())
			if !wanted && !all.Has(d.E) && !values.Has(d.E) {
				continue
			}
			v, _, err := fressian.Decode(d.V)
			instant, ok := v.(dclone.Instant)
			if !ok {
				return p.damaged(d, cmp.Or(err, errInstant))
			}
			tx.Add(d.E)
			p.instants = append(p.instants, instant)
		}
	}
	for id := range all.All() {
		if !tx.Has(id) {
			value.Add(id) // an ordinary entity from here on
			p.demoted = append(p.demoted, id.T())
		}
	}
	for id := range values.All() {
		switch {
		case id.Partition() == dclone.PartDB:
			p.entities.DB.Add(id) // an attribute may be installed there later
		case !p.entities.User.Has(id) && !tx.Has(id):
			value.Add(id)
		}
	}
	p.entities.Tx, p.entities.Value = tx, value
	return nil
}

// each calls f for every column, by as many goroutines as jobs, largest column first.
func each(ctx context.Context, jobs int, columns []*column, f func(*column) error) error {
	jobs = max(1, jobs)
	order := slices.Clone(columns)
	slices.SortStableFunc(order, func(a, b *column) int { return int(max(-1, min(1, b.all-a.all))) })
	work := make(chan *column, len(order))
	for _, c := range order {
		work <- c
	}
	close(work)
	errs := make(chan error, jobs)
	for range jobs {
		go func() {
			for c := range work {
				if err := ctx.Err(); err != nil {
					errs <- err
					return
				}
				if err := f(c); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	var first error
	for range jobs {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}
