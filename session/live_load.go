package session

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"dclone"
	"dclone/datomic/local"
	destlive "dclone/dest/live"
	"dclone/eidmap"
	"dclone/fit"
	"dclone/replay"
	"dclone/snapshot"
	"dclone/source"
	"dclone/state"
)

// A livePlan is the snapshot.Dest of a clone that gives out the ids itself. The transactions made for it are works yet
// to be translated.
type livePlan struct{ fit.Clone }

// Transacts reports that some datoms would be commands.
func (livePlan) Transacts() bool { return true }

// planned is where the numbers begin that stand for the transactions of a first copy, far from any the source has.
const planned dclone.T = 1 << 40

// Bootstrap returns that the clone has its own.
func (livePlan) Bootstrap() (frames []byte, lengths []int, next snapshot.Next) {
	return nil, nil, eidmap.First{DB: 1 << 41, User: 1 << 41, Value: 1 << 41, T: planned}
}

// Same reports whether Datomic takes two values for equal.
func (livePlan) Same(a, b dclone.Value) bool { return local.CompareValues(a, b) == 0 }

// Encode appends tx: its instant, and its datoms.
func (livePlan) Encode(dst []byte, tx *dclone.Tx) ([]byte, error) {
	dst = binary.AppendVarint(dst, int64(tx.Instant))
	for _, d := range tx.Datoms {
		a := uint64(d.A) << 1
		if d.Added {
			a |= 1
		}
		dst = binary.AppendUvarint(dst, uint64(d.E))
		dst = binary.AppendUvarint(dst, a)
		dst = binary.AppendUvarint(dst, uint64(len(d.V)))
		dst = append(dst, d.V...)
	}
	return dst, nil
}

var errWork = errors.New("read planned transaction: it is damaged")

// readWork reads what Encode wrote. Its values alias b.
func readWork(b []byte) (w destlive.Work, err error) {
	instant, n := binary.Varint(b)
	if n <= 0 {
		return w, errWork
	}
	w.Instant = dclone.Instant(instant)
	for b = b[n:]; len(b) > 0; {
		var field [3]uint64
		for i := range field {
			v, n := binary.Uvarint(b)
			if n <= 0 {
				return w, errWork
			}
			field[i], b = v, b[n:]
		}
		if field[2] > uint64(len(b)) {
			return w, errWork
		}
		v := b[:field[2]:field[2]]
		b = b[field[2]:]
		w.Datoms = append(w.Datoms, dclone.Datom{E: dclone.EntityID(field[0]), A: dclone.EntityID(field[1] >> 1), V: v, Added: field[1]&1 == 1})
	}
	return w, nil
}

// PlanLive plans the first copy of a snapshot to a clone, or one that is like dst, as a run would, and writes nothing. The
// error is a *BaseSchemaError where a run would stop for it.
func PlanLive(ctx context.Context, snap source.Snapshot, dst fit.Clone, opt snapshot.Options) (*snapshot.Plan, error) {
	if clone, ok := dst.(*destlive.Clone); ok {
		if err := clone.NeedsUpgrade(usedBuiltins(snap)); err != nil {
			return nil, dclone.InDest(err)
		}
	}
	opt.SourceIDs = true
	plan, err := snapshot.New(ctx, newApart(snap), livePlan{dst}, opt)
	return plan, dclone.InSource(err)
}

// load makes the first copy, from where the sidecar says it is.
func (r *liveRun) load(ctx context.Context) error {
	r.result.Status = Initial
	r.progress(Progress{})
	snap, err := r.snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	if err := r.checkBase(snap); err != nil {
		return err
	}
	rest := newApart(snap)
	plan, err := snapshot.New(ctx, rest, livePlan{r.dst}, r.planOptions())
	if err != nil {
		return dclone.InSource(err)
	}
	if err := r.settlePlan(plan, snap.SchemaDatoms()); err != nil {
		return err
	}
	s, f, err := ReadFit(r.store, r.session, r.dst)
	if err != nil {
		return err
	}
	t := destlive.NewTranslator(r.dst, r.store, s, f, r.dst.Instant())
	t.Unheld = true
	all, before := plan.Datoms(), plan.Before(dclone.T(r.pos.Cursor))
	r.result.Entities = plan.Entities()
	loop := r.loop(t, func(dclone.T) (dclone.Fingerprint, error) { return r.pos.Source, nil }, func(replay.Progress) Progress {
		return Progress{Done: min(before+r.result.Datoms, all), All: all}
	})
	pos, err := loop.Run(ctx, r.pos, r.loadSteps(ctx, t, plan, rest))
	if err != nil {
		return err
	}
	pos.Phase, pos.Loaded, pos.Cursor = state.Current, pos.Clone.T, 0
	if err := r.commit(pos); err != nil {
		return err
	}
	r.session, err = r.store.Session()
	return err
}

// settlePlan writes down what is known before the first transaction, or makes sure that it is what it was.
func (r *liveRun) settlePlan(plan *snapshot.Plan, schema []dclone.Datom) error {
	digest := plan.Digest(r.session.Key)
	if r.pos.Mapped {
		if r.pos.Plan != digest {
			return fmt.Errorf("resume first copy: the source as of t %d is not what it was, and a running Datomic's database cannot be "+
				"begun afresh; create an empty one and use --restart: %w", r.pos.Basis, ErrReplaced)
		}
		return nil
	}
	pos := r.pos
	pos.Mapped, pos.Plan, pos.Cursor = true, digest, int64(planned)
	err := r.update(func(tx *state.Tx) error {
		return tx.Commit(&state.Commit{Position: pos, Schema: schema, NotCarried: plan.NotCarried()})
	})
	if err == nil {
		r.pos = pos
		r.session, err = r.store.Session()
	}
	return err
}

// loadSteps yields the transactions of the first copy, from the cursor on.
func (r *liveRun) loadSteps(ctx context.Context, t *destlive.Translator, plan *snapshot.Plan, rest *apart) iter.Seq2[replay.Step, error] {
	return func(yield func(replay.Step, error) bool) {
		from := dclone.T(r.pos.Cursor)
		stands := plan.TxSources()
		one := func(w destlive.Work, err error, at dclone.T) bool {
			var step replay.Step
			if err == nil {
				w.T = r.pos.Basis
				step, err = t.Load(&w, int64(at+1))
			}
			return yield(step, err) && err == nil
		}
		for s, err := range plan.Steps(ctx, min(from, plan.End())) {
			var w destlive.Work
			if err == nil {
				w, err = readWork(s.Frames)
			}
			if i := int(s.T - planned); err == nil && i < len(stands) {
				w.Self = stands[i]
			}
			if !one(w, dclone.InSource(err), s.T) {
				return
			}
		}
		at := plan.End()
		for datoms, err := range rest.rest(ctx, r.session.Options.MaxBatchSize) {
			if at >= from && !one(destlive.Work{Instant: rest.MaxInstant(), Datoms: datoms}, dclone.InSource(err), at) {
				return
			}
			at++
		}
	}
}
