package snapshot

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"dclone"
	"dclone/eidmap"
)

// A Step is transactions of a first copy, encoded. It is good until the next is asked for.
type Step struct {
	Frames  []byte // back to back
	Lengths []int  // bytes of each
	T       dclone.T
	Instant dclone.Instant // of the last
	Datoms  int64
}

// Steps yields the transactions whose t is at least from, in order.
func (p *Plan) Steps(ctx context.Context, from dclone.T) iter.Seq2[Step, error] {
	return func(yield func(Step, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		yield = consecutive(from, yield)
		if p.bootstrap(from, yield) && p.transactions(from, yield) {
			p.values(ctx, &wg, from, yield)
		}
	}
}

// consecutive makes sure that no transaction is left out: the next run would go on behind the gap.
func consecutive(from dclone.T, yield func(Step, error) bool) func(Step, error) bool {
	return func(s Step, err error) bool {
		if first := s.T - dclone.T(len(s.Lengths)) + 1; err == nil && first != from {
			err = fmt.Errorf("make first copy: t %d comes where t %d is due", first, from)
		}
		from = s.T + 1
		return yield(s, err) && err == nil
	}
}

func (p *Plan) bootstrap(from dclone.T, yield func(Step, error) bool) bool {
	if from >= p.first {
		return true
	}
	if from > 0 {
		return yield(Step{}, fmt.Errorf("resume first copy at t %d: that is within the bootstrap", from))
	}
	frames, lengths, _ := p.dest.Bootstrap()
	return yield(Step{Frames: frames, Lengths: lengths, T: p.first - 1}, nil)
}

// transactions yields the transaction entities and the schema.
func (p *Plan) transactions(from dclone.T, yield func(Step, error) bool) bool {
	newest := dclone.Instant(0)
	t := p.first
	one := func(tx dclone.Tx) bool {
		newest = max(newest, tx.Instant)
		tx.T, tx.Instant = t, newest
		t++
		if tx.T < from {
			return true
		}
		frame, err := p.dest.Encode(nil, &tx)
		return yield(Step{frame, []int{len(frame)}, tx.T, newest, int64(len(tx.Datoms))}, err) && err == nil
	}
	for _, i := range p.instants {
		if !one(dclone.Tx{Instant: i}) {
			return false
		}
	}
	for _, tx := range p.early {
		if !one(tx) {
			return false
		}
	}
	return true
}

// A batch is one transaction of a column on its way to be encoded.
type batch struct {
	tx    dclone.Tx
	refs  dclone.Refs
	arena []byte
	out   []byte
	err   error
	done  chan struct{}
}

const batchesAhead = 16 // of each column, beyond the one that is being written

// values yields the columns. Readers go ahead of the writer, a column each; encoders take their
// batches from one queue; what they made is taken in the order of the columns.
func (p *Plan) values(ctx context.Context, wg *sync.WaitGroup, from dclone.T, yield func(Step, error) bool) {
	var columns []*column
	for i, c := range p.columns {
		last := i == len(p.columns)-1
		if c.count > 0 && (last || p.columns[i+1].first > from) && p.end > from {
			columns = append(columns, c)
		}
	}
	work := make(chan *batch)
	pool := &sync.Pool{New: func() any { return new(batch) }}
	for range max(1, p.opt.Jobs) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for b := range work {
				b.encode(p)
			}
		}()
	}
	queues := make([]chan *batch, len(columns))
	for i := range queues {
		queues[i] = make(chan *batch, batchesAhead)
	}
	window := make(chan struct{}, 2*max(1, p.opt.Jobs))
	wg.Add(1)
	go func() {
		defer wg.Done()
		defer close(work)
		var readers sync.WaitGroup
		defer readers.Wait()
		for i, c := range columns {
			select {
			case window <- struct{}{}:
			case <-ctx.Done():
				return
			}
			readers.Add(1)
			go func() {
				defer readers.Done()
				defer close(queues[i])
				p.read(ctx, c, from, pool, work, queues[i])
			}()
		}
	}()
	for i := range columns {
		if !p.take(ctx, queues[i], pool, yield) {
			return
		}
		<-window
	}
}

// take yields what was made of one column.
func (p *Plan) take(ctx context.Context, queue chan *batch, pool *sync.Pool, yield func(Step, error) bool) bool {
	for {
		var b *batch
		var ok bool
		select {
		case b, ok = <-queue:
		case <-ctx.Done():
			yield(Step{}, ctx.Err())
			return false
		}
		if !ok { // the column's end, unless its reader gave up
			if err := ctx.Err(); err != nil {
				yield(Step{}, err)
				return false
			}
			return true
		}
		select {
		case <-b.done:
		case <-ctx.Done():
			yield(Step{}, ctx.Err())
			return false
		}
		if b.err != nil {
			yield(Step{}, b.err)
			return false
		}
		if !yield(Step{b.out, []int{len(b.out)}, b.tx.T, b.tx.Instant, int64(len(b.tx.Datoms))}, nil) {
			return false
		}
		pool.Put(b)
	}
}

