package schema

import "dclone"

// ref returns the role of an attribute whose value is an entity that has a name.
func ref(field func(*dclone.Attribute) *dclone.Keyword) role {
	return func(s *Schema, a *dclone.Attribute, v any, added bool) {
		id, _ := v.(int64)
		set(field(a), s.Ident(dclone.EntityID(id)), added)
	}
}

// flag returns the role of a boolean attribute.
func flag(field func(*dclone.Attribute) *bool) role {
	return func(_ *Schema, a *dclone.Attribute, v any, added bool) {
		b, _ := v.(bool)
		set(field(a), b, added)
	}
}

// list returns the role of an attribute whose value is a tuple of keywords.
func list(field func(*dclone.Attribute) *[]dclone.Keyword) role {
	return func(_ *Schema, a *dclone.Attribute, v any, added bool) {
		elements, _ := v.([]any)
		if !added {
			return // it cannot be altered
		}
		var kws []dclone.Keyword
		for _, e := range elements {
			kw, _ := e.(dclone.Keyword)
			kws = append(kws, kw)
		}
		*field(a) = kws
	}
}

func applyCardinality(s *Schema, a *dclone.Attribute, v any, added bool) {
	id, _ := v.(int64)
	if added {
		a.Many = s.Ident(dclone.EntityID(id)) == dclone.Kw("db.cardinality", "many")
	}
}

func applyDoc(_ *Schema, a *dclone.Attribute, v any, added bool) {
	text, _ := v.(string)
	set(&a.Doc, text, added)
}

func applyTupleType(_ *Schema, a *dclone.Attribute, v any, added bool) {
	kw, _ := v.(dclone.Keyword)
	set(&a.TupleType, kw, added)
}

// set takes an assertion over, and a retraction where it is of the present value: a log has the
// new value before the retraction of the old.
func set[V comparable](field *V, v V, added bool) {
	if added {
		*field = v
	} else if *field == v {
		var zero V
		*field = zero
	}
}
