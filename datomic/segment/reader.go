package segment

import (
	"fmt"

	"dclone/fressian"
)

// The tags of the structs that nodes are made of.
const (
	tagRootNode   = "index-root-node"
	tagDirNode    = "index-dir-node"
	tagLeaf       = "index-tdata"
	tagLogDir     = "log-dir"
	tagDatum      = "datum"
	tagSearchRoot = "search-root"
	tagFiles      = "clusterfs-root"
	tagChunk      = "clusterfs-chunk"
)

// A reader reads one node. Its first error stays, and what it reads after it is zeros.
type reader struct {
	kind  Kind
	w     *fressian.Walker
	spare []byte // values that were written anew
}

func newReader(kind Kind, raw []byte) *reader {
	return &reader{kind: kind, w: fressian.NewWalker(raw)}
}

func (r *reader) ok() bool { return r.w.Err() == nil }

// fail keeps an error of what was read at offset.
func (r *reader) fail(offset int, err error) {
	r.w.Fail(&DamageError{r.kind.String(), offset, err})
}

// damage returns the first error.
func (r *reader) damage() error { return damage(r.kind, r.w.Err()) }

// end reads the end of the node, and returns the first error.
func (r *reader) end() error {
	r.w.End()
	return r.damage()
}

// head reads the head of a struct.
func (r *reader) head(tag string, fields int) {
	at := r.w.Offset()
	if got, n := r.w.Struct(); string(got) != tag || n != fields {
		r.fail(at, fmt.Errorf("a struct %.40q of %d fields where %q of %d belongs", got, n, tag, fields))
	}
}