// read cuts one column into batches.
func (p *Plan) read(ctx context.Context, c *column, from dclone.T, pool *sync.Pool, work, queue chan *batch) {
	r := &columnReader{p: p, c: c, from: from, pool: pool, t: c.first - 1, cut: p.cutter(c.a), send: func(b *batch) bool {
		select {
		case queue <- b:
		case <-ctx.Done():
			return false
		}
		if b.err != nil {
			close(b.done)
			return false
		}
		select {
		case work <- b:
			return true
		case <-ctx.Done():
			return false
		}
	}}
	for datoms, err := range p.src.Current(ctx, c.a) {
		if err != nil {
			r.fail(err)
			return
		}
		for _, d := range datoms {
			if p.carries(c, d) && !r.add(d) {
				return
			}
		}
	}
	if r.read != c.count {
		r.fail(fmt.Errorf("read attribute %s: %d datoms where the first look found %d", c.ident, r.read, c.count))
		return
	}
	r.flush()
}

// A cutter says where a column is cut into transactions.
type cutter struct {
	size int
	same func(a, b dclone.Value) bool // nil where an entity has but one value
	n    int                          // datoms in the transaction so far
	last dclone.EntityID
	v    dclone.Value
}

func (p *Plan) cutter(a dclone.EntityID) *cutter {
	c := &cutter{size: p.opt.MaxBatchSize}
	if at := p.src.Schema().Attribute(a); at != nil && at.Many {
		c.same = p.dest.Same
	}
	return c
}

// before reports whether a transaction begins with d. One ends when it is full, or where d's
// value would be lost beside the one before it.
func (c *cutter) before(d dclone.Datom) bool {
	begins := c.n == 0 || c.n == c.size || c.same != nil && d.E == c.last && c.same(c.v, d.V)
	if begins {
		c.n = 0
	}
	c.n++
	if c.same != nil {
		c.last, c.v = d.E, append(c.v[:0], d.V...)
	}
	return begins
}

// A columnReader gathers datoms into batches.
type columnReader struct {
	p    *Plan
	c    *column
	from dclone.T
	pool *sync.Pool
	send func(*batch) bool
	b    *batch
	t    dclone.T // of the batch being gathered
	cut  *cutter
	read int64
}

// add takes a datom. The batches before from are counted, not made.
func (r *columnReader) add(d dclone.Datom) bool {
	r.read++
	if r.cut.before(d) {
		if !r.flush() {
			return false
		}
		r.t++
	}
	if r.t < r.from {
		return true
	}
	if r.b == nil {
		r.b = r.pool.Get().(*batch)
		*r.b = batch{tx: dclone.Tx{T: r.t, Instant: r.p.instant, Datoms: r.b.tx.Datoms[:0]},
			refs: r.p.refs(r.c.a), arena: r.b.arena[:0], out: r.b.out[:0], done: make(chan struct{})}
	}
	at := len(r.b.arena)
	r.b.arena = append(r.b.arena, d.V...)
	d.V = r.b.arena[at:len(r.b.arena):len(r.b.arena)]
	r.b.tx.Datoms = append(r.b.tx.Datoms, d)
	return true
}

// flush hands the batch on that was gathered.
func (r *columnReader) flush() bool {
	b := r.b
	r.b = nil
	return b == nil || r.send(b)
}

func (r *columnReader) fail(err error) {
	r.send(&batch{err: err, done: make(chan struct{})})
}

// encode gives the batch the clone's ids, and makes its frame.
func (b *batch) encode(p *Plan) {
	defer close(b.done)
	var a dclone.EntityID
	var arena []byte
	for i := range b.tx.Datoms {
		d := &b.tx.Datoms[i]
		if i == 0 {
			if a, b.err = p.Clone(d.A); b.err != nil {
				return
			}
		}
		e, err := p.Clone(d.E)
		if err != nil {
			b.err = p.damaged(*d, err)
			return
		}
		if b.refs != dclone.NoRefs {
			at := len(arena)
			if arena, err = eidmap.Rewrite(arena, d.V, b.refs, p.Clone); err != nil {
				b.err = p.damaged(*d, err)
				return
			}
			d.V = arena[at:len(arena):len(arena)]
		}
		d.E, d.A = e, a
	}
	b.out, b.err = p.dest.Encode(b.out, &b.tx)
}
