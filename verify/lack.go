package verify

import (
	"strings"

	"dclone"
	"dclone/eidmap"
	"dclone/fressian"
)

// longest is how many UTF-16 units a string may have that every running Datomic takes.
const longest = 4096

// mayLack reports whether a clone that a running Datomic writes may lack d, of column c. It is
// right that it does where the sidecar says that something was not carried of the attribute, or
// of the entity.
func (s *sourceReader) mayLack(c *column, d *dclone.Datom) bool {
	b := s.p.run.born
	if !s.p.run.live || d.Tx.T() <= s.born {
		return false
	}
	if d.A == b.src.preds {
		return true
	}
	if c.builtin {
		if _, onBuiltin := s.fit.Builtin(d.E); onBuiltin {
			return true
		}
	}
	return c.text && len(d.V) > longest && units(d.V) > longest || c.refs.IsTuple() && says(d, c.refs, dclone.TxID(d.Tx.T()))
}

// units returns how many UTF-16 units a string has.
func units(v dclone.Value) (n int) {
	decoded, _, _ := fressian.Decode(v)
	text, _ := decoded.(string)
	for _, r := range text {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

// says reports whether e is in the value of d.
func says(d *dclone.Datom, refs dclone.Refs, e dclone.EntityID) (is bool) {
	_ = eidmap.EachRef(d.V, refs, func(of dclone.EntityID) { is = is || of == e }) // who translates it tells damage
	return is
}

// readNoted finds out of what the sidecar says that something was not carried. The source was
// read.
func (p *pass) readNoted(m *eidmap.Map) error {
	t := newTranslator(m, p.src.fit)
	p.noted = map[attrKey]bool{}
	for _, n := range p.run.session.NotCarried {
		src, ok := p.src.schema.Entity(keyword(n.Attribute))
		if !ok {
			continue
		}
		p.noted[attrKey{src, false}] = true
		clone, ok, err := t.entity(src)
		if err != nil {
			return err
		}
		if ok {
			p.noted[attrKey{clone, true}] = true
		}
	}
	return nil
}

// keyword reads what dclone.Keyword's String wrote.
func keyword(s string) dclone.Keyword {
	ns, name, qualified := strings.Cut(strings.TrimPrefix(s, ":"), "/")
	if !qualified {
		return dclone.Kw("", ns)
	}
	return dclone.Keyword{Namespace: ns, Name: name, EmptyNamespace: ns == ""}
}

// isNoted reports whether something of an attribute or an entity was not carried.
func (p *pass) isNoted(a, e dclone.EntityID, mapped bool) bool {
	return p.noted[attrKey{a, mapped}] || p.noted[attrKey{e, mapped}]
}

// excused reports whether x, a value that source and clone do not both have, was not carried, or whether
// the clone has it to help: an index of an attribute that becomes unique. Of what was not carried it has at most what it
// was born with.
func (c *comparer) excused(x pair) bool {
	switch {
	case !c.r.live:
		return false
	case x.src != nil && x.src.flags&mayLack == 0:
		return false
	case x.clone == nil:
		return c.p.isNoted(x.src.a, x.src.e, x.src.flags&unmapped == 0)
	case x.src == nil && x.clone.a == c.r.born.clone.index && c.p.indexed[x.clone.e]:
		return true
	}
	return x.clone.flags&born != 0 && c.p.isNoted(x.clone.a, x.clone.e, true)
}
