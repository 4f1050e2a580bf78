package backup

import (
	"context"
	"sync"
)

// A crew is a number of workers that walk a tree together: a channel with a token for each that works.
type crew chan struct{}

// run has a crew of n do f, which is the first of them.
func run(ctx context.Context, n int, f func(context.Context, crew) error) error {
	if n <= 0 {
		n = DefaultConcurrency
	}
	c := make(crew, n)
	c <- struct{}{}
	return f(ctx, c)
}

// each calls f for 0 to n-1, at once as far as workers are idle: whoever walks hands a child to
// one, or else walks it himself. It returns when all have returned, with the first error, which cancels the
// others. f may call each again.
//
// He who only waits for others is not at work: he gives his token away, and takes one again before he
// goes on. So all tokens work as long as there is something to do, and those who wait are never
// more than the nodes above those who work.
func (c crew) each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	do := func(i int) {
		if err := f(ctx, i); err != nil {
			cancel(err)
		}
	}
	var others sync.WaitGroup
	helped := false
	for i := 0; i < n && ctx.Err() == nil; i++ {
		if i < n-1 && c.idle() {
			helped = true
			others.Go(func() {
				defer func() { <-c }()
				do(i)
			})
			continue
		}
		do(i)
	}
	if helped {
		c.wait(others.Wait)
	}
	return context.Cause(ctx)
}

// wait waits without a token.
func (c crew) wait(f func()) {
	<-c
	f()
	c <- struct{}{}
}

// idle takes the token of a worker who has nothing to do.
func (c crew) idle() bool {
	select {
	case c <- struct{}{}:
		return true
	default:
		return false
	}
}
