package verify

import (
	"fmt"
	"slices"

	"dclone"
	"dclone/edn"
	"dclone/eidmap"
	"dclone/fressian"
)

// compareSchemas compares what the two logs say of attributes and idents.
func (r *run) compareSchemas(p *pass) error {
	p.checkBatches()
	p.compareIdents()
	return r.withMap(func(m *eidmap.Map) error {
		return p.compareAttributes(newTranslator(m, p.src.fit))
	})
}

func (p *pass) compareAttributes(t *translator) error {
	met := map[dclone.EntityID]bool{}
	for a := range p.src.schema.Attributes() {
		if p.excused(a.ID) {
			continue
		}
		e, ok, err := t.entity(a.ID)
		if err != nil {
			return err
		}
		c := p.clone.schema.Attribute(e)
		if !ok || c == nil {
			p.schemaFinding(a, nil, e, "the clone has not installed it")
			continue
		}
		met[e] = true
		if p.noted[attrKey{p.run.born.src.doc, false}] {
			a, c = withoutDoc(a), withoutDoc(c) // datoms tell
		}
		for _, d := range attributeDiffs(a, c) {
			p.schemaFinding(a, c, e, d)
		}
	}
	for c := range p.clone.schema.Attributes() {
		if !met[c.ID] && (p.run.born.alike || !p.run.born.has[c.ID]) {
			p.schemaFinding(nil, c, c.ID, "only the clone has installed it")
		}
	}
	return nil
}

func withoutDoc(a *dclone.Attribute) *dclone.Attribute {
	of := *a
	of.Doc = ""
	return &of
}

// excused reports whether an attribute of the source need not be in the clone as it is there: a builtin
// of another kind of database, or one that the clone cannot have.
func (p *pass) excused(a dclone.EntityID) bool {
	if _, builtin := p.src.fit.Builtin(a); builtin {
		return !p.run.born.alike
	}
	return p.src.fit.Column(a).RefusesAll()
}

func (p *pass) schemaFinding(a, c *dclone.Attribute, clone dclone.EntityID, text string) {
	d := Difference{Kind: KindSchema, CloneEntity: clone}
	if c != nil {
		d.Attribute = c.Ident.String()
	}
	if a != nil {
		d.Attribute, d.SourceEntity = a.Ident.String(), a.ID
	}
	d.Text = fmt.Sprintf("attribute %s: %s", d.Attribute, text)
	p.run.found.add(finding{Difference: d})
}

// attributeDiffs says how the clone's attribute c differs from the source's a.
func attributeDiffs(a, c *dclone.Attribute) []string {
	var diffs []string
	diff := func(what string, src, clone any) {
		if s, c := fmt.Sprint(src), fmt.Sprint(clone); s != c {
			diffs = append(diffs, fmt.Sprintf("%s is %s in the source, %s in the clone", what, shorten(s), shorten(c)))
		}
	}
	diff(":db/ident", a.Ident, c.Ident)
	diff(":db/valueType", a.ValueType, c.ValueType)
	diff(":db.cardinality/many", a.Many, c.Many)
	diff(":db/unique", a.Unique, c.Unique)
	diff(":db/isComponent", a.IsComponent, c.IsComponent)
	diff(":db/noHistory", a.NoHistory, c.NoHistory)
	diff(":db/doc", string(edn.Append(nil, a.Doc)), string(edn.Append(nil, c.Doc)))
	diff(":db/tupleType", a.TupleType, c.TupleType)
	diff(":db/tupleTypes", a.TupleTypes, c.TupleTypes)
	diff(":db/tupleAttrs", a.TupleAttrs, c.TupleAttrs)
	if a.Refs != c.Refs && len(diffs) == 0 {
		diffs = append(diffs, "its values hold entity ids at other places in the clone")
	}
	return diffs
}

// compareIdents makes sure that every keyword names, in the clone, the clone of what it names in
// the source.
func (p *pass) compareIdents() {
	for _, kw := range sortedIdents(p.src.idents) {
		s := p.src.idents[kw]
		c, ok := p.clone.idents[kw]
		switch {
		case !s.mapped:
			p.identFinding(kw, s.src, 0, "names source entity %d, which has no clone", s.src)
		case !ok:
			p.identFinding(kw, s.src, s.clone, "names nothing in the clone; it should name entity %d", s.clone)
		case c.clone != s.clone:
			p.identFinding(kw, s.src, c.clone, "names entity %d in the clone; it should name entity %d", c.clone, s.clone)
		}
	}
	for _, kw := range sortedIdents(p.clone.idents) {
		if _, ok := p.src.idents[kw]; !ok {
			e := p.clone.idents[kw].clone
			p.identFinding(kw, 0, e, "names entity %d in the clone, and nothing in the source", e)
		}
	}
}

func (p *pass) identFinding(kw string, src, clone dclone.EntityID, format string, args ...any) {
	ident := readable(dclone.Value(kw))
	p.run.found.add(finding{Difference: Difference{Kind: KindIdent, Ident: ident, SourceEntity: src, CloneEntity: clone,
		Text: ident + " " + fmt.Sprintf(format, args...)}})
}

func sortedIdents(idents map[string]named) []string {
	var kws []string
	for kw := range idents {
		kws = append(kws, kw)
	}
	slices.Sort(kws)
	return kws
}

// readable prints a stored value.
func readable(v dclone.Value) string {
	x, rest, err := fressian.Decode(v)
	if err != nil || len(rest) > 0 {
		return shorten(fmt.Sprintf("bytes %x", []byte(v)))
	}
	switch x.(type) {
	case fressian.Set, fressian.Map, fressian.Objects, fressian.Regex, fressian.Tagged,
		[]int32, []int64, []float32, []float64, []bool: // no database holds them
		return shorten(fmt.Sprint(x))
	}
	return shorten(string(edn.Append(nil, x)))
}

// maxText is how long a value may be, in bytes, to be printed whole.
const maxText = 200

func shorten(s string) string {
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for cut > 0 && s[cut]&0xc0 == 0x80 { // not within a character
		cut--
	}
	return fmt.Sprintf("%s… (%d bytes)", s[:cut], len(s))
}
