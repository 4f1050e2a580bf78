package segment

import (
	"fmt"

	"dclone"
)

// A Leaf holds datoms of an index, in its order.
type Leaf struct {
	v     []dclone.Value
	e     []int64
	a     []int32
	t     []int64
	added []bool
}

// ParseLeaf reads a leaf of an index tree, which aliases raw.
func ParseLeaf(raw []byte) (*Leaf, error) {
	r := newReader(KindLeaf, raw)
	l := r.leaf()
	if err := r.end(); err != nil {
		return nil, err
	}
	return l, nil
}

// Len returns how many datoms there are.
func (l *Leaf) Len() int { return len(l.v) }

// Datom returns datom i. Its value aliases memory of l.
func (l *Leaf) Datom(i int) dclone.Datom {
	return dclone.Datom{
		E: dclone.EntityID(l.e[i]), A: dclone.EntityID(l.a[i]), V: l.v[i],
		Tx: dclone.TxID(dclone.T(l.t[i])), Added: l.added[i],
	}
}

// leaf reads datoms in columns. After an error it may lack some.
func (r *reader) leaf() *Leaf {
	r.head(tagLeaf, 5)
	l := new(Leaf)
	items := r.w.Items()
	if n := items.Left(); n > 0 {
		l.v = make([]dclone.Value, 0, min(n, trusted))
	}
	for r.w.More(&items) {
		var v []byte
		v, r.spare = r.w.Value(r.spare)
		l.v = append(l.v, v)
	}
	at := r.w.Offset()
	l.e = r.w.Longs(nil)
	l.a = r.w.Ints(nil)
	l.t = r.w.Longs(nil)
	l.added = r.w.Bools(nil)
	if n := len(l.v); r.ok() && (len(l.e) != n || len(l.a) != n || len(l.t) != n || len(l.added) != n) {
		r.fail(at, fmt.Errorf("%d values, but %d e, %d a, %d t and %d added", n, len(l.e), len(l.a), len(l.t), len(l.added)))
	}
	for i := 0; i < len(l.v) && r.ok(); i++ {
		if l.e[i] < 0 || l.a[i] < 0 || l.t[i] < 0 || l.t[i] > dclone.MaxEidx {
			r.fail(at, fmt.Errorf("datom %d has e %d, a %d, t %d", i, l.e[i], l.a[i], l.t[i]))
		}
	}
	return l
}

// trusted is how many values are allocated because a count says so.
const trusted = 8192
