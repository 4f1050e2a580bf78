package segment

import (
	"errors"
	"fmt"

	"dclone/fressian"
)

// Children returns what kind of node raw is, and the ids of the segments it refers to: what must be
// copied along with it. An id may be there more than once. Of leaves and pieces, which refer to
// none, no more is looked at than their head and their footer; Check looks at all.
func Children(raw []byte) (Kind, []ID, error) {
	kind, err := KindOf(raw)
	if err != nil {
		return Unknown, nil, err
	}
	ids, err := childrenOf(kind, raw)
	return kind, ids, err
}

// Check is Children, but reads every byte.
func Check(raw []byte) (Kind, []ID, error) {
	kind, ids, err := Children(raw)
	switch {
	case err != nil:
		return kind, nil, err
	case kind == KindLeaf:
		_, err = ParseLeaf(raw)
	case kind == KindLogLeaf:
		r := NewTxReader(raw, false)
		for r.Next() {
		}
		err = r.Err()
	}
	if err == nil {
		_, err = decode(kind, raw) // which looks into values
	}
	return kind, ids, err
}

// KindOf returns what kind of node raw is, by its head. A list of nothing is taken for a log dir.
func KindOf(raw []byte) (Kind, error) {
	w := fressian.NewWalker(raw)
	kind := kindOf(w)
	if err := w.Err(); err != nil {
		return Unknown, damage(Unknown, err)
	}
	return kind, nil
}

var kindsByTag = map[string]Kind{tagRootNode: KindRootNode, tagDirNode: KindDirNode, tagLeaf: KindLeaf,
	tagSearchRoot: KindSearchRoot, tagFiles: KindFiles, tagChunk: KindChunk}

func kindOf(w *fressian.Walker) Kind {
	at := w.Offset()
	switch w.Next() {
	case fressian.IsMap:
		return KindIndexRoot
	case fressian.IsList:
		items := w.Items()
		if !w.More(&items) {
			return KindLogDir
		}
		if w.Next() == fressian.IsMap {
			return KindLogLeaf
		}
		if tag, _ := w.Struct(); string(tag) != tagLogDir {
			w.Fail(&DamageError{Unknown.String(), at, fmt.Errorf("lists of %.40q are of no known kind", tag)})
		}
		return KindLogDir
	case fressian.IsStruct:
		tag, _ := w.Struct()
		if kind, ok := kindsByTag[string(tag)]; ok {
			return kind
		}
		w.Fail(&DamageError{Unknown.String(), at, fmt.Errorf("kind %.40q is not known", tag)})
		return Unknown
	}
	w.Fail(&DamageError{Unknown.String(), at, errors.New("it is neither map nor list nor struct")})
	return Unknown
}

func childrenOf(kind Kind, raw []byte) (ids []ID, err error) {
	switch kind {
	case KindIndexRoot:
		r, err := ParseIndexRoot(raw)
		if err != nil {
			return nil, err
		}
		return r.IDs(), nil
	case KindRootNode:
		return childIDs(ParseRootNode, raw, func(c Child) ID { return c.ID })
	case KindDirNode:
		return childIDs(ParseDirNode, raw, func(s Span) ID { return s.ID })
	case KindLogDir:
		return childIDs(ParseLogDir, raw, func(e LogEntry) ID { return e.ID })
	case KindSearchRoot:
		return searchIDs(raw)
	case KindFiles:
		return chunkIDs(raw)
	case KindLogLeaf:
		return nil, nil // without footer, mostly
	}
	_, err = fressian.CheckFooter(raw)
	return nil, damage(kind, err)
}

func childIDs[T any](parse func([]byte) ([]T, error), raw []byte, id func(T) ID) (ids []ID, err error) {
	entries, err := parse(raw)
	for _, e := range entries {
		// The spans of one leaf follow each other.
		if n := len(ids); n == 0 || ids[n-1] != id(e) {
			ids = append(ids, id(e))
		}
	}
	return ids, err
}
