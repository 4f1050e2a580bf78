package local

import (
	"context"
	"sync"
	"sync/atomic"
)

// parallel calls f(0) to f(n-1), at most jobs at once, begun in that order. After an error it
// begins no more, and returns the error of the least i. That does not depend on chance where
// each f fails or not by itself: whatever was to fail before the least had begun before it.
func parallel(ctx context.Context, jobs, n int, f func(i int) error) error {
	var (
		next   atomic.Int64
		failed atomic.Bool
		wg     sync.WaitGroup
		errs   = make([]error, n)
	)
	for range min(jobs, n) {
		wg.Go(func() {
			for !failed.Load() && ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if errs[i] = f(i); errs[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
