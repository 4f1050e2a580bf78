package pro

import (
	"cmp"
	"context"
	"fmt"
	"iter"

	"dclone"
	"dclone/datomic/segment"
)

// A tree is one of those an index consists of.
type tree struct {
	*nodes
	index   segment.Index
	root    segment.ID
	ordered bool // what is read of it must have its values in our order, too
}

// A stretch is what a tree has of the entities or attributes, whichever it is sorted by first, from
// lo on and before hi.
type stretch struct{ lo, hi dclone.EntityID }

// A spanRef is a span of a leaf, and the key of what follows it.
type spanRef struct {
	segment.Span
	next segment.Key
}

// endKey follows all others.
var endKey = segment.Key{E: 1<<63 - 1, A: 1<<63 - 1}

// first and second are what the tree is sorted by.
func (t tree) first(e, a dclone.EntityID) dclone.EntityID {
	if t.index == segment.EAVT {
		return e
	}
	return a
}

func (t tree) second(e, a dclone.EntityID) dclone.EntityID {
	if t.index == segment.EAVT {
		return a
	}
	return e
}

// compare compares as much of two keys as both have: 0, and nil for V, stand for what a key leaves
// out. The key of a node may have the beginning of a string for its V, which is less than the whole.
func (t tree) compare(x, y segment.Key) int {
	if c := cmp.Compare(t.first(x.E, x.A), t.first(y.E, y.A)); c != 0 {
		return c
	}
	a, b := t.second(x.E, x.A), t.second(y.E, y.A)
	switch {
	case a != b && a != 0 && b != 0:
		return cmp.Compare(a, b)
	case a != b || !t.ordered || x.V == nil || y.V == nil:
		return 0
	}
	return compare(x.V, y.V)
}

// misplaced reports whether y must not follow x.
func (t tree) misplaced(x, y dclone.Datom) bool {
	xs, ys := [2]dclone.EntityID{x.A, x.E}, [2]dclone.EntityID{y.A, y.E}
	if t.index == segment.EAVT {
		xs, ys = [2]dclone.EntityID{x.E, x.A}, [2]dclone.EntityID{y.E, y.A}
	}
	if xs != ys {
		return xs[0] > ys[0] || xs[0] == ys[0] && xs[1] > ys[1]
	}
	return t.ordered && inTree(x, y) > 0
}

// touches reports whether what is from key on and before next can be of a stretch.
func (t tree) touches(s stretch, key, next segment.Key) bool {
	return t.first(key.E, key.A) < s.hi && t.first(next.E, next.A) >= s.lo
}

// spans yields the spans that have to do with a stretch.
func (t tree) spans(ctx context.Context, s stretch) iter.Seq2[spanRef, error] {
	return func(yield func(spanRef, error) bool) {
		if t.root == "" {
			return
		}
		children, err := node(ctx, t.nodes, t.root, segment.ParseRootNode)
		if err != nil {
			yield(spanRef{}, err)
			return
		}
		for i, c := range children {
			next := endKey
			if i+1 < len(children) {
				next = children[i+1].Key
			}
			if t.compare(c.Key, next) > 0 {
				yield(spanRef{}, t.damage(t.root, fmt.Errorf("child %d of an %s root is out of order", i+1, t.index)))
				return
			}
			if t.touches(s, c.Key, next) && !t.dirSpans(ctx, s, c, next, yield) {
				return
			}
		}
	}
}

// dirSpans yields those of a dir. It reports false when no more are wanted.
func (t tree) dirSpans(ctx context.Context, s stretch, dir segment.Child, end segment.Key, yield func(spanRef, error) bool) bool {
	spans, err := node(ctx, t.nodes, dir.ID, segment.ParseDirNode)
	if err == nil && len(spans) == 0 {
		err = t.damage(dir.ID, fmt.Errorf("an %s dir without entries", t.index))
	}
	if err != nil {
		yield(spanRef{}, err)
		return false
	}
	last := dir.Key
	for i, span := range spans {
		next := end
		if i+1 < len(spans) {
			next = spans[i+1].Key
		}
		if t.compare(last, span.Key) > 0 || t.compare(span.Key, next) > 0 {
			yield(spanRef{}, t.damage(dir.ID, fmt.Errorf("entry %d of an %s dir is out of order", i, t.index)))
			return false
		}
		last = span.Key
		if t.touches(s, span.Key, next) && !yield(spanRef{span, next}, nil) {
			return false
		}
	}
	return true
}

