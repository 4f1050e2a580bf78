package session

import (
	"context"
	"errors"

	"dclone"
	"dclone/dest"
	destlive "dclone/dest/live"
	"dclone/replay"
	"dclone/state"
)

// walk meets a clone that has more than its sidecar says and was not about to have it. If the sidecar is an older copy, the
// source's transactions explain all that is there.
func (r *liveRun) walk(ctx context.Context, drift *dest.DriftError) error {
	if r.pos.Phase != state.Current {
		return dclone.InDest(drift)
	}
	witness, err := r.dst.Witness(r.pos.Clone)
	if err != nil {
		return dclone.InDest(err)
	}
	defer witness.Close()
	before, replayed, cause := r.pos, r.result, drift.Cause
	if err = r.compare(ctx, witness); err == nil && witness.Left() > 0 {
		err = &dest.DriftError{T: r.pos.Clone.T + 1, Cause: "the source has no such transaction"}
	}
	r.result = replayed
	if errors.As(err, &drift) {
		drift.Cause = cause + ", and the source does not go on with it"
		if r.pos.Clone == before.Clone {
			err = errors.Join(err, r.update(func(tx *state.Tx) error { return tx.DropIntent() }))
		}
		return dclone.InDest(err)
	}
	if err == nil {
		r.log("the sidecar was older than the clone; the source explains all the clone has, up to its t %d", r.pos.Clone.T)
		r.session, err = r.store.Session()
	}
	return err
}

// compare replays the source's transactions to a clone that has them already, until it has no more.
func (r *liveRun) compare(ctx context.Context, witness *destlive.Witness) error {
	s, f, err := ReadFit(r.store, r.session, r.dst)
	if err != nil {
		return err
	}
	t := destlive.NewTranslator(witness, r.store, s, f, r.pos.Clone.Instant)
	made, sent := int64(0), 0
	steps := func(yield func(replay.Step, error) bool) {
		left := witness.Left()
		for step, err := range replaySteps(t, sourceTxs(r.src.Txs(ctx, r.pos.Source.T+1)), &made) {
			sent += len(step.Lengths)
			if !yield(step, err) || sent >= left {
				return
			}
		}
	}
	loop := r.loop(t, r.fingerprint, func(p replay.Progress) Progress { return Progress{} })
	loop.Clone = witness
	r.pos, err = loop.Run(ctx, r.pos, steps)
	return err
}
