package backup

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"dclone"
	"dclone/datomic/segment"
)

// A place is where in the trees a node is.
type place int

const (
	indexRoot place = iota
	treeRoot
	treeDir
	treeLeaf
	searchRoot
	searchFiles
	searchChunk
	logRoot
	logDir
	logLeaf
)

func (p place) String() string {
	return [...]string{"index root", "index tree root", "index dir", "index leaf",
		"full-text root", "full-text files", "full-text chunk", "log root", "log dir", "log leaf"}[p]
}

// kinds say what a node must be, by place, and below where its children are.
var (
	kinds = [...]segment.Kind{segment.KindIndexRoot, segment.KindRootNode, segment.KindDirNode, segment.KindLeaf,
		segment.KindSearchRoot, segment.KindFiles, segment.KindChunk, segment.KindLogDir, segment.KindLogDir, segment.KindLogLeaf}
	below = [...]place{indexRoot: treeRoot, treeRoot: treeDir, treeDir: treeLeaf, searchRoot: searchFiles,
		searchFiles: searchChunk, logRoot: logDir, logDir: logLeaf}
)

// isLeaf reports whether nodes at p refer to no others.
func (p place) isLeaf() bool { return p == treeLeaf || p == searchChunk || p == logLeaf }

// A node is a segment, and what the nodes above it say of it.
type node struct {
	id    segment.ID
	at    place
	index segment.Index // of a node of an index tree

	// What is below a node of an index tree lies from low up to next, which it does not
	// reach; a leaf has several spans if a dir names it several times. They are nil where nothing is
	// said. In the log it is t that lies so; there, next is 0 where nothing is said.
	low, next   *segment.Key
	spans       []span
	lowT, nextT dclone.T
}

// A span is what a dir says of some datoms of a leaf.
type span struct {
	segment.Span
	low, next *segment.Key
}

func (n node) String() string { return fmt.Sprintf("%s %s", n.at, n.id) }

// open reads a node: it unpacks what is stored, has look look at it, and returns what is below. buf is
// memory for the unpacked bytes; what it has become is returned too.
func (n node) open(stored, buf []byte, look looker) (children []node, raw []byte, err error) {
	raw, err = segment.Unpack(buf[:0], stored, segment.MaxSize)
	if err != nil {
		return nil, raw, err
	}
	kind, ids, err := look(raw)
	switch {
	case len(stored) == 0:
		return nil, raw, errEmpty
	case err != nil && !bytes.HasPrefix(stored, gzipMagic):
		return nil, raw, fmt.Errorf("it is not gzip: %w", err)
	case err != nil:
		return nil, raw, err
	case kind != kinds[n.at] && !emptyLogLeaf(n.at, kind, ids):
		return nil, raw, fmt.Errorf("it is a node of another kind: %s", kind)
	case n.at == indexRoot:
		children, err = openIndexRoot(raw)
	default:
		for _, id := range ids {
			children = append(children, node{id: id, at: below[n.at], index: n.index})
		}
	}
	return children, raw, err
}

var (
	errEmpty = &segment.DamageError{Kind: segment.Packed.String(), Err: errors.New("it is empty")}
	// gzipMagic begins what was packed. Small nodes need not be.
	gzipMagic = []byte{0x1f, 0x8b}
)

// A looker is segment.Check, which reads every value too, or glance.
type looker func(raw []byte) (segment.Kind, []segment.ID, error)

// glance reads the structure of a node to its end. That values are as they were written, the checksums of
// gzip and footer say.
func glance(raw []byte) (segment.Kind, []segment.ID, error) {
	kind, ids, err := segment.Children(raw)
	if err != nil {
		return kind, nil, err
	}
	switch kind {
	case segment.KindLeaf:
		_, err = segment.ParseLeaf(raw)
	case segment.KindLogLeaf:
		if _, err = lastTx(raw, false); errors.Is(err, errNoTxs) {
			err = nil
		}
	}
	return kind, ids, err
}

// emptyLogLeaf allows for a list without elements, which is no more a dir than a leaf.
func emptyLogLeaf(at place, kind segment.Kind, ids []segment.ID) bool {
	return at == logLeaf && kind == segment.KindLogDir && len(ids) == 0
}

func openIndexRoot(raw []byte) (children []node, err error) {
	r, err := segment.ParseIndexRoot(raw)
	if err != nil {
		return nil, err
	}
	for x, tiers := range r.Trees {
		for _, id := range tiers {
			if id != "" {
				children = append(children, node{id: id, at: treeRoot, index: segment.Index(x)})
			}
		}
	}
	for _, id := range []segment.ID{r.Fulltext, r.FulltextHist} {
		if id != "" {
			children = append(children, node{id: id, at: searchRoot})
		}
	}
	return children, nil
}

var errNoTxs = errors.New("there are no transactions")

// lastTx reads all transactions of a log leaf or tail and returns the last one's t and instant. The
// error is errNoTxs where there are none.
func lastTx(raw []byte, tail bool) (p Point, err error) {
	r := segment.NewTxReader(raw, tail)
	err = errNoTxs
	for r.Next() {
		p, err = Point{T: r.Tx().T, Instant: r.Tx().Instant, ID: r.Tx().ID}, nil
	}
	if r.Err() != nil {
		return p, r.Err()
	}
	return p, err
}

// buffers are memory for unpacked segments.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxBuffer is the largest buffer that is kept: most segments have some 50 kB.
const maxBuffer = 1 << 20

// check is open, with a glance, for who does not need what was unpacked.
func (n node) check(stored []byte) ([]node, error) {
	buf := buffers.Get().(*[]byte)
	children, raw, err := n.open(stored, *buf, glance)
	if cap(raw) <= maxBuffer {
		*buf = raw
		buffers.Put(buf)
	}
	return children, err
}

// sameUnpacked reports whether two stored forms unpack to the same.
func sameUnpacked(a, b []byte) bool {
	x, err := segment.Unpack(nil, a, segment.MaxSize)
	if err != nil {
		return false
	}
	y, err := segment.Unpack(nil, b, segment.MaxSize)
	return err == nil && bytes.Equal(x, y)
}
