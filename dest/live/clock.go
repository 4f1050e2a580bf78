package live

import (
	"fmt"
	"time"

	"dclone"
)

// A FutureError says that a clone would have to take an instant of its future, which no Datomic does.
type FutureError struct {
	T       dclone.T // of the source
	Instant dclone.Instant
	Now     time.Time
}

func (e *FutureError) Error() string {
	return fmt.Sprintf("the source's transaction t %d is of %v, and here it is %v: Datomic takes no instant of its future; "+
		"set right the clock that is wrong, or wait until then", e.T, e.Instant, dclone.Instant(e.Now.UnixMilli()))
}

// CheckInstant returns a *FutureError where a transaction of the source has an instant so far in the future that it is not
// waited for. The clock of the destination is taken to be this machine's, or later where its newest transaction is.
func (c *Clone) CheckInstant(t dclone.T, instant dclone.Instant) error {
	now := time.Now()
	latest := max(dclone.Instant(now.UnixMilli()), c.mark.Instant)
	if instant <= latest+dclone.Instant(c.opt.Settle.Milliseconds()) {
		return nil
	}
	return &FutureError{t, instant, now}
}
