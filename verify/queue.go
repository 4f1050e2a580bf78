package verify

import (
	"cmp"
	"slices"
)

// byEntity brings together the records of one entity and attribute.
func byEntity(x, y *record) int {
	return cmp.Or(cmp.Compare(x.flags&unmapped, y.flags&unmapped), cmp.Compare(x.a, y.a), cmp.Compare(x.e, y.e))
}

// A queue hands out records group by group: those of one entity and attribute, in the order of
// the log.
type queue struct {
	buf   []byte // for what was in a file
	list  []record
	order []int32
	left  []int32 // the end of order
	taken []record
}

// load makes q hand out part i of a pile. Its values are good until the next is loaded.
func (q *queue) load(p *pile, i int) error {
	b, err := p.bytes(i, &q.buf)
	if err != nil {
		return err
	}
	q.list = appendRecords(q.list[:0], b)
	q.order = q.order[:0]
	for i := range q.list {
		q.order = append(q.order, int32(i))
	}
	q.left = q.order
	list := q.list
	slices.SortFunc(q.order, func(i, j int32) int { return cmp.Or(byEntity(&list[i], &list[j]), cmp.Compare(i, j)) })
	return nil
}

// head returns a record of the next group, nil at the end.
func (q *queue) head() *record {
	if len(q.left) == 0 {
		return nil
	}
	return &q.list[q.left[0]]
}

// take returns the next group. It is good until the next is taken.
func (q *queue) take() []record {
	q.taken = q.taken[:0]
	for head := q.head(); len(q.left) > 0 && byEntity(q.head(), head) == 0; q.left = q.left[1:] {
		q.taken = append(q.taken, *q.head())
	}
	return q.taken
}
