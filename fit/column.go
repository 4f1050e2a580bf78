package fit

import (
	"dclone"
	"dclone/eidmap"
	"dclone/fressian"
)

// A Refusal says why a datom is not carried. Attribute and Reason are for a dclone.NotCarried; they
// are empty where nothing is lost by it.
type Refusal struct{ Attribute, Reason string }

// A Column decides about the datoms of one attribute, by what was learned when it was made.
type Column struct {
	fit       *Fit
	refused   bool // all of them
	why       Refusal
	ident     string
	refs      dclone.Refs
	builtin   bool // it has a clone of its own kind
	one       bool // :db.cardinality/one
	install   bool // :db.install/attribute
	valueType bool // :db/valueType
	defines   bool // a Transactor takes whatever has it for an attribute
}

// A Transactor is a Clone that takes some datoms for commands.
type Transactor interface {
	Clone
	// Transacts reports whether it does.
	Transacts() bool
}

// ReasonCommand is why no excision is carried to a Transactor. Of what was excised it gets nothing.
const ReasonCommand = "the destination would take it for the command to excise"

// defining are the builtins, beside :db/valueType, that Datomic installs an attribute for, or that only an attribute may have.
var defining = map[dclone.Keyword]bool{
	dclone.Kw("db", "cardinality"): true, dclone.Kw("db", "unique"): true, dclone.Kw("db", "isComponent"): true,
	dclone.Kw("db", "noHistory"): true, dclone.Kw("db", "index"): true, dclone.Kw("db", "fulltext"): true,
	dclone.Kw("db.attr", "preds"): true,
}

// isExcision reports whether an attribute is one by which excisions are asked for.
func isExcision(ident dclone.Keyword) bool {
	return ident == dclone.Kw("db", "excise") || ident.Namespace == "db.excise"
}

// Column returns the Column of an attribute.
func (f *Fit) Column(a dclone.EntityID) Column {
	c := Column{fit: f}
	if !f.foreign && !f.transacts {
		return c
	}
	ident := f.schema.Ident(a)
	if _, builtin := f.Builtin(a); builtin && f.transacts && isExcision(ident) {
		c.refused, c.why = true, Refusal{ident.String(), ReasonCommand}
		return c
	}
	if !f.foreign {
		return c
	}
	c.ident, c.refs = ident.String(), f.schema.Refs(a)
	c.install, c.valueType = ident == dclone.Kw("db.install", "attribute"), ident == dclone.Kw("db", "valueType")
	_, c.builtin = f.Builtin(a)
	c.defines = c.builtin && f.transacts && defining[ident]
	at := f.schema.Attribute(a)
	c.one = at != nil && !at.Many
	switch {
	case f.Lacks(a):
		c.refused, c.why = true, Refusal{c.ident, f.clone.KindName() + " has no such attribute"}
	case at != nil && !f.clone.HasType(at.ValueType):
		c.refused, c.why = true, Refusal{c.ident, f.typeReason(at.ValueType)}
	}
	return c
}

func (f *Fit) typeReason(kw dclone.Keyword) string {
	return f.clone.KindName() + " has no values of " + kw.String()
}

// Refuses reports whether the clone cannot hold d, whose attribute is known to the schema, or has it
// anyway.
func (f *Fit) Refuses(d dclone.Datom) (why Refusal, refused bool) { return f.Column(d.A).Refuses(d) }

// RefusesAll reports whether no datom of the attribute is carried.
func (c Column) RefusesAll() bool { return c.refused }

// Refuses is Fit.Refuses, for a datom of the column.
func (c Column) Refuses(d dclone.Datom) (why Refusal, refused bool) {
	switch {
	case c.refused:
		return c.why, true
	case !c.fit.foreign:
		return Refusal{}, false
	case c.defines && c.fit.Column(d.E).refused:
		return Refusal{}, true // its value type is counted
	}
	if d.E.Partition() == dclone.PartDB {
		if kw, ok := c.fit.lacking[d.E]; ok {
			return Refusal{c.ident, "it is of " + kw.String() + ", which " + c.fit.clone.KindName() + " lacks"}, true
		}
	}
	if c.refs != dclone.NoRefs {
		if why, refused := c.refusesRefs(d); refused {
			return why, true
		}
	}
	if !c.builtin {
		return Refusal{}, false
	}
	return c.refusesBorn(d)
}

// refusesRefs refuses what refers to a builtin the clone lacks, and the install of an attribute
// that it cannot have.
func (c Column) refusesRefs(d dclone.Datom) (why Refusal, refused bool) {
	if c.refs == dclone.WholeRef {
		e, _, ok := fressian.Int(d.V)
		if !ok {
			return Refusal{}, false
		}
		return c.refusesRef(d, dclone.EntityID(e))
	}
	err := eidmap.EachRef(d.V, c.refs, func(e dclone.EntityID) {
		if !refused {
			why, refused = c.refusesRef(d, e)
		}
	})
	return why, refused && err == nil
}

func (c Column) refusesRef(d dclone.Datom, e dclone.EntityID) (why Refusal, refused bool) {
	if e.Partition() != dclone.PartDB {
		return Refusal{}, false
	}
	kw, lacks := c.fit.lacking[e]
	switch {
	case lacks && c.valueType:
		return Refusal{c.fit.schema.Ident(d.E).String(), c.fit.typeReason(kw)}, true
	case lacks:
		return Refusal{c.ident, "it refers to " + kw.String() + ", which " + c.fit.clone.KindName() + " lacks"}, true
	case c.install:
		return Refusal{}, c.fit.Column(e).refused // its value type is counted
	}
	return Refusal{}, false
}

// refusesBorn refuses to say again, or otherwise, what the clone is born with.
func (c Column) refusesBorn(d dclone.Datom) (why Refusal, refused bool) {
	e, ok := c.fit.Builtin(d.E)
	if !ok {
		return Refusal{}, false
	}
	a, _ := c.fit.Builtin(d.A)
	v, err := eidmap.Rewrite(nil, d.V, c.refs, func(e dclone.EntityID) (dclone.EntityID, error) {
		if clone, ok := c.fit.Builtin(e); ok {
			return clone, nil
		}
		return -1, nil // an entity of the source's own: no fact of the bootstrap
	})
	switch {
	case err == nil && c.fit.facts[fact{e, a, string(v)}]:
		return Refusal{}, true
	case c.one:
		return Refusal{c.ident, "it redefines a builtin"}, true
	}
	return Refusal{}, false
}
