package pro

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
)

const (
	// jobsAhead is how many segments a stream fetches at a time.
	jobsAhead = 12
	// bytesAhead is how much a stream may have ready before it stops to fetch more.
	bytesAhead = 2 << 20
)

// sized is what knows how much memory it takes.
type sized interface{ size() int }

// A pending is one result that is being made.
type pending[R any] struct {
	done   chan struct{}
	result R
	err    error
}

// ahead yields what do makes of each job, in order, while several more are being made. The first
// error is the last thing it yields. When it returns no goroutine of its own is left.
func ahead[J any, R sized](ctx context.Context, jobs iter.Seq2[J, error], do func(context.Context, J) (R, error)) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		inner, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		next, stop := iter.Pull2(jobs)
		defer stop()
		var held atomic.Int64
		var queue []*pending[R]
		start := func() (more bool) {
			job, err, ok := next()
			if !ok {
				return false
			}
			p := &pending[R]{done: make(chan struct{}), err: err}
			queue = append(queue, p)
			if err != nil {
				close(p.done)
				return false
			}
			running.Go(func() {
				defer close(p.done)
				if p.result, p.err = do(inner, job); p.err == nil {
					held.Add(int64(p.result.size()))
				}
			})
			return true
		}
		for more := true; ; {
			for more && len(queue) < jobsAhead && (len(queue) == 0 || held.Load() < bytesAhead) {
				more = start()
			}
			if len(queue) == 0 {
				return
			}
			p := queue[0]
			queue = queue[1:]
			r, err := p.wait(ctx)
			if err == nil {
				held.Add(-int64(r.size()))
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (p *pending[R]) wait(ctx context.Context) (r R, err error) {
	select {
	case <-p.done:
		if err := ctx.Err(); err != nil {
			return r, err
		}
		return p.result, p.err
	case <-ctx.Done():
		return r, ctx.Err()
	}
}
