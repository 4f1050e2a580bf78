package segmenttest

import (
	"slices"

	"dclone"
	"dclone/datomic/segment"
)

// tree stores a tree of sorted datoms and returns the id of its root.
func (b *builder) tree(x segment.Index, datoms []dclone.Datom) segment.ID {
	var spans []segment.Span
	for len(datoms) > 0 {
		n := b.leafLen(x, datoms)
		id := b.put(segment.AppendLeaf(nil, datoms[:n]))
		spans = append(spans, cut(id, datoms[:n])...)
		datoms = datoms[n:]
	}
	var children []segment.Child
	for spans := range slices.Chunk(spans, b.o.DirSpans) {
		children = append(children, segment.Child{Key: spans[0].Key, ID: b.put(segment.AppendDirNode(nil, spans))})
	}
	return b.put(segment.AppendRootNode(nil, children))
}

// leafLen returns how many datoms go in the next leaf: where attributes come first, those of one.
func (b *builder) leafLen(x segment.Index, datoms []dclone.Datom) int {
	n := min(len(datoms), b.o.LeafDatoms)
	if b.o.WithoutBorders || x != segment.AEVT && x != segment.AVET {
		return n
	}
	for i := range n {
		if datoms[i].A != datoms[0].A {
			return i
		}
	}
	return n
}

// cut returns the spans of a leaf: where it is large enough there are two, as Datomic leaves them
// behind when it writes part of a tree anew.
func cut(id segment.ID, datoms []dclone.Datom) []segment.Span {
	span := func(from, to int) segment.Span {
		return segment.Span{Key: key(datoms[from]), ID: id, Offset: from, Count: to - from}
	}
	if n := len(datoms); n > 10 {
		return []segment.Span{span(0, n/3), span(n/3, n)}
	}
	return []segment.Span{span(0, len(datoms))}
}

// key is not as sparse as Datomic's.
func key(d dclone.Datom) segment.Key {
	return segment.Key{E: d.E, A: d.A, V: d.V, T: d.Tx.T()}
}

// fulltext stores files that no Lucene would read, and returns the id of their root.
func (b *builder) fulltext(content string) segment.ID {
	const doc, size = 62, 4
	file := segment.File{Name: "_0.tis", Length: int64(len(content))}
	file.Base = b.put([]byte(content), nil)
	delete(b.db.Segments, file.Base) // the name alone is wanted
	for i := 0; i*size < len(content); i++ {
		piece := content[i*size : min((i+1)*size, len(content))]
		id := segment.ChunkID(file.Base, int64(i))
		b.db.Segments[id] = segment.Pack(nil, segment.AppendChunk(nil, []byte(piece)))
	}
	files := b.put(segment.AppendFiles(nil, []segment.File{file, {Name: "empty", Base: file.Base}}, size))
	return b.put(segment.AppendSearchRoot(nil, []dclone.EntityID{doc}, []segment.ID{files}))
}
