package pro

import (
	"context"
	"math"
	"slices"

	"dclone"
	"dclone/datomic/local"
	"dclone/fressian"
	"dclone/source"
)

// An excision is one that was asked for and that no index job has carried out yet: what it names is
// still in the log and in the indexes. It is not read from them, so that it reaches no clone.
//
// What it names is what a real index job takes away: of an attribute, all its datoms; of an entity, its
// datoms, or those of some attributes, and all of its components, as they are now, and theirs. Only
// what is older than the excision, or than it says. References to the entity stay.
type excision struct {
	attribute dclone.EntityID          // 0: of entities
	target    dclone.EntityID          // an entity, 0: of an attribute
	only      map[dclone.EntityID]bool // attributes of target; none: all
	whole     map[dclone.EntityID]bool // entities that go altogether
	before    dclone.T
}

func (x *excision) names(d dclone.Datom) bool {
	if d.Tx.T() >= x.before {
		return false
	}
	if x.attribute != 0 {
		return d.A == x.attribute
	}
	return x.whole[d.E] || d.E == x.target && (len(x.only) == 0 || x.only[d.A])
}

// excisions are those that are pending.
type excisions []*excision

// from leaves of some datoms those that none names. It changes nothing where nothing is to be left out.
func (xs excisions) from(all []dclone.Datom) []dclone.Datom {
	named := func(d dclone.Datom) bool {
		return slices.ContainsFunc(xs, func(x *excision) bool { return x.names(d) })
	}
	if len(xs) == 0 || !slices.ContainsFunc(all, named) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), named)
}

// pending returns the excisions that the log has behind the indexes of r.
func (c *Conn) pending(ctx context.Context, r *roots) (excisions, error) {
	c.mu.Lock()
	found := r.pending
	c.mu.Unlock()
	if found != nil {
		return *found, nil
	}
	xs, err := c.findPending(ctx, r)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r.pending = &xs
	return xs, nil
}

// An excisionRequest is what a transaction says of one :db/excise entity.
type excisionRequest struct {
	targets []dclone.EntityID
	only    map[dclone.EntityID]bool
	before  dclone.T
	instant dclone.Instant
}

func (c *Conn) findPending(ctx context.Context, r *roots) (excisions, error) {
	requests, err := c.readRequests(ctx, r)
	if err != nil || len(requests) == 0 {
		return nil, err
	}
	s := &snapshot{conn: c, t: r.basis, opt: source.Options{}}
	defer s.Close()
	if err := s.open(ctx, r); err != nil {
		return nil, err
	}
	var xs excisions
	for _, q := range requests {
		if q.instant < math.MaxInt64 {
			if q.before, err = s.firstAt(ctx, q.instant, q.before); err != nil {
				return nil, err
			}
		}
		for _, target := range q.targets {
			x := &excision{target: target, only: q.only, before: q.before}
			if s.schema.Attribute(target) != nil {
				x.attribute, x.target = target, 0
			} else if x.whole, err = s.components(ctx, target, q.only); err != nil {
				return nil, err
			}
			xs = append(xs, x)
		}
	}
	return xs, nil
}

var exciseIdents = [4]dclone.Keyword{
	dclone.Kw("db", "excise"), dclone.Kw("db.excise", "attrs"), dclone.Kw("db.excise", "beforeT"), dclone.Kw("db.excise", "before")}

// readRequests reads the log behind the indexes.
func (c *Conn) readRequests(ctx context.Context, r *roots) ([]*excisionRequest, error) {
	var ids [4]dclone.EntityID
	for i, kw := range exciseIdents {
		found, err := c.named(ctx, r, kw)
		if err != nil {
			return nil, err
		}
		if ids[i] = -1; len(found) > 0 {
			ids[i] = found[0]
		}
	}
	excise, only, beforeT, before := ids[0], ids[1], ids[2], ids[3]
	var all []*excisionRequest
	for tx, err := range c.between(ctx, r, max(r.index.BasisT, c.Born())+1, r.basis) {
		if err != nil {
			return nil, err
		}
		of := map[dclone.EntityID]*excisionRequest{}
		for _, d := range tx.Datoms {
			if d.A == excise && d.Added && of[d.E] == nil {
				of[d.E] = &excisionRequest{only: map[dclone.EntityID]bool{}, before: tx.T, instant: math.MaxInt64}
				all = append(all, of[d.E])
			}
		}
		for _, d := range tx.Datoms {
			q := of[d.E]
			if q == nil || !d.Added {
				continue
			}
			n, _, isInt := fressian.Int(d.V)
			switch {
			case d.A == excise && isInt:
				q.targets = append(q.targets, dclone.EntityID(n))
			case d.A == only && isInt:
				q.only[dclone.EntityID(n)] = true
			case d.A == beforeT && isInt:
				q.before = min(q.before, dclone.T(n))
			case d.A == before:
				q.instant, _ = local.Instant(d.V)
			}
		}
	}
	return all, nil
}

// firstAt returns the t of the first transaction at or after an instant, or limit where that is less.
func (s *snapshot) firstAt(ctx context.Context, instant dclone.Instant, limit dclone.T) (dclone.T, error) {
	for all, err := range s.Current(ctx, local.AttrTxInstant) {
		if err != nil {
			return 0, err
		}
		for _, d := range all {
			if i, ok := local.Instant(d.V); ok && d.E == d.Tx && i >= instant {
				return min(limit, d.E.T()), nil // entities come in order, and so do instants
			}
		}
	}
	return limit, nil
}

// components returns the entities that go with an entity: those it has by component attributes, of the
// given ones where there are any, and theirs by all; and itself where there are none given.
func (s *snapshot) components(ctx context.Context, e dclone.EntityID, only map[dclone.EntityID]bool) (map[dclone.EntityID]bool, error) {
	whole := map[dclone.EntityID]bool{}
	if len(only) == 0 {
		whole[e] = true
	}
	for grown := true; grown; {
		grown = false
		for at := range s.schema.Attributes() {
			if !at.IsComponent {
				continue
			}
			for all, err := range s.Current(ctx, at.ID) {
				if err != nil {
					return nil, err
				}
				for _, d := range all {
					v, _, ok := fressian.Int(d.V)
					if part := dclone.EntityID(v); ok && !whole[part] && (whole[d.E] || d.E == e && only[at.ID]) {
						whole[part], grown = true, true
					}
				}
			}
		}
	}
	return whole, nil
}
