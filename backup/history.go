package backup

import (
	"context"
	"errors"
	"fmt"

	"dclone"
	"dclone/datomic/segment"
	"dclone/store"
)

// A HistoryError says that a backup has a restore point of the t to be written, whose history is another: the
// source went back, and came to that t again by other transactions.
type HistoryError struct {
	Address string
	T       dclone.T
}

func (e *HistoryError) Error() string {
	return fmt.Sprintf("write root at t %d of %s: the restore point that is there is of another history: its newest transaction is not the source's",
		e.T, e.Address)
}

// checkHistory refuses to write a root in the place of one of another history. Of one that is damaged nobody
// can tell: it is replaced only on demand.
func (c *copier) checkHistory(ctx context.Context, root store.Root) error {
	there, err := c.to.Root(ctx, root.T)
	if err == nil && sameRoot(there, root) {
		return nil
	}
	var was Point
	if err == nil {
		was, err = newest(ctx, c.to, there)
	}
	var damage *segment.DamageError
	switch {
	case errors.Is(err, store.ErrNoRoot), c.opt.Full && (errors.Is(err, store.ErrMissing) || errors.As(err, &damage)):
		return nil
	case err != nil:
		return dclone.InDest(fmt.Errorf("compare restore points: %w", err))
	}
	now, err := newest(ctx, c.from, root)
	if err != nil {
		return missing(err)
	}
	if now.T != was.T || now.ID != was.ID {
		return &HistoryError{c.to.String(), root.T}
	}
	return nil
}
