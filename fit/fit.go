// Package fit decides what of a source a clone can hold.
//
// Two databases of one kind are born alike: what the one holds, the other can. A source of another
// kind has other builtins, under other numbers, and perhaps value types that the clone lacks. Then
//
//   - a builtin is known by the ident it was born with, never by its number;
//   - a builtin the clone lacks is not made up: no datom of it, with it or referring to it is
//     carried, and so are not the datoms of attributes whose type the clone lacks. What is left of
//     such an attribute, its ident and doc for one, is an ordinary entity;
//   - excisions are not carried to a clone whose datoms are transacted (Transactor): there they are commands;
//   - what the clone is born with is not said again, and not redefined.
//
// A datom that is not carried is counted, unless it only says what the clone has anyway.
package fit

import (
	"iter"
	"maps"

	"dclone"
	"dclone/fressian"
	"dclone/schema"
)

// A Clone tells what every database of the clone's kind is born with.
type Clone interface {
	// KindName names the kind: Datomic Local.
	KindName() string
	// EachBorn calls f with the datoms of its bootstrap, in order.
	EachBorn(f func(dclone.Datom))
	// HasType reports whether attributes of a value type can have values.
	HasType(valueType dclone.Keyword) bool
}

// A fact is a datom without its transaction, in the clone's terms.
type fact struct {
	e, a dclone.EntityID
	v    string
}

// A Fit knows the builtins of a source, as far as it has learned them. Many goroutines may ask it,
// none while it learns.
type Fit struct {
	clone  Clone
	schema *schema.Schema // the source's
	born   dclone.T       // the newest t of the source's bootstrap

	idents map[dclone.Keyword]dclone.EntityID // of the clone's bootstrap
	facts  map[fact]bool                      // the clone's bootstrap
	newest dclone.T                           // of it

	transacts bool // the clone is a Transactor

	foreign bool                                // source and clone are not born alike
	ids     map[dclone.EntityID]dclone.EntityID // builtins, source to clone
	low     [1024]dclone.EntityID               // the same for small numbers, each plus one
	lacking map[dclone.EntityID]dclone.Keyword  // builtins the clone lacks
}

// New returns a Fit of a source whose bootstrap ends with t born, and whose schema is s. It must
// be told of all that schema was built of.
func New(clone Clone, s *schema.Schema, born dclone.T) *Fit {
	f := &Fit{clone: clone, schema: s, born: born, idents: map[dclone.Keyword]dclone.EntityID{}, facts: map[fact]bool{},
		ids: map[dclone.EntityID]dclone.EntityID{}, lacking: map[dclone.EntityID]dclone.Keyword{}}
	if x, ok := clone.(Transactor); ok {
		f.transacts = x.Transacts()
	}
	clone.EachBorn(func(d dclone.Datom) {
		f.newest = max(f.newest, d.Tx.T())
		f.facts[fact{d.E, d.A, string(d.V)}] = d.Added
		if kw, ok := ident(d); ok {
			f.idents[kw] = d.E
		}
	})
	return f
}

// ident returns the ident that a datom gives to an entity of the db partition.
func ident(d dclone.Datom) (dclone.Keyword, bool) {
	if d.A != dclone.AttrIdent || !d.Added || d.E.Partition() != dclone.PartDB {
		return dclone.Keyword{}, false
	}
	v, _, err := fressian.Decode(d.V)
	kw, ok := v.(dclone.Keyword)
	return kw, ok && err == nil
}

// Learn tells f of datoms of the source's schema, in the order of its log. The bootstrap comes
// first.
func (f *Fit) Learn(datoms []dclone.Datom) {
	for _, d := range datoms {
		t := d.Tx.T()
		kw, ok := ident(d)
		if !f.foreign && (t <= f.born && !(f.facts[fact{d.E, d.A, string(d.V)}] && t <= f.newest) || ok && f.upgraded(d.E, kw, t)) {
			f.foreign = true
			for e, kw := range f.typesWithoutValues() {
				f.lack(e, kw)
			}
		}
		if ok {
			f.name(d.E, kw, t <= f.born)
		}
	}
}

// upgraded reports whether a name is given, behind the bootstrap, that the clone was born with: an upgrade brought it.
func (f *Fit) upgraded(e dclone.EntityID, kw dclone.Keyword, t dclone.T) bool {
	_, has := f.idents[kw]
	_, known := f.ids[e]
	return t > f.born && has && !known && kw.IsReserved()
}

// name tells f what a builtin is called, or an entity that became one: an upgrade of an old source
// adds what younger ones are born with.
func (f *Fit) name(e dclone.EntityID, kw dclone.Keyword, born bool) {
	clone, has := f.idents[kw]
	_, known := f.ids[e]
	switch {
	case known || f.Lacks(e) || !born && !(f.foreign && kw.IsReserved()):
	case has && !(f.foreign && f.valueless(kw)):
		f.ids[e] = clone
		if e < dclone.EntityID(len(f.low)) {
			f.low[e] = clone + 1
		}
	case born || kw.Namespace == "db":
		f.lack(e, kw)
	}
}

// lack notes a builtin that the clone does not have.
func (f *Fit) lack(e dclone.EntityID, kw dclone.Keyword) {
	f.lacking[e] = kw
	delete(f.ids, e)
	if e < dclone.EntityID(len(f.low)) {
		f.low[e] = 0
	}
}

// valueless reports whether kw is a value type that the clone knows, and has no values of.
func (f *Fit) valueless(kw dclone.Keyword) bool {
	return kw.Namespace == "db.type" && !f.clone.HasType(kw)
}

// typesWithoutValues yields the builtins named so far that are valueless.
func (f *Fit) typesWithoutValues() iter.Seq2[dclone.EntityID, dclone.Keyword] {
	return func(yield func(dclone.EntityID, dclone.Keyword) bool) {
		for e, clone := range maps.Clone(f.ids) {
			for kw, id := range f.idents {
				if id == clone && f.valueless(kw) && !yield(e, kw) {
					return
				}
			}
		}
	}
}

// Foreign reports whether source and clone are of different kinds.
func (f *Fit) Foreign() bool { return f.foreign }

// Born reports whether t is of the source's bootstrap.
func (f *Fit) Born(t dclone.T) bool { return t <= f.born }

// Builtin returns the clone's entity for one the source was born with. Of others, and of those the
// clone lacks, it says false.
func (f *Fit) Builtin(src dclone.EntityID) (clone dclone.EntityID, ok bool) {
	if src < dclone.EntityID(len(f.low)) && src >= 0 {
		return f.low[src] - 1, f.low[src] > 0
	}
	switch src.Partition() {
	case dclone.PartDB:
		clone, ok = f.ids[src]
		return clone, ok
	case dclone.PartTx:
		return src, !f.foreign && src.T() <= f.newest
	}
	return 0, false
}

// Source returns the builtin of the source that has a builtin of the clone for its clone.
func (f *Fit) Source(clone dclone.EntityID) (src dclone.EntityID, ok bool) {
	if clone.IsTx() {
		return f.Builtin(clone)
	}
	for src, c := range f.ids {
		if c == clone {
			return src, true
		}
	}
	return 0, false
}

// Lacks reports whether src is a builtin that the clone does not have.
func (f *Fit) Lacks(src dclone.EntityID) bool {
	_, ok := f.lacking[src]
	return ok
}
