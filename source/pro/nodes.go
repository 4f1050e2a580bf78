package pro

import (
	"container/list"
	"context"
	"fmt"
	"sync"

	"dclone/datomic/segment"
	"dclone/store"
)

const (
	// cacheSize bounds what nodes keeps, in bytes, about.
	cacheSize = 32 << 20
	// grown is how many bytes a parsed node takes for each byte of it unpacked, about.
	grown = 3
	// maxSegment bounds what a segment may unpack to. Datomic's own are below 100 kB, but for those
	// that hold a larger transaction or value.
	maxSegment = 256 << 20
)

// nodes reads segments, and keeps those that will be asked for again. Many goroutines may use one.
type nodes struct {
	db store.Database

	mu    sync.Mutex
	byID  map[segment.ID]*list.Element // of *kept
	order *list.List                   // the last used first
	size  int
}

// A kept is what a segment was parsed to.
type kept struct {
	id   segment.ID
	node any
	size int
}

func newNodes(db store.Database) *nodes {
	return &nodes{db: db, byID: map[segment.ID]*list.Element{}, order: list.New()}
}

// unpacked appends a segment, unpacked, to dst.
func (n *nodes) unpacked(ctx context.Context, dst []byte, id segment.ID) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return dst, err
	}
	if id == "" {
		return dst, n.damage(id, fmt.Errorf("no id where one belongs"))
	}
	stored, err := n.db.Segment(ctx, id)
	if err != nil {
		return dst, err
	}
	raw, err := segment.Unpack(dst, stored, maxSegment)
	if err != nil {
		return dst, n.at(id, err)
	}
	return raw, nil
}

// at says of an error where it was met.
func (n *nodes) at(id segment.ID, err error) error {
	return fmt.Errorf("read segment %s of %s: %w", id, n.db, err)
}

// damage makes an error of what a segment has that it must not have.
func (n *nodes) damage(id segment.ID, err error) error {
	return n.at(id, &segment.DamageError{Kind: "node", Err: err})
}

// node returns what parse makes of a segment, and keeps it.
func node[T any](ctx context.Context, n *nodes, id segment.ID, parse func([]byte) (T, error)) (parsed T, err error) {
	if known, ok := n.find(id).(T); ok {
		return known, nil
	}
	raw, err := n.unpacked(ctx, nil, id)
	if err != nil {
		return parsed, err
	}
	if parsed, err = parse(raw); err != nil {
		return parsed, n.at(id, err)
	}
	n.keep(id, parsed, grown*len(raw))
	return parsed, nil
}

// find returns what is kept of a segment, nil where nothing is.
func (n *nodes) find(id segment.ID) any {
	n.mu.Lock()
	defer n.mu.Unlock()
	e := n.byID[id]
	if e == nil {
		return nil
	}
	n.order.MoveToFront(e)
	return e.Value.(*kept).node
}

// keep takes a parsed segment in, and drops those not used for longest where there are too many.
func (n *nodes) keep(id segment.ID, parsed any, size int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if old := n.byID[id]; old != nil {
		n.drop(old)
	}
	n.byID[id] = n.order.PushFront(&kept{id, parsed, size})
	for n.size += size; n.size > cacheSize; {
		n.drop(n.order.Back())
	}
}

func (n *nodes) drop(e *list.Element) {
	k := n.order.Remove(e).(*kept)
	delete(n.byID, k.id)
	n.size -= k.size
}
