package segment

import (
	"errors"
	"fmt"

	"dclone/fressian"

	"github.com/google/uuid"
)

// maxChunks bounds the pieces of one file: a petabyte, as Datomic cuts it.
const maxChunks = 1 << 20

// searchIDs returns the ids in a full-text root.
func searchIDs(raw []byte) (ids []ID, err error) {
	m, _, err := mapStruct(KindSearchRoot, raw, tagSearchRoot, 1)
	for _, e := range m {
		id, ok := e.Value.(uuid.UUID)
		if !ok {
			return nil, &DamageError{KindSearchRoot.String(), 0, fmt.Errorf("%T where the id of attribute %s belongs", e.Value, brief(e.Key))}
		}
		ids = append(ids, id.String())
	}
	return ids, err
}

// chunkIDs returns the ids of the pieces of all files: a file of a length has as many pieces of a
// size as it takes to hold it.
func chunkIDs(raw []byte) (ids []ID, err error) {
	m, more, err := mapStruct(KindFiles, raw, tagFiles, 2)
	if err != nil {
		return nil, err
	}
	size, ok := more[0].(int64)
	if !ok || size <= 0 {
		return nil, &DamageError{KindFiles.String(), 0, fmt.Errorf("pieces of %s bytes", brief(more[0]))}
	}
	for _, e := range m {
		f := recordOf(KindFiles, e.Value)
		base, length := f.id("base"), f.int("length")
		chunks := (length + size - 1) / size
		if base == "" {
			f.fail("a file without its :base")
		} else if chunks > maxChunks || len(ids) > maxChunks {
			f.fail("a file of %d bytes in pieces of %d", length, size)
		}
		if f.err != nil {
			return nil, f.err
		}
		for i := range chunks {
			ids = append(ids, ChunkID(base, i))
		}
	}
	return ids, nil
}

// ChunkID returns the id of a piece of a file, counted from 0.
func ChunkID(base ID, piece int64) ID { return fmt.Sprintf("%s_%015X", base, piece) }

// mapStruct decodes a struct of n fields of which the first is a map.
func mapStruct(kind Kind, raw []byte, tag string, n int) (m fressian.Map, more []any, err error) {
	v, err := decode(kind, raw)
	if err != nil {
		return nil, nil, err
	}
	s, ok := v.(fressian.Tagged)
	if ok = ok && s.Tag == tag && len(s.Fields) == n; ok {
		m, ok = s.Fields[0].(fressian.Map)
	}
	if !ok {
		return nil, nil, &DamageError{kind.String(), 0, errors.New("it is no struct " + tag)}
	}
	return m, s.Fields[1:], nil
}
