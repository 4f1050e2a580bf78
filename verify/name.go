package verify

import (
	"fmt"

	"dclone"
	"dclone/eidmap"
	"dclone/fressian"
)

// A namer puts findings in words.
type namer struct {
	p      *pass
	m      *eidmap.Map
	idents map[dclone.EntityID]string // of the source's entities
	clones map[dclone.EntityID]string // of the clone's
}

// name puts findings in words: entities with both ids and ident, attributes by ident, values as
// EDN.
func (r *run) name(p *pass, list []finding) ([]Difference, error) {
	named := make([]Difference, 0, len(list))
	err := r.withMap(func(m *eidmap.Map) error {
		n := &namer{p: p, m: m, idents: identsOf(p.src.idents, false), clones: identsOf(p.clone.idents, true)}
		for i := range list {
			if err := n.name(&list[i]); err != nil {
				return err
			}
			named = append(named, list[i].Difference)
		}
		return nil
	})
	return named, err
}

// identsOf turns what keywords name round: the keyword an entity got last.
func identsOf(idents map[string]named, clone bool) map[dclone.EntityID]string {
	newest := map[dclone.EntityID]dclone.T{}
	of := map[dclone.EntityID]string{}
	for _, kw := range sortedIdents(idents) {
		n := idents[kw]
		e := n.src
		if clone {
			e = n.clone
		}
		if t, ok := newest[e]; !ok || n.t >= t {
			newest[e], of[e] = n.t, readable(dclone.Value(kw))
		}
	}
	return of
}

func (n *namer) name(f *finding) error {
	if !f.named {
		return nil
	}
	if err := n.entity(f); err != nil {
		return err
	}
	if err := n.attribute(f); err != nil {
		return err
	}
	var err error
	if f.src != nil {
		f.SourceValue, err = n.value(f, f.src)
	}
	if f.clone != nil && err == nil {
		f.CloneValue, err = n.value(f, f.clone)
	}
	f.Text = n.text(f)
	return err
}

// entity fills in the ids of f's entity and its ident.
func (n *namer) entity(f *finding) (err error) {
	e, err := n.find(f.e, f.sourceOnly)
	f.SourceEntity, f.CloneEntity, f.Ident, f.who = e.src, e.clone, e.ident, e.String()
	if f.Kind == KindExtra && !e.hasSource {
		f.Kind = KindEntity
	}
	return err
}

// value puts a value of f in words. A ref is named as an entity is.
func (n *namer) value(f *finding, v dclone.Value) (string, error) {
	refs := n.p.clone.schema.Refs(f.a)
	if f.sourceOnly {
		refs = n.p.src.schema.Refs(f.a)
	}
	id, size, ok := fressian.Int(v)
	if refs != dclone.WholeRef || !ok || size != len(v) {
		return readable(v), nil
	}
	e, err := n.find(dclone.EntityID(id), f.sourceOnly)
	return e.String(), err
}

// A namedEntity is an entity with all it is known by.
type namedEntity struct {
	ident               string
	src, clone          dclone.EntityID
	hasSource, hasClone bool
}

func (e namedEntity) String() string {
	s := "entity "
	if e.ident != "" {
		s += e.ident + " "
	}
	switch {
	case !e.hasClone:
		return fmt.Sprintf("%s%d of the source", s, e.src)
	case !e.hasSource:
		return fmt.Sprintf("%s%d of the clone", s, e.clone)
	}
	return fmt.Sprintf("%s%d (clone: %d)", s, e.src, e.clone)
}

// find finds what an entity is known by: one of the clone, or of the source.
func (n *namer) find(e dclone.EntityID, ofSource bool) (x namedEntity, err error) {
	if ofSource {
		x = namedEntity{src: e, hasSource: true}
		x.clone, x.hasClone, err = newTranslator(n.m, n.p.src.fit).entity(e)
	} else {
		x = namedEntity{clone: e, hasClone: true}
		x.src, x.hasSource, err = n.source(e)
	}
	if x.hasSource {
		x.ident = n.idents[x.src]
	} else {
		x.ident = n.clones[x.clone]
	}
	return x, err
}

// source returns the source's entity for one of the clone.
func (n *namer) source(clone dclone.EntityID) (dclone.EntityID, bool, error) {
	if src, ok := n.p.src.fit.Source(clone); ok {
		return src, true, nil
	}
	return n.m.Source(clone)
}

func (n *namer) attribute(f *finding) error {
	ident := n.p.clone.schema.Ident(f.a)
	if f.sourceOnly {
		ident = n.p.src.schema.Ident(f.a)
	} else if src, ok, err := n.source(f.a); err != nil {
		return err
	} else if ok {
		ident = n.p.src.schema.Ident(src)
	}
	f.Attribute = ident.String()
	return nil
}

// text says it all in a sentence.
func (n *namer) text(f *finding) string {
	what := fmt.Sprintf("%s: %s", f.who, f.Attribute)
	if f.past {
		what = fmt.Sprintf("as of the first copy, source t %d, clone t %d: %s", f.SourceT, f.CloneT, what)
	}
	if f.order {
		return fmt.Sprintf("%s: %s and %s, which are equal to Datomic, came in another order", what, f.SourceValue, f.CloneValue)
	}
	switch f.Kind {
	case KindTransaction:
		return transactionText(f, what)
	case KindFirstCopy:
		if f.idle && f.retraction {
			return fmt.Sprintf("%s: the first copy retracts %s, which does not hold", what, f.CloneValue)
		}
		if f.idle {
			return fmt.Sprintf("%s: the first copy asserts %s twice", what, f.CloneValue)
		}
		return fmt.Sprintf("%s: clone t %d, of the first copy, retracts %s", what, f.CloneT, f.CloneValue)
	case KindEntity:
		return fmt.Sprintf("%s: only the clone has the entity, with %s", what, f.CloneValue)
	case KindUnmapped:
		return fmt.Sprintf("%s: %s: it, or what it refers to, has no clone", what, f.SourceValue)
	case KindMissing:
		return fmt.Sprintf("%s: the clone lacks %s", what, f.SourceValue)
	case KindExtra:
		return fmt.Sprintf("%s: only the clone has %s", what, f.CloneValue)
	}
	return fmt.Sprintf("%s: the source has %s, the clone %s", what, f.SourceValue, f.CloneValue)
}

func transactionText(f *finding, what string) string {
	t := fmt.Sprintf("source t %d, clone t %d: %s: ", f.SourceT, f.CloneT, what)
	value, verb := f.SourceValue, "the clone lacks "
	if f.clone != nil {
		value, verb = f.CloneValue, "only the clone has "
	}
	if f.retraction {
		verb += "the retraction of "
	}
	return t + verb + value
}
