package live

import (
	"context"
	"sync"
	"time"
)

// A pace is how many datoms may be read in a second.
type pace struct {
	perSecond int // 0 is no limit

	mu   sync.Mutex
	free time.Time // when the next may be read
}

// wait waits until n datoms that were read are paid for.
func (p *pace) wait(ctx context.Context, n int) error {
	if err := ctx.Err(); err != nil || p.perSecond <= 0 {
		return err
	}
	p.mu.Lock()
	now := time.Now()
	if p.free.Before(now) {
		p.free = now
	}
	p.free = p.free.Add(time.Duration(n) * time.Second / time.Duration(p.perSecond))
	left := p.free.Sub(now)
	p.mu.Unlock()
	if left < 10*time.Millisecond {
		return nil // not worth a nap; it adds up to one that is
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
