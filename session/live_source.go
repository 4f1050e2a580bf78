package session

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"

	"dclone"
	"dclone/eidmap"
	"dclone/source"
)

// An apart is a snapshot without its composite tuples: the attributes, their datoms, and what is said of the attributes
// or refers to them. They come when everything else is there. So do partitions, which must be installed at once, and
// predicates, which would judge values that are older than they.
type apart struct {
	source.Snapshot
	apart     map[dclone.EntityID]bool
	installs  map[dclone.EntityID]bool // :db.install/attribute and :db.install/partition
	partition dclone.EntityID
	preds     dclone.EntityID          // :db.attr/preds, -1 where there are none
	builtin   map[dclone.EntityID]bool // attributes whose datoms on attributes define them

	mu   sync.Mutex
	held map[dclone.EntityID]bool // attributes that datoms were withheld of
}

func newApart(s source.Snapshot) *apart {
	a := &apart{Snapshot: s, apart: map[dclone.EntityID]bool{}, held: map[dclone.EntityID]bool{},
		builtin: map[dclone.EntityID]bool{}}
	install, _ := s.Schema().Entity(dclone.Kw("db.install", "attribute"))
	a.partition, _ = s.Schema().Entity(dclone.Kw("db.install", "partition"))
	a.preds = predicates(s)
	a.installs = map[dclone.EntityID]bool{install: true, a.partition: true}
	for at := range s.Schema().Attributes() {
		if at.TupleAttrs != nil {
			a.apart[at.ID] = true
		}
	}
	for _, d := range s.SchemaDatoms() {
		if d.A == a.partition && d.Tx.T() > s.Born() {
			_ = eidmap.EachRef(d.V, dclone.WholeRef, func(e dclone.EntityID) { a.apart[e] = true })
		}
	}
	for _, d := range s.SchemaDatoms() {
		if d.Tx.T() <= s.Born() || a.apart[d.E] {
			a.builtin[d.A] = true
		}
	}
	return a
}

// predicates returns :db.attr/preds, -1 where nothing has predicates.
func predicates(s source.Snapshot) dclone.EntityID {
	preds, ok := s.Schema().Entity(dclone.Kw("db.attr", "preds"))
	if ok && slices.ContainsFunc(s.Attributes(), func(c source.AttributeCount) bool { return c.A == preds }) {
		return preds
	}
	return -1
}

// HasPredicates reports whether attributes of a source have predicates.
func HasPredicates(s source.Snapshot) bool { return predicates(s) >= 0 }

// none reports whether nothing is withheld.
func (a *apart) none() bool { return len(a.apart) == 0 && a.preds < 0 }

// withheld reports whether d is to come later.
func (a *apart) withheld(d dclone.Datom) bool {
	if a.apart[d.E] || d.A == a.preds {
		return true
	}
	refs := a.Schema().Refs(d.A)
	if refs == dclone.NoRefs || d.V == nil {
		return false
	}
	is := false
	_ = eidmap.EachRef(d.V, refs, func(e dclone.EntityID) { is = is || a.apart[e] }) // who reads it tells damage
	return is
}

// late reports whether d is withheld, and no part of the definition of a composite attribute.
func (a *apart) late(d dclone.Datom) bool {
	return a.withheld(d) && !(a.apart[d.E] && a.builtin[d.A]) && !a.installs[d.A]
}

func (a *apart) SchemaDatoms() []dclone.Datom {
	if a.none() {
		return a.Snapshot.SchemaDatoms()
	}
	return slices.DeleteFunc(slices.Clone(a.Snapshot.SchemaDatoms()), a.withheld)
}

func (a *apart) Attributes() []source.AttributeCount {
	return slices.DeleteFunc(slices.Clone(a.Snapshot.Attributes()), func(c source.AttributeCount) bool {
		return a.apart[c.A] || c.A == a.preds
	})
}

func (a *apart) Current(ctx context.Context, of dclone.EntityID) iter.Seq2[[]dclone.Datom, error] {
	return a.without(of, a.Snapshot.Current(ctx, of))
}

func (a *apart) Holders(ctx context.Context, of dclone.EntityID) iter.Seq2[[]dclone.Datom, error] {
	return a.without(of, a.Snapshot.Holders(ctx, of))
}

func (a *apart) History(ctx context.Context, of dclone.EntityID) iter.Seq2[[]dclone.Datom, error] {
	return a.without(of, a.Snapshot.History(ctx, of))
}

