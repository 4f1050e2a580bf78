package main

import (
	"context"
	"errors"
	"time"

	"dclone"
	"dclone/datomic/live"
	"dclone/source"
	sourcelocal "dclone/source/local"
)

// openCompared opens a clone to be read, waiting for as long as told for who has a live one locked.
func (p *program) openCompared(ctx context.Context, dst place, sc *sidecar, wait time.Duration) (source.Conn, error) {
	if dst.isLive() {
		if err := dst.awaitUnheld(ctx, wait); err != nil {
			return nil, err
		}
		return p.openComparedLive(ctx, dst, sc)
	}
	clone, err := sourcelocal.Open(dst.dir)
	if err != nil {
		return nil, dclone.InDest(err)
	}
	return clone, nil
}

// openComparedLive is openCompared of what a running Datomic has, and makes sure that it is at rest.
func (p *program) openComparedLive(ctx context.Context, dst place, sc *sidecar) (source.Conn, error) {
	clone, err := p.openLive(ctx, theDest, dst.address)
	if errors.Is(err, live.ErrNoDatabase) {
		return nil, dst.gone()
	}
	if err != nil {
		return nil, err
	}
	if sc.intent != nil && clone.Basis() > sc.pos.Clone.T {
		clone.Close()
		return nil, dst.cutOff()
	}
	return clone, nil
}
