package main

import (
	"context"
	"errors"
	"fmt"

	"dclone/state"
)

// resetLive is reset of a clone that a running Datomic has: it takes away the sidecar, which is locked meanwhile.
func (p *program) resetLive(ctx context.Context, dst place, opt resetOptions) error {
	if opt.dropClone {
		return &failure{codeUsage, fmt.Errorf("drop clone %s: %w", dst.address, errKept), dst.dropCall() + ", then dclone reset <dest>"}
	}
	r := removal{sidecar: true}
	if opt.dryRun {
		_, err := dst.read(ctx, 0)
		if err == nil {
			p.table(r.rows(dst, "would remove")...)
		}
		return err
	}
	store, err := state.Open(dst.state)
	switch damaged := err != nil && dst.state == dst.own; {
	case errors.Is(err, state.ErrNone), errors.Is(err, state.ErrLocked):
		return err
	case err == nil:
		defer store.Close()
	case !damaged:
		return dst.unreadable(err)
	}
	if err := dst.forget(); err != nil {
		return err
	}
	p.table(r.rows(dst, "removed")...)
	return nil
}
