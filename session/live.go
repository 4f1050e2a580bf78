package session

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"time"

	"dclone"
	"dclone/dest"
	destlive "dclone/dest/live"
	"dclone/replay"
	"dclone/snapshot"
	"dclone/source"
	"dclone/state"
)

// A liveRun is a run whose clone is written through a running Datomic.
type liveRun struct {
	run
	dst *destlive.Clone
}

// liveLimits are those of groups that a running Datomic is sent: what a crash leaves open is compared transaction by
// transaction, so they are few.
var liveLimits = replay.Limits{Txs: 256, Bytes: 2 << 20, After: time.Second}

// SyncLive is Sync for a clone that a running Datomic serves. Its first copy needs an empty database.
func SyncLive(ctx context.Context, src source.Conn, dst *destlive.Clone, path string, opt Options) (Result, error) {
	began := time.Now()
	base, err := newRun(src, opt)
	if err != nil {
		return Result{}, err
	}
	r := &liveRun{base, dst}
	if err = r.open(ctx, path); err == nil {
		err = r.sync(ctx)
	}
	return r.end(began), err
}

// open opens the sidecar, or makes one for a clone that is empty.
func (r *liveRun) open(ctx context.Context, path string) error {
	if id := r.src.DatabaseID(); id != "" && id == r.dst.DatabaseID() {
		return fmt.Errorf("clone %s to %s: both are the database %q: %w", r.opt.SourceAddress, r.opt.DestAddress, id, ErrSame)
	}
	err := r.readSidecar(path)
	if errors.Is(err, state.ErrNone) {
		return r.create(ctx, path)
	}
	if err != nil {
		return err
	}
	if r.opt.Restart {
		return r.restart(ctx, path)
	}
	if id := r.dst.DatabaseID(); id != r.session.Dest.ID {
		return fmt.Errorf("compare %s with the session: it is the database %q, not %q: %w", r.opt.DestAddress, id, r.session.Dest.ID, ErrClaimed)
	}
	r.know()
	if err := r.checkSource(); err != nil {
		return err
	}
	return r.checkShape()
}

// know tells the clone what the sidecar knows.
func (r *liveRun) know() {
	r.dst.SetKey(r.session.Key)
	r.dst.SetTaken(func(e dclone.EntityID) (taken bool, err error) {
		_, taken, err = r.sourceOf(e)
		return taken, err
	})
}

// restart forgets the session. Datomic cannot be told to empty a database, so that has to be done before.
func (r *liveRun) restart(ctx context.Context, path string) error {
	if err := r.checkEmpty(); err != nil {
		return err
	}
	store := r.store
	r.store = nil
	if err := errors.Join(store.Close(), os.Remove(path)); err != nil {
		return dclone.InDest(err)
	}
	return r.create(ctx, path)
}

// checkEmpty makes sure that a first copy would not be mixed with somebody's data.
func (r *liveRun) checkEmpty() error {
	if empty, err := r.dst.Empty(); err != nil || empty {
		return dclone.InDest(err)
	}
	return fmt.Errorf("clone to %s: %w", r.opt.DestAddress, ErrNotEmpty)
}

// create makes the session of a new clone.
func (r *liveRun) create(ctx context.Context, path string) error {
	if err := r.checkEmpty(); err != nil {
		return err
	}
	clone := state.Identity{Address: r.opt.DestAddress, ID: r.dst.DatabaseID(), Kind: r.dst.Kind()}
	if err := r.newSession(clone, DefaultLiveBatchSize); err != nil {
		return err
	}
	r.dst.SetKey(r.session.Key)
	var err error
	if r.pos.Clone, err = r.dst.Mark(); err != nil {
		return dclone.InDest(err)
	}
	if r.store, err = state.Create(path, r.session, r.pos); err != nil {
		return dclone.InDest(err)
	}
	r.know()
	return nil
}

// sync does what is left to do.
func (r *liveRun) sync(ctx context.Context) error {
	if err := r.recover(ctx); err != nil {
		return err
	}
	if err := r.checkClocks(); err != nil {
		return err
	}
	if r.pos.Phase == state.Loading {
		if err := r.load(ctx); err != nil {
			return err
		}
	}
	if r.pos.Phase != state.Current {
		return fmt.Errorf("read sidecar %s: phase %q is not one of this clone", r.store.Path(), r.pos.Phase)
	}
	if err := r.catchUp(ctx); err != nil {
		return err
	}
	return r.accept()
}

