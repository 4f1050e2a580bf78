package session

import (
	"context"
	"errors"
	"iter"

	"dclone"
	"dclone/datomic/local"
	"dclone/dest"
	"dclone/fit"
	"dclone/replay"
	"dclone/schema"
	"dclone/state"
)

// catchUp replays what the source has beyond the position.
func (r *run) catchUp(ctx context.Context) error {
	if err := r.recover(ctx); err != nil {
		return err
	}
	if r.upToDate() {
		return nil
	}
	t, err := r.translator()
	if err != nil {
		return err
	}
	loop := r.loop(t, r.dst)
	loop.Stop = r.opt.Stop
	if r.pos, err = loop.Run(ctx, r.pos, t.Steps(ctx, sourceTxs(r.src.Txs(ctx, r.pos.Source.T+1)))); err != nil {
		return err
	}
	if r.session, err = r.store.Session(); err != nil {
		return err
	}
	if err := r.dst.Check(); err != nil {
		return dclone.InDest(err)
	}
	return r.reindex(ctx)
}

// upToDate reports whether there is nothing to replay, and notes in the result whether this is a catch-up.
func (r *run) upToDate() bool {
	is := r.pos.Source.T == r.basis
	switch {
	case r.result.Status != "":
	case is && r.result.Transactions == 0:
		r.result.Status = UpToDate
	default:
		r.result.Status = Incremental
	}
	return is
}

func (r *run) translator() (*replay.Translator, error) {
	s, f, err := ReadFit(r.store, r.session, r.dst)
	t := replay.NewTranslator(r.dst, r.store, s, f, r.pos)
	t.KeepT = r.session.Options.KeepT
	return t, err
}

// ReadFit reads from a sidecar what its source's schema is, and how it fits the clone.
func ReadFit(store *state.Store, of state.Session, clone fit.Clone) (*schema.Schema, *fit.Fit, error) {
	s := new(schema.Schema)
	f := fit.New(clone, s, or(of.Source.Born, local.BootstrapT)) // the first sidecars did not tell
	err := store.View(func(tx *state.Tx) error {
		return tx.Schema(func(datoms []dclone.Datom) error {
			f.Learn(datoms)
			return s.Apply(datoms)
		})
	})
	return s, f, err
}

// loop returns the loop of replay, that writes to a clone or only compares.
func (r *run) loop(t *replay.Translator, clone replay.Clone) *replay.Loop {
	from := r.pos.Source.T
	all := int64(r.basis - from)
	r.progress(Progress{All: all})
	return &replay.Loop{Store: r.store, Clone: clone, Key: r.session.Key, Limits: replay.ReplayLimits, At: r.opt.At,
		Fingerprint: r.fingerprint,
		Progress: func(p replay.Progress) {
			t.Committed()
			r.pos = p.Position
			r.result.Transactions += p.Txs
			r.result.Datoms += p.Datoms
			r.progress(Progress{Done: int64(p.Position.Source.T - from), All: all})
		}}
}

func sourceTxs(txs iter.Seq2[*dclone.Tx, error]) iter.Seq2[*dclone.Tx, error] {
	return func(yield func(*dclone.Tx, error) bool) {
		for tx, err := range txs {
			if !yield(tx, dclone.InSource(err)) {
				return
			}
		}
	}
}

// recover makes clone and sidecar agree, after a crash or not.
func (r *run) recover(ctx context.Context) error {
	intent, err := r.store.Intent()
	if err != nil {
		return err
	}
	adopted, err := r.dst.Recover(r.pos.Clone, intent)
	var drift *dest.DriftError
	switch {
	case errors.As(err, &drift):
		return r.walk(ctx, drift)
	case err != nil:
		return dclone.InDest(err)
	case intent == nil:
		return nil
	}
	r.result.Resumed = true
	if !adopted {
		return r.update(func(tx *state.Tx) error { return tx.DropIntent() })
	}
	if err := r.dst.Sync(); err != nil {
		return dclone.InDest(err)
	}
	commit := intent.Commit
	if commit.Position.Clone, err = r.dst.Mark(); err != nil {
		return dclone.InDest(err)
	}
	if err := r.update(func(tx *state.Tx) error { return tx.Commit(&commit) }); err != nil {
		return err
	}
	r.pos = commit.Position
	r.result.Transactions += int64(len(intent.Frames))
	r.session, err = r.store.Session()
	return err
}

// walk meets a clone that is longer than its sidecar says and was not about to be. If the
// sidecar is an older copy, the source's transactions explain all that is there.
func (r *run) walk(ctx context.Context, drift *dest.DriftError) error {
	t, err := r.translator()
	if err != nil {
		return err
	}
	witness, err := r.dst.Witness(r.pos.Clone)
	if err != nil {
		return drift
	}
	at := r.pos.Clone.Length
	steps := func(yield func(replay.Step, error) bool) {
		for step, err := range t.Steps(ctx, sourceTxs(r.src.Txs(ctx, r.pos.Source.T+1))) {
			at += int64(len(step.Frames))
			if !yield(step, err) || at >= witness.Length() {
				return
			}
		}
	}
	replayed := r.result.Transactions
	before := r.pos
	r.pos, err = r.loop(t, witness).Run(ctx, r.pos, steps)
	r.result.Transactions = replayed
	if err == nil && at != witness.Length() {
		err = &dest.DriftError{T: r.pos.Clone.T + 1, Cause: "the source has no such transaction"}
	}
	if errors.As(err, &drift) {
		if r.pos.Clone == before.Clone {
			if err := r.update(func(tx *state.Tx) error { return tx.DropIntent() }); err != nil {
				return err
			}
		}
		return drift
	}
	if err == nil {
		r.log("the sidecar was older than the clone; the source explains all the clone has, up to its t %d", r.pos.Clone.T)
		r.session, err = r.store.Session()
	}
	return err
}

// reindex brings the index files up to date when the tail behind them has grown past what
// Datomic Local loads quickly.
func (r *run) reindex(ctx context.Context) error {
	if r.opt.NoIndex {
		return nil
	}
	due, err := r.dst.IndexDue()
	if err != nil || !due {
		return dclone.InDest(err)
	}
	return dclone.InDest(r.index(ctx, func() error { return nil }))
}
