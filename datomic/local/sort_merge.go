package local

// A merger reads runs as one. A run is a stretch whose records are sorted by E as an unsigned
// number; records of equal E come run after run.
type merger struct {
	cursors []cursor
	heap    []head // of the runs that have records left, the least at the top
}

// A head stands for the next record of a run.
type head struct {
	key uint64 // its E
	run int32
}

func (h head) before(other head) bool {
	return h.key < other.key || h.key == other.key && h.run < other.run
}

// A cursor is how far a merger has read one run.
type cursor struct {
	stretch
	ahead []Record // records read ahead; the first is the run's head
	space []Record
}

// newMerger begins to merge runs, reading ahead into equal parts of space. Where that has fewer
// records than there are runs, each gets one all the same.
func newMerger(runs []stretch, space []Record) (*merger, error) {
	if len(space) < len(runs) {
		space = make([]Record, len(runs))
	}
	m := &merger{cursors: make([]cursor, len(runs)), heap: make([]head, 0, len(runs))}
	per := len(space) / max(len(runs), 1)
	for i, r := range runs {
		c := &m.cursors[i]
		c.stretch, c.space = r, space[i*per:(i+1)*per]
		if err := c.load(); err != nil {
			return nil, err
		}
		if len(c.ahead) > 0 {
			m.heap = append(m.heap, head{uint64(c.ahead[0].E), int32(i)})
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	return m, nil
}

// load reads on in a run whose records ahead are used up.
func (c *cursor) load() error {
	n := min(c.n, int64(len(c.space)))
	c.ahead = c.space[:n]
	if err := c.area.read(c.at, c.ahead); err != nil {
		return err
	}
	c.at, c.n = c.at+n, c.n-n
	return nil
}

// fill moves the next records to dst and returns the part of dst that they fill: all of it, but
// at the end.
func (m *merger) fill(dst []Record) ([]Record, error) {
	n := 0
	for ; n < len(dst) && len(m.heap) > 0; n++ {
		c := &m.cursors[m.heap[0].run]
		dst[n] = c.ahead[0]
		if err := m.advance(c); err != nil {
			return nil, err
		}
	}
	return dst[:n], nil
}

// advance steps over the head of c, the least of all.
func (m *merger) advance(c *cursor) error {
	c.ahead = c.ahead[1:]
	if len(c.ahead) == 0 {
		if err := c.load(); err != nil {
			return err
		}
	}
	if len(c.ahead) > 0 {
		m.heap[0].key = uint64(c.ahead[0].E)
	} else {
		m.heap[0] = m.heap[len(m.heap)-1]
		m.heap = m.heap[:len(m.heap)-1]
	}
	m.down(0)
	return nil
}

// down moves the head at i of the heap to where it belongs.
func (m *merger) down(i int) {
	for {
		least := 2*i + 1
		if least >= len(m.heap) {
			return
		}
		if right := least + 1; right < len(m.heap) && m.heap[right].before(m.heap[least]) {
			least = right
		}
		if !m.heap[least].before(m.heap[i]) {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}