func (a *apart) without(of dclone.EntityID, read iter.Seq2[[]dclone.Datom, error]) iter.Seq2[[]dclone.Datom, error] {
	if a.none() {
		return read
	}
	return func(yield func([]dclone.Datom, error) bool) {
		var left []dclone.Datom
		for datoms, err := range read {
			if err != nil {
				yield(nil, err)
				return
			}
			left = left[:0]
			for _, d := range datoms {
				if !a.withheld(d) {
					left = append(left, d)
				}
			}
			if len(left) < len(datoms) {
				a.mu.Lock()
				a.held[of] = true
				a.mu.Unlock()
			}
			if len(left) > 0 && !yield(left, nil) {
				return
			}
		}
	}
}

// rest yields, in one agreed order, the datoms that were withheld, in transactions of at most size datoms: the composite
// attributes, the names they got later, what is said of them, and their values; predicates at the end.
func (a *apart) rest(ctx context.Context, size int) iter.Seq2[[]dclone.Datom, error] {
	return func(yield func([]dclone.Datom, error) bool) {
		installs, renames := a.definitions()
		for _, in := range installs {
			// Before the next composite is there: one that shares a component would get a value with this one's.
			if !yield(in.datoms, nil) || !batches(a.Snapshot.Current(ctx, in.id), size, every, yield) {
				return
			}
		}
		for _, datoms := range renames {
			if !yield(datoms, nil) {
				return
			}
		}
		for _, of := range sorted(a.held) {
			if !batches(a.Snapshot.Current(ctx, of), size, a.late, yield) {
				return
			}
		}
		if a.preds >= 0 {
			batches(a.Snapshot.Current(ctx, a.preds), size, a.late, yield)
		}
	}
}

func sorted(set map[dclone.EntityID]bool) []dclone.EntityID {
	var all []dclone.EntityID
	for e := range set {
		all = append(all, e)
	}
	slices.Sort(all)
	return all
}

func every(dclone.Datom) bool { return true }

// A definition is what is said of an attribute, or a partition.
type definition struct {
	id     dclone.EntityID
	t      dclone.T // when it was installed
	named  bool
	datoms []dclone.Datom
}

// definitions returns what is said of each composite attribute, in the order they were installed, with its first name; and
// the names it got later.
func (a *apart) definitions() (installs []*definition, renames [][]dclone.Datom) {
	of := map[dclone.EntityID]*definition{}
	for e := range a.apart {
		of[e] = &definition{id: e}
	}
	for _, d := range a.Snapshot.SchemaDatoms() {
		def := of[d.E]
		switch {
		case a.installs[d.A]:
			_ = eidmap.EachRef(d.V, dclone.WholeRef, func(e dclone.EntityID) {
				if def := of[e]; def != nil && def.t == 0 {
					def.t = d.Tx.T()
					if d.A == a.partition && d.Added {
						def.datoms = append(def.datoms, d)
					}
				}
			})
		case def == nil:
		case d.A == dclone.AttrIdent && def.named:
			if n := len(renames) - 1; n >= 0 && renames[n][0].Tx == d.Tx {
				renames[n] = append(renames[n], d)
			} else {
				renames = append(renames, []dclone.Datom{d})
			}
		default:
			def.named = def.named || d.A == dclone.AttrIdent
			def.datoms = slices.DeleteFunc(def.datoms, func(h dclone.Datom) bool { return h.A == d.A && string(h.V) == string(d.V) })
			if d.Added {
				def.datoms = append(def.datoms, d)
			}
		}
	}
	order := sorted(a.apart)
	slices.SortStableFunc(order, func(x, y dclone.EntityID) int { return cmp.Compare(of[x].t, of[y].t) })
	for _, e := range order {
		installs = append(installs, of[e])
	}
	return installs, renames
}

// batches yields the datoms that are wanted, so many at a time.
func batches(read iter.Seq2[[]dclone.Datom, error], size int, wanted func(dclone.Datom) bool, yield func([]dclone.Datom, error) bool) bool {
	var batch []dclone.Datom
	for datoms, err := range read {
		if err != nil {
			yield(nil, err)
			return false
		}
		for _, d := range datoms {
			if !wanted(d) {
				continue
			}
			d.V = slices.Clone(d.V)
			if batch = append(batch, d); len(batch) == size {
				if !yield(batch, nil) {
					return false
				}
				batch = nil
			}
		}
	}
	return len(batch) == 0 || yield(batch, nil)
}
