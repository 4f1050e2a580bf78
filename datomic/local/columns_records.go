package local

import (
	"cmp"
	"context"
	"iter"
	"sync"

	"dclone"
)

const (
	minChunk = 256 // records sorted at once, however small the budget

	// mergeBatch is how many merged records are handed out at once.
	mergeBatch = 4096
)

// Records returns the records of a in order of E, those of one E in the order of the log, in
// slices that are good until the next. Several goroutines may read columns at once, each up to
// its share of MaxMemory.
func (c *Columns) Records(ctx context.Context, a dclone.EntityID) iter.Seq2[[]Record, error] {
	return func(yield func([]Record, error) bool) {
		col := c.column(a)
		if col == nil {
			return
		}
		w := c.workspace(col.count)
		defer c.release(w)
		if err := c.each(ctx, col, w, func(r []Record) (bool, error) { return yield(r, nil), nil }); err != nil {
			yield(nil, err)
		}
	}
}

// each calls f with the sorted records of col until it returns false.
func (c *Columns) each(ctx context.Context, col *column, w *workspace, f func([]Record) (bool, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if col.count <= c.chunk {
		r := w.records[:col.count]
		if err := c.area.read(col.start, r); err != nil {
			return err
		}
		sortRecords(r, w.scratch)
		_, err := f(r)
		return err
	}
	m, err := c.merge(ctx, col, w, len(w.scratch))
	if err != nil {
		return err
	}
	for {
		r, err := m.fill(w.records[:min(mergeBatch, len(w.records))])
		if err = cmp.Or(err, ctx.Err()); err != nil || len(r) == 0 {
			return err
		}
		if goOn, err := f(r); err != nil || !goOn {
			return err
		}
	}
}

// A workspace is the memory of one goroutine that sorts: two times as many records as it sorts
// at once.
type workspace struct{ records, scratch []Record }

// workspace returns one with room for n records, or for a chunk where that is less.
func (c *Columns) workspace(n int64) *workspace {
	n = min(n, c.chunk)
	var w *workspace
	select {
	case w = <-c.free:
	default:
	}
	if w == nil || int64(len(w.records)) < n {
		w = &workspace{make([]Record, n), make([]Record, n)}
	}
	return w
}

func (c *Columns) release(w *workspace) {
	select {
	case c.free <- w:
	default:
	}
}

// runState makes a column that exceeds a chunk a sequence of sorted chunks, once.
type runState struct {
	mu   sync.Mutex
	done bool
}

// merge returns a merger of the sorted chunks of col. It uses all of w, and of w.scratch the
// part up to ahead as long as the merger is used.
func (c *Columns) merge(ctx context.Context, col *column, w *workspace, ahead int) (*merger, error) {
	if err := col.runs.sort(ctx, c, col, w); err != nil {
		return nil, err
	}
	var runs []stretch
	for at := int64(0); at < col.count; at += c.chunk {
		runs = append(runs, stretch{c.area, col.start + at, min(c.chunk, col.count-at)})
	}
	return newMerger(runs, w.scratch[:ahead])
}

func (s *runState) sort(ctx context.Context, c *Columns, col *column, w *workspace) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return nil
	}
	for at := int64(0); at < col.count; at += c.chunk {
		if err := ctx.Err(); err != nil {
			return err
		}
		r := w.records[:min(c.chunk, col.count-at)]
		if err := c.area.read(col.start+at, r); err != nil {
			return err
		}
		sortRecords(r, w.scratch)
		if err := c.area.write(col.start+at, r); err != nil {
			return err
		}
	}
	s.done = true
	return nil
}