// datoms are those of one span that are of a stretch.
type datoms struct {
	leaf  segment.ID
	all   []dclone.Datom
	bytes int
}

func (d datoms) size() int { return d.bytes }

// scan yields the datoms of a stretch, in the order of the tree, span by span.
func (t tree) scan(ctx context.Context, s stretch) iter.Seq2[[]dclone.Datom, error] {
	return func(yield func([]dclone.Datom, error) bool) {
		read := func(ctx context.Context, ref spanRef) (datoms, error) { return t.read(ctx, s, ref) }
		var last dclone.Datom
		for d, err := range ahead(ctx, t.spans(ctx, s), read) {
			if err == nil && len(d.all) == 0 {
				continue
			}
			if err == nil && t.misplaced(last, d.all[0]) {
				err = t.damage(d.leaf, fmt.Errorf("the first datom of an %s leaf belongs into one before", t.index))
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(d.all, nil) {
				return
			}
			last = d.all[len(d.all)-1]
		}
	}
}

// read returns the datoms that a span has of a stretch.
func (t tree) read(ctx context.Context, s stretch, ref spanRef) (d datoms, err error) {
	leaf, bytes, err := t.leaf(ctx, ref)
	if err != nil {
		return d, err
	}
	d = datoms{ref.ID, make([]dclone.Datom, 0, ref.Count), bytes + ref.Count*datomSize}
	var last dclone.Datom
	for i := range ref.Count {
		datom := leaf.Datom(ref.Offset + i)
		if i == 0 && t.compare(ref.Key, keyOf(datom)) > 0 || i > 0 && t.misplaced(last, datom) {
			return d, t.damage(ref.ID, fmt.Errorf("datom %d of an %s leaf is out of order", ref.Offset+i, t.index))
		}
		last = datom
		if first := t.first(datom.E, datom.A); first >= s.lo && first < s.hi {
			d.all = append(d.all, datom)
		}
	}
	if t.compare(keyOf(last), ref.next) > 0 {
		return d, t.damage(ref.ID, fmt.Errorf("the last datom of an %s leaf belongs behind the next leaf", t.index))
	}
	if first := t.first(ref.Key.E, ref.Key.A); len(d.all) == 0 && first >= s.lo && first < s.hi {
		return d, t.damage(ref.ID, fmt.Errorf("an %s leaf has nothing of what its key says it begins with, %d", t.index, first))
	}
	return d, nil
}

func keyOf(d dclone.Datom) segment.Key { return segment.Key{E: d.E, A: d.A, V: d.V} }

// leaf reads the leaf of a span, and returns about how much memory it takes. It is kept where
// other spans may want it.
func (t tree) leaf(ctx context.Context, ref spanRef) (*segment.Leaf, int, error) {
	leaf, known := t.find(ref.ID).(*segment.Leaf)
	size := 0
	if !known {
		raw, err := t.unpacked(ctx, nil, ref.ID)
		if err != nil {
			return nil, 0, err
		}
		if leaf, err = segment.ParseLeaf(raw); err != nil {
			return nil, 0, t.at(ref.ID, err)
		}
		size = grown * len(raw)
	}
	if ref.Count <= 0 || ref.Offset < 0 || ref.Offset > leaf.Len() || ref.Count > leaf.Len()-ref.Offset {
		return nil, 0, t.damage(ref.ID, fmt.Errorf("datoms %d to %d are asked for, of %d", ref.Offset, ref.Offset+ref.Count, leaf.Len()))
	}
	if !known && ref.Count < leaf.Len() {
		t.keep(ref.ID, leaf, size)
	}
	return leaf, size, nil
}