// checkClocks makes sure that the clone can take the instants that are to come.
func (r *liveRun) checkClocks() error {
	if r.pos.Phase == state.Current && r.pos.Source.T == r.basis {
		return nil
	}
	f, err := r.fingerprint(r.basis)
	if err != nil {
		return err
	}
	return dclone.InDest(r.dst.CheckInstant(f.T, f.Instant))
}

// recover makes clone and sidecar agree, after a crash or not.
func (r *liveRun) recover(ctx context.Context) error {
	intent, err := r.store.Intent()
	if err != nil {
		return err
	}
	if err := r.passUpgrades(); err != nil {
		return err
	}
	adopted, err := r.dst.Recover(r.pos.Clone, intent)
	var drift *dest.DriftError
	if errors.As(err, &drift) {
		return r.walk(ctx, drift)
	}
	if err != nil {
		return dclone.InDest(err)
	}
	if intent == nil {
		return nil
	}
	r.result.Resumed = true
	if !adopted {
		return r.update(func(tx *state.Tx) error { return tx.DropIntent() })
	}
	commit := intent.Commit
	if commit.Position.Clone, err = r.dst.Mark(); err != nil {
		return dclone.InDest(err)
	}
	commit.Runs = append(commit.Runs, r.dst.Bound()...)
	if err := r.update(func(tx *state.Tx) error { return tx.Commit(&commit) }); err != nil {
		return err
	}
	if r.pos.Phase == state.Current {
		for _, run := range r.dst.Bound() {
			if run.Src.IsTx() && run.Clone.IsTx() {
				r.result.Transactions += run.N
			}
		}
	}
	r.pos = commit.Position
	r.session, err = r.store.Session()
	return err
}

// catchUp replays what the source has beyond the position.
func (r *liveRun) catchUp(ctx context.Context) error {
	if r.upToDate() {
		return nil
	}
	err := r.replay(ctx)
	if r.mayUpgrade(err) {
		if err = r.upgrade(); err == nil {
			err = stillMissing(r.replay(ctx))
		}
	}
	return err
}

// replay replays the transactions of the source behind the position.
func (r *liveRun) replay(ctx context.Context) error {
	s, f, err := ReadFit(r.store, r.session, r.dst)
	if err != nil {
		return err
	}
	t := destlive.NewTranslator(r.dst, r.store, s, f, r.dst.Instant())
	from, all, made := r.pos.Source.T, int64(r.basis-r.pos.Source.T), int64(0)
	r.progress(Progress{All: all})
	loop := r.loop(t, r.fingerprint, func(p replay.Progress) Progress {
		r.result.Transactions, made = r.result.Transactions+made, 0
		return Progress{Done: int64(p.Position.Source.T - from), All: all}
	})
	if _, err = loop.Run(ctx, r.pos, replaySteps(t, sourceTxs(r.src.Txs(ctx, r.pos.Source.T+1)), &made)); err != nil {
		return err
	}
	r.session, err = r.store.Session()
	return err
}

// replaySteps yields the steps of transactions, and counts them.
func replaySteps(t *destlive.Translator, txs iter.Seq2[*dclone.Tx, error], made *int64) iter.Seq2[replay.Step, error] {
	return func(yield func(replay.Step, error) bool) {
		for tx, err := range txs {
			var step replay.Step
			if err == nil {
				step, err = t.Replay(tx)
				*made++
			}
			if !yield(step, err) || err != nil {
				return
			}
		}
	}
}

// loop returns the loop, which writes steps that t has made.
func (r *liveRun) loop(t *destlive.Translator, fingerprint func(dclone.T) (dclone.Fingerprint, error),
	tell func(replay.Progress) Progress) *replay.Loop {
	return &replay.Loop{Store: r.store, Clone: r.dst, Key: r.session.Key, Limits: liveLimits, Stop: r.opt.Stop, At: r.opt.At,
		Fingerprint: fingerprint,
		Progress: func(p replay.Progress) {
			t.Committed()
			told := tell(p)
			r.pos = p.Position
			r.result.Datoms += p.Datoms
			r.progress(told)
		}}
}

// snapshot reads the source as of the basis the session began with.
func (r *liveRun) snapshot(ctx context.Context) (source.Snapshot, error) {
	snap, err := r.src.Snapshot(ctx, r.pos.Basis, source.Options{
		Jobs: r.opt.Jobs, MaxMemory: r.opt.MaxMemory, TempDir: filepath.Dir(r.store.Path())})
	return snap, dclone.InSource(err)
}

func (r *liveRun) planOptions() snapshot.Options {
	return snapshot.Options{MaxBatchSize: r.session.Options.MaxBatchSize, Jobs: r.opt.Jobs, SourceIDs: true,
		TxEntities: snapshot.TxEntities(r.session.Options.TxEntities)}
}
