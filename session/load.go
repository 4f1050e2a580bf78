package session

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"dclone"
	"dclone/datomic/local"
	"dclone/eidmap"
	"dclone/replay"
	"dclone/snapshot"
	"dclone/source"
	"dclone/state"
)

// A firstCopy is a plan, and the database value it reads.
type firstCopy struct {
	snapshot source.Snapshot
	plan     *snapshot.Plan
}

func (f *firstCopy) close() { f.snapshot.Close() }

// plan reads the source as of the basis the session began with.
func (r *run) plan(ctx context.Context) (*firstCopy, error) {
	r.progress(Progress{})
	snap, err := r.src.Snapshot(ctx, r.pos.Basis, source.Options{
		Jobs: r.opt.Jobs, MaxMemory: r.opt.MaxMemory, TempDir: r.dst.Dir()})
	if err != nil {
		return nil, dclone.InSource(err)
	}
	p, err := snapshot.New(ctx, snap, r.dst, snapshot.Options{
		MaxBatchSize: r.session.Options.MaxBatchSize,
		TxEntities:   snapshot.TxEntities(r.session.Options.TxEntities),
		Jobs:         r.opt.Jobs,
	})
	if err != nil {
		snap.Close()
		return nil, dclone.InSource(err)
	}
	return &firstCopy{snap, p}, nil
}

// load makes the first copy, from where the sidecar says it is.
func (r *run) load(ctx context.Context, f *firstCopy) error {
	r.result.Status = Initial
	if err := r.dst.ResumeLoad(r.pos.Clone); err != nil {
		return dclone.InDest(err)
	}
	if !r.pos.Mapped {
		if err := r.storeMap(f); err != nil {
			return err
		}
	}
	all, before := f.plan.Datoms(), f.plan.Before(r.pos.Clone.T+1)
	r.result.Entities = f.plan.Entities()
	loop := replay.Loop{Store: r.store, Clone: r.dst, Key: r.session.Key, Limits: replay.LoadLimits,
		Stop: r.opt.Stop, At: r.opt.At, Progress: func(p replay.Progress) {
			r.pos = p.Position
			r.result.Datoms += p.Datoms
			r.progress(Progress{Done: min(before+r.result.Datoms, all), All: all})
		}}
	pos, err := loop.Run(ctx, r.pos, steps(f.plan.Steps(ctx, r.pos.Clone.T+1)))
	if err != nil {
		return err
	}
	if pos.Clone.T+1 != f.plan.End() {
		return dclone.InDest(fmt.Errorf("make first copy: it ends at t %d, not at t %d", pos.Clone.T, f.plan.End()-1))
	}
	pos.Phase, pos.Loaded = state.Publishing, pos.Clone.T
	if err := r.commit(pos); err != nil {
		return err
	}
	return r.publish(ctx)
}

func steps(from iter.Seq2[snapshot.Step, error]) iter.Seq2[replay.Step, error] {
	return func(yield func(replay.Step, error) bool) {
		for s, err := range from {
			if err != nil {
				err = dclone.InSource(err)
			}
			if !yield(replay.Step{Frames: s.Frames, Lengths: s.Lengths, Datoms: s.Datoms}, err) {
				return
			}
		}
	}
}

// storeMap writes the first copy's ids to the sidecar, before any datom is written.
func (r *run) storeMap(f *firstCopy) error {
	clear := func(tx *state.Tx) error {
		if err := tx.ClearMap(); err != nil {
			return err
		}
		return tx.ClearSchema()
	}
	if err := r.update(clear); err != nil {
		return err
	}
	// A record of the map holds many runs, mostly.
	size := 32 * or(r.opt.EidBatch, DefaultEidBatch)
	var runs []eidmap.Run
	var failed error
	put := func() bool {
		failed = r.update(func(tx *state.Tx) error {
			m, err := tx.Map()
			if err != nil {
				return err
			}
			return m.Fill(runs)
		})
		runs = runs[:0]
		return failed == nil
	}
	for run := range f.plan.IDs().Runs() {
		if runs = append(runs, run); len(runs) >= size && !put() {
			return failed
		}
	}
	if !put() {
		return failed
	}
	pos := r.pos
	pos.Mapped, pos.Next, pos.Plan = true, f.plan.IDs().Next(), f.plan.Digest(r.session.Key)
	err := r.update(func(tx *state.Tx) error {
		return tx.Commit(&state.Commit{Position: pos, Schema: f.snapshot.SchemaDatoms(), NotCarried: f.plan.NotCarried()})
	})
	if err == nil {
		r.pos = pos
		r.session, err = r.store.Session()
	}
	return err
}

// publish makes the first copy visible: index files, log, root.
func (r *run) publish(ctx context.Context) error {
	r.result.Status = Initial
	done, err := r.dst.Published()
	if err != nil {
		return dclone.InDest(err)
	}
	if done {
		err = r.dst.Open()
	} else if !r.dst.IsOpen() {
		err = r.dst.ResumeLoad(r.pos.Clone)
	}
	if err != nil {
		return dclone.InDest(err)
	}
	r.progress(Progress{})
	publish := r.dst.Publish
	if done {
		publish = func() error { return nil }
	}
	if r.opt.NoIndex || done && r.dst.Basis() != r.pos.Clone.T {
		err = publish()
	} else {
		err = r.index(ctx, publish)
	}
	if err != nil {
		return dclone.InDest(err)
	}
	if r.session.Dest.First, err = r.dst.First(); err != nil {
		return dclone.InDest(err)
	}
	pos := r.pos
	pos.Phase = state.Current
	err = r.update(func(tx *state.Tx) error { return errors.Join(tx.SetSession(r.session), tx.SetPosition(pos)) })
	if err == nil {
		r.pos = pos
	}
	return err
}

// index writes the index files, does what must come between, and makes them count.
func (r *run) index(ctx context.Context, between func() error) error {
	err := r.dst.BuildIndex(ctx, r.indexOptions())
	var order *local.OrderError
	if errors.As(err, &order) {
		r.log("no index files were written, for what they would say of %s is not certain: %s; Datomic Local builds its own when it opens the clone",
			r.attribute(order.A), order.Reason)
		return between()
	}
	if err == nil {
		err = between()
	}
	if err != nil {
		return err
	}
	return r.dst.WriteRoot()
}

// attribute names an attribute of the clone, for people.
func (r *run) attribute(a dclone.EntityID) string {
	s, f, err := ReadFit(r.store, r.session, r.dst)
	if err != nil {
		return fmt.Sprintf("attribute %d", a)
	}
	src, ok := f.Source(a)
	if !ok {
		src, ok, err = r.sourceOf(a)
	}
	if at := s.Attribute(src); ok && err == nil && at != nil {
		return at.Ident.String()
	}
	return fmt.Sprintf("attribute %d", a)
}

func (r *run) commit(pos state.Position) error {
	err := r.update(func(tx *state.Tx) error { return tx.SetPosition(pos) })
	if err == nil {
		r.pos = pos
	}
	return err
}

func (r *run) progress(p Progress) {
	if r.opt.Progress == nil {
		return
	}
	p.Phase, p.SessionID, p.Position, p.Basis, p.Datoms = r.pos.Phase, r.session.ID, r.pos, r.basis, r.result.Datoms
	r.opt.Progress(p)
}
