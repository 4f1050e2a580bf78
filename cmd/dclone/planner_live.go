package main

import (
	"context"
	"fmt"

	"dclone"
	"dclone/datomic/local"
	"dclone/dest"
	destlive "dclone/dest/live"
	"dclone/fit"
	"dclone/session"
	"dclone/snapshot"
	"dclone/source"
	"dclone/state"
)

// planLive is plan for a clone that a running Datomic has, which is asked and not written to.
func (pl *planner) planLive(ctx context.Context) (err error) {
	dst := pl.pair.dest
	if pl.sidecar, err = dst.check(ctx, 0); err != nil {
		return err
	}
	clone, there, err := pl.p.openModel(ctx, dst)
	if err != nil {
		return err
	}
	if clone != nil {
		defer clone.Close()
	}
	pl.doc.DestExists = &there
	switch {
	case there && pl.sidecar == nil:
		return pl.begin(ctx, clone)
	case there:
		return pl.goOn(ctx, clone)
	case pl.sidecar != nil:
		return dst.gone()
	}
	pl.doc.Action = actionFirstCopy
	return pl.firstCopyLive(ctx, clone, pl.src.Basis(), pl.opt.shape())
}

// begin is planLive where there is no sidecar.
func (pl *planner) begin(ctx context.Context, clone *destlive.Clone) error {
	empty, err := clone.Empty()
	if err != nil {
		return dclone.InDest(err)
	}
	if !empty {
		return pl.pair.explain(fmt.Errorf("clone to %s: %w", pl.pair.dest.address, session.ErrNotEmpty), nil)
	}
	pl.doc.Action = actionFirstCopy
	return pl.firstCopyLive(ctx, clone, pl.src.Basis(), pl.opt.shape())
}

// goOn is planLive with a sidecar.
func (pl *planner) goOn(ctx context.Context, clone *destlive.Clone) error {
	pl.tellSession()
	if err := pl.checkSource(); err != nil {
		return err
	}
	beyond, err := pl.checkClone(clone)
	if err != nil {
		return err
	}
	if pl.sidecar.pos.Phase == state.Current {
		return pl.replay(ctx, beyond)
	}
	pl.doc.Action = actionResume
	return pl.firstCopyLive(ctx, clone, pl.sidecar.pos.Basis, pl.sidecar.session.Options)
}

// checkClone makes sure that the clone is the sidecar's, and reports whether it has more than that says. What exactly,
// a run that was cut off leaves to the next.
func (pl *planner) checkClone(clone *destlive.Clone) (beyond bool, err error) {
	of, at := pl.sidecar.session, pl.sidecar.pos.Clone
	if id := clone.DatabaseID(); id != of.Dest.ID {
		return false, fmt.Errorf("compare %s with its sidecar: it is the database %q, not %q: %w", pl.pair.dest.address, id, of.Dest.ID, session.ErrClaimed)
	}
	clone.SetKey(of.Key)
	m, err := clone.Mark()
	if err == nil {
		at, err = clone.Upgraded(at)
	}
	switch {
	case err != nil:
		return false, dclone.InDest(err)
	case m.T < at.T || m.T == at.T && m != at:
		return false, fmt.Errorf("compare %s with its sidecar: t %d is not there as it was written: %w", pl.pair.dest.address, at.T, dest.ErrStale)
	case m.T > at.T && pl.sidecar.intent == nil && pl.sidecar.pos.Phase == state.Current:
		pl.doc.Action = actionUnknown
		return false, &failure{codeDiverged, fmt.Errorf("compare %s with its sidecar: it has more, from t %d on: somebody else has written to it, "+
			"or the sidecar is an older copy", pl.pair.dest.address, at.T+1),
			"dclone sync <source> <dest>, which writes nothing unless the source explains what is there"}
	case m.T > at.T && pl.sidecar.intent == nil:
		return false, dclone.InDest(&dest.DriftError{T: at.T + 1, Cause: "no run of dclone was under way"})
	}
	return m.T > at.T, nil
}

// firstCopyLive is firstCopy for what a running Datomic has; clone is nil where there is no database yet, nor a model of it.
// Unless it will be Datomic Local's, its builtins are not known then, nor what cannot be carried.
func (pl *planner) firstCopyLive(ctx context.Context, clone *destlive.Clone, t dclone.T, shape state.Options) error {
	snap, err := pl.src.Snapshot(ctx, t, source.Options{Jobs: pl.jobs, MaxMemory: int64(pl.opt.maxMemory)})
	if err != nil {
		return dclone.InSource(err)
	}
	defer snap.Close()
	opt := snapshot.Options{MaxBatchSize: shape.MaxBatchSize, TxEntities: snapshot.TxEntities(shape.TxEntities), Jobs: pl.jobs, SourceIDs: true}
	var dst fit.Clone = local.Kind{}
	if clone != nil {
		dst = clone
	}
	p, err := session.PlanLive(ctx, snap, dst, opt)
	if err != nil {
		return err
	}
	pl.tellPlan(p)
	pl.doc.untried = session.HasPredicates(snap)
	if clone == nil && directory(pl.pair.dest.address) == "" {
		pl.doc.NotCarried, pl.doc.blind = []dclone.NotCarried{}, true
	}
	return nil
}
