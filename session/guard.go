package session

import (
	"context"
	"errors"
	"fmt"

	"dclone"
	"dclone/dest"
	destlocal "dclone/dest/local"
	"dclone/replay"
	"dclone/source"
	"dclone/state"
)

// checkOwn makes sure that the database in the clone's place, if there is one, is the session's.
func (r *run) checkOwn() error {
	content, err := r.dst.Holds()
	if err != nil {
		return dclone.InDest(err)
	}
	if content != destlocal.Data {
		return nil
	}
	if err := r.dst.Open(); err != nil {
		return dclone.InDest(err)
	}
	defer r.dst.Release()
	first, err := r.dst.First()
	if err == nil && first != r.session.Dest.First {
		err = fmt.Errorf("restart %s: the database there is not the one this session made: %w", r.opt.DestAddress, dest.ErrForeign)
	}
	return dclone.InDest(err)
}

// checkEmpty makes sure that a new clone would replace nobody's data.
func (r *run) checkEmpty() error {
	content, err := r.dst.Holds()
	if err != nil {
		return dclone.InDest(err)
	}
	if content == destlocal.Data {
		return fmt.Errorf("clone to %s: there is no sidecar of dclone: %w", r.opt.DestAddress, ErrNotEmpty)
	}
	return nil
}

// checkSource makes sure that the source is the one the clone was made of, and goes on where
// the clone stands.
func (r *run) checkSource() error {
	first, err := r.src.First(r.session.Key)
	if err != nil {
		return dclone.InSource(err)
	}
	var none dclone.Digest
	had, id := r.session.Source, r.src.DatabaseID()
	if had.First != none && had.First != first || had.ID != id {
		if had.Address != r.opt.SourceAddress {
			return fmt.Errorf("clone %s to %s: that is the clone of %s: %w", r.opt.SourceAddress, r.opt.DestAddress, had.Address, ErrClaimed)
		}
		if had.ID != id {
			return fmt.Errorf("compare %s with the session: it is the database %q, not %q: %w", r.opt.SourceAddress, id, had.ID, ErrReplaced)
		}
		return fmt.Errorf("compare %s with the session: its first transaction is another: %w", r.opt.SourceAddress, ErrReplaced)
	}
	if at := r.pos.Source; r.basis < at.T {
		return fmt.Errorf("compare %s with the session: it ends at t %d, the clone has come to t %d: that is an earlier point in time, or %w",
			r.opt.SourceAddress, r.basis, at.T, ErrReplaced)
	}
	f, err := r.src.Fingerprint(r.session.Key, r.pos.Source.T)
	if errors.Is(err, source.ErrNoTx) || err == nil && !f.SameTx(r.pos.Source) {
		return fmt.Errorf("compare %s with the session: its transaction t %d is not the one that was cloned: %w",
			r.opt.SourceAddress, r.pos.Source.T, ErrReplaced)
	}
	if err != nil {
		return dclone.InSource(err)
	}
	if r.session.Source.First != first || r.session.Source.Address != r.opt.SourceAddress {
		r.session.Source = state.Identity{Address: r.opt.SourceAddress, ID: id, Born: had.Born, First: first} // it was empty, or has moved
		if err := r.update(func(tx *state.Tx) error { return tx.SetSession(r.session) }); err != nil {
			return err
		}
	}
	return r.checkExcised(f)
}

// An exciser is a source that can forget what it held.
type exciser interface {
	// Excised reports whether the source holds an excision at or after t.
	Excised(ctx context.Context, t dclone.T) (bool, error)
}

// checkExcised meets a source whose transaction at the position has lost datoms. That the clone may
// still hold them, or others that are gone, is told until it is copied afresh.
func (r *run) checkExcised(f dclone.Fingerprint) error {
	if f.Digest == r.pos.Source.Digest {
		return nil
	}
	excised := false
	if x, ok := r.src.(exciser); ok {
		var err error
		if excised, err = x.Excised(context.Background(), 0); err != nil {
			return dclone.InSource(err)
		}
	}
	if !excised {
		return fmt.Errorf("compare %s with the session: its transaction t %d has other datoms than were cloned, and there is no excision: %w",
			r.opt.SourceAddress, f.T, ErrReplaced)
	}
	r.pos.Source = f
	r.session.NotCarried = state.AddNotCarried(r.session.NotCarried,
		[]dclone.NotCarried{{Attribute: ":db/excise", Reason: replay.ReasonExcised, Count: 1, FirstT: f.T}})
	return r.update(func(tx *state.Tx) error { return errors.Join(tx.SetSession(r.session), tx.SetPosition(r.pos)) })
}

// checkShape refuses to go on with a first copy under options that would cut it otherwise.
func (r *run) checkShape() error {
	if r.pos.Phase == state.Current {
		return nil
	}
	has := r.session.Options
	switch {
	case r.opt.MaxBatchSize != 0 && r.opt.MaxBatchSize != has.MaxBatchSize:
		return fmt.Errorf("set --max-batch-size to %d: %w; it began with %d", r.opt.MaxBatchSize, ErrShape, has.MaxBatchSize)
	case r.opt.TxEntities != "" && r.opt.TxEntities != has.TxEntities:
		return fmt.Errorf("set --tx-entities to %s: %w; it began with %s", r.opt.TxEntities, ErrShape, has.TxEntities)
	case has.Plan != state.PlanVersion:
		return fmt.Errorf("resume a first copy of plan %d with a program of plan %d: %w", has.Plan, state.PlanVersion, ErrShape)
	}
	return nil
}
