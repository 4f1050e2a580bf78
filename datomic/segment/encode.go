package segment

import (
	"fmt"
	"math"

	"dclone"
	"dclone/fressian"

	"github.com/google/uuid"
)

// appendNode appends a node with a footer, as all are but log leaves.
func appendNode(dst []byte, kind Kind, v any) ([]byte, error) {
	e := fressian.NewEncoder(dst)
	if err := e.Encode(v); err != nil {
		return dst, fmt.Errorf("write %s: %w", kind, err)
	}
	e.Footer()
	return e.Bytes(), nil
}

func node(tag string, fields ...any) any { return fressian.Tagged{Tag: tag, Fields: fields} }

// objects returns the ids as uuids.
func objects(kind Kind, n int, id func(int) ID) (fressian.Objects, error) {
	ids := make(fressian.Objects, n)
	for i := range ids {
		u, err := uuid.Parse(id(i))
		if err != nil {
			return nil, fmt.Errorf("write %s: id %q: %w", kind, id(i), err)
		}
		ids[i] = u
	}
	return ids, nil
}

// keyColumns returns the search keys of a node.
func keyColumns(kind Kind, n int, key func(int) Key) (any, error) {
	return columns(kind, n, func(values []any) any { return fressian.Objects(values) }, func(i int) dclone.Datom {
		k := key(i)
		return dclone.Datom{E: k.E, A: k.A, V: k.V, Tx: dclone.TxID(k.T)}
	})
}

// columns returns n datoms as a leaf holds them.
func columns(kind Kind, n int, wrap func([]any) any, datom func(int) dclone.Datom) (any, error) {
	values, added := make([]any, n), make([]bool, n)
	e, a, t := make([]int64, n), make([]int32, n), make([]int64, n)
	for i := range n {
		d := datom(i)
		if d.A < 0 || d.A > math.MaxInt32 || d.E < 0 || !d.Tx.IsTx() {
			return nil, fmt.Errorf("write %s: datom %d is of entity %d, attribute %d, transaction %d", kind, i, d.E, d.A, d.Tx)
		}
		e[i], a[i], t[i], added[i] = int64(d.E), int32(d.A), d.Tx.Eidx(), d.Added
		if d.V != nil {
			values[i] = fressian.Raw(d.V)
		}
	}
	return node(tagLeaf, wrap(values), e, a, t, added), nil
}

// AppendLeaf appends a leaf of an index, whose order its datoms must have.
func AppendLeaf(dst []byte, datoms []dclone.Datom) ([]byte, error) {
	list := func(values []any) any { return values }
	v, err := columns(KindLeaf, len(datoms), list, func(i int) dclone.Datom { return datoms[i] })
	if err != nil {
		return dst, err
	}
	return appendNode(dst, KindLeaf, v)
}

// AppendDirNode appends a node between the root and the leaves of an index.
func AppendDirNode(dst []byte, spans []Span) ([]byte, error) {
	keys, err := keyColumns(KindDirNode, len(spans), func(i int) Key { return spans[i].Key })
	if err != nil {
		return dst, err
	}
	ids, err := objects(KindDirNode, len(spans), func(i int) ID { return spans[i].ID })
	if err != nil {
		return dst, err
	}
	offsets, counts := make([]int32, len(spans)), make([]int32, len(spans))
	for i, s := range spans {
		offsets[i], counts[i] = int32(s.Offset), int32(s.Count)
	}
	return appendNode(dst, KindDirNode, node(tagDirNode, keys, ids, offsets, counts))
}

// AppendRootNode appends the root of an index tree.
func AppendRootNode(dst []byte, children []Child) ([]byte, error) {
	keys, err := keyColumns(KindRootNode, len(children), func(i int) Key { return children[i].Key })
	if err != nil {
		return dst, err
	}
	ids, err := objects(KindRootNode, len(children), func(i int) ID { return children[i].ID })
	if err != nil {
		return dst, err
	}
	return appendNode(dst, KindRootNode, node(tagRootNode, keys, ids))
}

// AppendIndexRoot appends an index root. Of version 1 it has only the Main trees.
func AppendIndexRoot(dst []byte, r *IndexRoot) ([]byte, error) {
	m := fressian.Map{entry("birth-level", r.BirthLevel), entry("nextT", int64(r.NextT)),
		entry("schema-level", r.SchemaLevel), entry("basisT", int64(r.BasisT)), entry("rev", r.Rev),
		entry("buildRevision", r.BuildRevision)}
	ids := map[string]ID{"fulltext": r.Fulltext, "fulltext-hist": r.FulltextHist}
	keys := []string{"fulltext", "fulltext-hist"}
	for x := range r.Trees {
		for t, id := range r.Trees[x] {
			key := Index(x).String() + "-" + Tier(t).String()
			if r.Version <= 1 && Tier(t) == Main {
				key = Index(x).String()
			}
			if r.Version > 1 || id != "" {
				keys, ids[key] = append(keys, key), id
			}
		}
	}
	if r.Version > 1 {
		m = append(m, entry("version", int64(r.Version)))
	}
	for _, key := range keys {
		if ids[key] == "" {
			m = append(m, entry(key, nil))
			continue
		}
		id, err := uuid.Parse(ids[key])
		if err != nil {
			return dst, fmt.Errorf("write %s: id %q: %w", KindIndexRoot, ids[key], err)
		}
		m = append(m, entry(key, id))
	}
	return appendNode(dst, KindIndexRoot, m)
}

func entry(name string, v any) fressian.Entry {
	return fressian.Entry{Key: dclone.Kw("", name), Value: v}
}
