package local

import (
	"bytes"
	"cmp"
	"slices"

	"dclone"
)

const (
	// indexRecord is how many bytes it takes to sort a record by its value, of which
	// arenaBytes are for the head of the value's form.
	indexRecord = 80
	arenaBytes  = 27

	// A table keeps 2 to 8 chunks of a form, according to how many records it has room for.
	minHead, maxHead = 2 * chunkBytes, 8 * chunkBytes

	// maxIndexChunk keeps the arena below 4 GiB.
	maxIndexChunk = 1 << 26

	longer = 0x80 // in a size: the form goes on behind its head
)

// A formTable holds what sorting asks of some datoms: for each the head of its value's form, and
// enough of its transaction to tell which cannot be the same.
type formTable struct {
	pointers []Pointer
	txs      []uint32
	from     []uint32 // where the head begins in the arena
	size     []uint8  // bytes of it, and longer
	order    []uint32 // of reading; empty where the datoms are read as they come
	arena    []byte
	room     int // for the arena
	head     int // bytes that are kept of a form
}

// reset makes t ready for the datoms of r.
func (t *formTable) reset(r []Record) {
	n := len(r)
	t.pointers = slices.Grow(t.pointers[:0], n)[:n]
	t.txs = slices.Grow(t.txs[:0], n)[:n]
	t.from = slices.Grow(t.from[:0], n)[:n]
	t.size = slices.Grow(t.size[:0], n)[:n]
	t.arena, t.order = t.arena[:0], t.order[:0]
	t.head = min(max(t.room/max(n, 1)/chunkBytes*chunkBytes, minHead), maxHead)
	back := 0
	for i := range r {
		t.pointers[i] = r[i].P
		if i > 0 && r[i].P < r[i-1].P {
			back++
		}
	}
	if back > n/8 {
		t.sortOrder(n)
	}
}

// sortOrder makes the datoms be read in the order of the log. What was updated at random would
// else be read at random.
func (t *formTable) sortOrder(n int) {
	for i := range n {
		t.order = append(t.order, uint32(i))
	}
	slices.SortFunc(t.order, func(i, j uint32) int { return cmp.Compare(t.pointers[i], t.pointers[j]) })
}

// inOrder returns the index of the datom to be read k-th.
func (t *formTable) inOrder(k int) int {
	if len(t.order) == 0 {
		return k
	}
	return int(t.order[k])
}

// keepTx keeps so much of the transaction of a datom that those of two differ where it differs.
func (t *formTable) keepTx(i int, tx dclone.EntityID) { t.txs[i] = uint32(tx.T()) }

// keep keeps the head of a form.
func (t *formTable) keep(i int, form []byte) {
	size := uint8(len(form))
	if len(form) > t.head {
		form, size = form[:t.head], uint8(t.head)|longer
	}
	if t.arena == nil {
		t.arena = make([]byte, 0, t.room)
	}
	t.from[i], t.size[i] = uint32(len(t.arena)), size
	t.arena = append(t.arena, form...)
}

func (t *formTable) form(i Pointer) (head []byte, more bool) {
	size := t.size[i]
	return t.arena[t.from[i] : t.from[i]+uint32(size&^longer)], size&longer != 0
}

// key returns the key of what a form holds from an offset on, which must be less than t.head.
func (t *formTable) key(i Pointer, offset int) uint64 {
	head, more := t.form(i)
	key := chunkKey(head, offset)
	if more {
		key = key&^0xff | moreChunks // the last chunk of a head looks like the last of a form
	}
	return key
}

// compare compares forms as far as t has them.
func (t *formTable) compare(i, j Pointer) int {
	a, moreA := t.form(i)
	b, moreB := t.form(j)
	if c := bytes.Compare(a, b); c != 0 || moreA == moreB {
		return c
	}
	if moreB {
		return -1
	}
	return 1
}
