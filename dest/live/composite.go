package live

import (
	"errors"
	"fmt"

	"dclone"
	"dclone/fressian"
)

// part returns a datom that makes the clone add d, of a composite tuple, unless one of others does so.
func (t *Translator) part(d dclone.Datom, others []dclone.Datom) (part dclone.Datom, ok bool, err error) {
	parts := map[dclone.EntityID]bool{}
	names := t.Schema.Attribute(d.A).TupleAttrs
	for _, kw := range names {
		a, _ := t.Schema.Entity(kw)
		parts[a] = true
	}
	for _, o := range others {
		if o.E == d.E && parts[o.A] {
			return dclone.Datom{}, false, nil
		}
	}
	v, _, err := fressian.Decode(d.V)
	items, isList := v.([]any)
	if err != nil || !isList || len(items) > len(names) {
		return dclone.Datom{}, false, errors.Join(err, fmt.Errorf("read composite tuple of entity %d: it is damaged", d.E))
	}
	best := -1
	for i, item := range items {
		if item != nil && (best < 0 || t.composites(names[i]) < t.composites(names[best])) {
			best = i // one that other composites share may bring theirs about
		}
	}
	if best < 0 {
		return dclone.Datom{}, false, nil
	}
	value, err := fressian.Append(nil, items[best])
	a, _ := t.Schema.Entity(names[best])
	return dclone.Datom{E: d.E, A: a, V: value, Tx: d.Tx, Added: true}, err == nil, err
}

// composites returns how many composite tuples an attribute is part of.
func (t *Translator) composites(name dclone.Keyword) (n int) {
	n, known := t.shared[name]
	if known {
		return n
	}
	part, _ := t.Schema.Entity(name)
	for at := range t.Schema.Attributes() {
		for _, kw := range at.TupleAttrs {
			if a, _ := t.Schema.Entity(kw); a == part {
				n++
			}
		}
	}
	t.shared[name] = n
	return n
}
