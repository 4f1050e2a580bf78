package segment

import (
	"fmt"

	"dclone"
	"dclone/fressian"

	"github.com/google/uuid"
)

// A File is a file of a full-text index.
type File struct {
	Name   string
	Base   ID
	Length int64
}

// AppendSearchRoot appends a full-text root: by attribute the id of its files.
func AppendSearchRoot(dst []byte, attributes []dclone.EntityID, files []ID) ([]byte, error) {
	if len(attributes) != len(files) {
		return dst, fmt.Errorf("write %s: %d attributes and %d ids", KindSearchRoot, len(attributes), len(files))
	}
	ids, err := objects(KindSearchRoot, len(files), func(i int) ID { return files[i] })
	if err != nil {
		return dst, err
	}
	m := make(fressian.Map, len(ids))
	for i := range m {
		m[i] = fressian.Entry{Key: int64(attributes[i]), Value: ids[i]}
	}
	return appendNode(dst, KindSearchRoot, node(tagSearchRoot, m))
}

// AppendFiles appends the files of a full-text index, which go in pieces of a size.
func AppendFiles(dst []byte, files []File, size int64) ([]byte, error) {
	m := make(fressian.Map, len(files))
	for i, f := range files {
		base, err := uuid.Parse(f.Base)
		if err != nil {
			return dst, fmt.Errorf("write %s: id %q: %w", KindFiles, f.Base, err)
		}
		m[i] = fressian.Entry{Key: f.Name, Value: fressian.Map{entry("base", base), entry("length", f.Length)}}
	}
	return appendNode(dst, KindFiles, node(tagFiles, m, size))
}

// AppendChunk appends a piece of a file.
func AppendChunk(dst, piece []byte) []byte {
	dst, _ = appendNode(dst, KindChunk, node(tagChunk, piece)) // bytes cannot fail
	return dst
}
