package segment

import (
	"fmt"

	"dclone"
	"dclone/fressian"

	"github.com/google/uuid"
)

// A Key is the first datom below a node, as far as it is needed to tell the node from the one
// before: 0, and nil for V, stand for the rest.
type Key struct {
	E, A dclone.EntityID
	V    dclone.Value
	T    dclone.T
}

// A Child is a node below a root node.
type Child struct {
	Key Key
	ID  ID
}

// A Span is a stretch of the datoms of a leaf.
type Span struct {
	Key           Key
	ID            ID
	Offset, Count int
}

// ParseRootNode reads the root of an index tree. The keys alias raw.
func ParseRootNode(raw []byte) ([]Child, error) {
	r := newReader(KindRootNode, raw)
	r.head(tagRootNode, 2)
	keys := r.keys()
	ids := r.ids(len(keys))
	if err := r.end(); err != nil {
		return nil, err
	}
	children := make([]Child, len(ids))
	for i := range children {
		children[i] = Child{keys[i], ids[i]}
	}
	return children, nil
}

// ParseDirNode reads a node between the root and the leaves of an index tree. The keys alias raw.
// Several spans may be of one leaf.
func ParseDirNode(raw []byte) ([]Span, error) {
	r := newReader(KindDirNode, raw)
	r.head(tagDirNode, 4)
	keys := r.keys()
	ids := r.ids(len(keys))
	at := r.w.Offset()
	offsets := r.w.Ints(nil)
	counts := r.w.Ints(nil)
	if r.ok() && (len(offsets) != len(ids) || len(counts) != len(ids)) {
		r.fail(at, fmt.Errorf("%d ids, %d offsets and %d counts", len(ids), len(offsets), len(counts)))
	}
	spans := make([]Span, 0, len(ids))
	for i := 0; i < len(ids) && r.ok(); i++ {
		spans = append(spans, Span{keys[i], ids[i], int(offsets[i]), int(counts[i])})
		if offsets[i] < 0 || counts[i] < 0 {
			r.fail(at, fmt.Errorf("entry %d has offset %d and count %d", i, offsets[i], counts[i]))
		}
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return spans, nil
}

// keys reads the search keys of a node.
func (r *reader) keys() []Key {
	l := r.leaf()
	keys := make([]Key, 0, l.Len())
	for i := 0; i < l.Len() && r.ok(); i++ {
		k := Key{dclone.EntityID(l.e[i]), dclone.EntityID(l.a[i]), l.v[i], dclone.T(l.t[i])}
		if fressian.IsNil(k.V) {
			k.V = nil
		}
		keys = append(keys, k)
	}
	return keys
}

// ids reads an array of n uuids.
func (r *reader) ids(n int) []ID {
	var ids []ID
	at := r.w.Offset()
	items := r.w.Items()
	for r.w.More(&items) {
		ids = append(ids, r.id())
	}
	if r.ok() && len(ids) != n {
		r.fail(at, fmt.Errorf("%d keys and %d ids", n, len(ids)))
	}
	return ids
}

func (r *reader) id() ID { return uuid.UUID(r.w.UUID()).String() }
