package main

import (
	"context"
	"errors"
	"fmt"

	"dclone"
	"dclone/datomic/local"
	"dclone/dest"
	destlocal "dclone/dest/local"
	"dclone/session"
	"dclone/snapshot"
	"dclone/source"
	"dclone/state"
)

// A planner finds out what sync would do, and changes nothing.
type planner struct {
	p       *program
	src     source.Conn
	pair    pair
	opt     planOptions
	jobs    int
	sidecar *sidecar // nil where there is no clone yet
	doc     planDoc
}

// plan fills the document. Its error is what sync would end with.
func (pl *planner) plan(ctx context.Context) error {
	dst := pl.pair.dest
	if dst.isLive() {
		return pl.planLive(ctx)
	}
	holders, err := destlocal.Holders(dst.dir)
	if err != nil {
		return dclone.InDest(err)
	}
	if pl.sidecar, err = dst.check(ctx, 0); err != nil {
		return err
	}
	if len(holders) > 0 {
		return fmt.Errorf("lock %s: %w", holders[0].File, local.ErrLocked)
	}
	if pl.sidecar == nil {
		pl.doc.Action = actionFirstCopy
		return pl.firstCopy(ctx, pl.src.Basis(), pl.opt.shape())
	}
	pl.tellSession()
	if err := pl.checkSource(); err != nil {
		return err
	}
	if pl.sidecar.pos.Phase == state.Current {
		return pl.catchUp(ctx)
	}
	pl.doc.Action = actionResume
	return pl.firstCopy(ctx, pl.sidecar.pos.Basis, pl.sidecar.session.Options)
}

// tellSession notes what the sidecar says.
func (pl *planner) tellSession() {
	of := pl.sidecar.session
	id := of.ID.String()
	pl.doc.SessionID, pl.doc.NotCarried, pl.doc.Accepted = &id, list(of.NotCarried), list(of.AcceptedNotCarried)
}

// firstCopy counts what a first copy of the source as of t would write.
func (pl *planner) firstCopy(ctx context.Context, t dclone.T, shape state.Options) error {
	snap, err := pl.src.Snapshot(ctx, t, source.Options{Jobs: pl.jobs, MaxMemory: int64(pl.opt.maxMemory)})
	if err != nil {
		return dclone.InSource(err)
	}
	defer snap.Close()
	p, err := snapshot.New(ctx, snap, destlocal.Dry(), snapshot.Options{
		MaxBatchSize: shape.MaxBatchSize, TxEntities: snapshot.TxEntities(shape.TxEntities), Jobs: pl.jobs})
	if err != nil {
		return dclone.InSource(err)
	}
	end := p.End() - 1
	pl.tellPlan(p)
	pl.doc.CloneT = &end
	pl.keeps(p.KeepsT())
	return nil
}

// tellPlan notes what a first copy writes.
func (pl *planner) tellPlan(p *snapshot.Plan) {
	pl.doc.Attributes, pl.doc.TxEntities = int64(p.Attributes()), int64(p.TxEntities())
	pl.doc.Datoms, pl.doc.Entities, pl.doc.Transactions = p.Datoms(), p.Entities(), p.Transactions()
	pl.doc.NotCarried = list(p.NotCarried())
}

// keeps notes whether replayed transactions keep the source's t, where that is a question.
func (pl *planner) keeps(t bool) {
	if pl.src.DatabaseID() != "" {
		pl.doc.KeepsT = &t
	}
}

// checkSource makes sure that the source is the one that was cloned, and has not gone back.
func (pl *planner) checkSource() error {
	pos, had, id := pl.sidecar.pos, pl.sidecar.session.Source.ID, pl.src.DatabaseID()
	if had != id {
		return fmt.Errorf("compare %s with the session: it is the database %q, not %q: %w", pl.pair.source, id, had, session.ErrReplaced)
	}
	if err := pl.pair.checkPoint(pl.src, pl.sidecar); err != nil {
		return err
	}
	if basis := pl.src.Basis(); basis < pos.Source.T {
		return fmt.Errorf("compare %s with the session: it ends at t %d, the clone has come to t %d: that is an earlier point in time, or %w",
			pl.pair.source, basis, pos.Source.T, session.ErrReplaced)
	}
	f, err := pl.src.Fingerprint(pl.sidecar.session.Key, pos.Source.T)
	if err != nil && !errors.Is(err, source.ErrNoTx) {
		return dclone.InSource(err)
	}
	if err != nil || !f.SameTx(pos.Source) {
		return fmt.Errorf("compare %s with the session: its transaction t %d is not the one that was cloned: %w",
			pl.pair.source, pos.Source.T, session.ErrReplaced)
	}
	return nil
}

// catchUp counts what the source has beyond the clone.
func (pl *planner) catchUp(ctx context.Context) error {
	pos := pl.sidecar.pos
	beyond, err := destlocal.Beyond(pl.pair.dest.dir, pl.sidecar.session.Key, pos.Clone)
	if err != nil {
		return dclone.InDest(err)
	}
	if beyond > 0 && pl.sidecar.intent == nil {
		return dclone.InDest(&dest.DriftError{T: pos.Clone.T + 1, Cause: "no run of dclone was under way"})
	}
	pl.keeps(pl.sidecar.session.Options.KeepT)
	return pl.replay(ctx, beyond > 0)
}

// replay counts the source's transactions; beyond says that some of them are in the clone already.
func (pl *planner) replay(ctx context.Context, beyond bool) error {
	pos := pl.sidecar.pos
	from := pos.Source.T
	pl.doc.FromT, pl.doc.CloneT, pl.doc.Action = &from, &pos.Clone.T, actionNothing
	for tx, err := range pl.src.Txs(ctx, from+1) {
		if err != nil {
			return dclone.InSource(err)
		}
		pl.doc.Transactions++
		pl.doc.Datoms += int64(len(tx.Datoms))
		for _, d := range tx.Datoms {
			if d.A == local.AttrInstallAttribute && d.Added {
				pl.doc.Attributes++
			}
		}
	}
	if pl.doc.Transactions > 0 || beyond {
		pl.doc.Action = actionCatchUp
	}
	return nil
}

// rows are the plan for people.
func (d *planDoc) rows() []string {
	rows := []string{"source\t" + d.Source, "clone\t" + d.Dest, "plan\t" + d.sentence()}
	switch d.Action {
	case actionFirstCopy, actionResume:
		rows = append(rows, fmt.Sprintf("attributes\t%d", d.Attributes), fmt.Sprintf("datoms\t%d", d.Datoms),
			fmt.Sprintf("entities\t%d", d.Entities),
			fmt.Sprintf("transactions\t%d, of them %d for transaction entities", d.Transactions, d.TxEntities))
	case actionCatchUp:
		rows = append(rows, fmt.Sprintf("transactions\t%d", d.Transactions), fmt.Sprintf("datoms\t%d", d.Datoms),
			fmt.Sprintf("new attributes\t%d", d.Attributes))
	}
	if d.KeepsT != nil && *d.KeepsT {
		rows = append(rows, "t\tkept: a replayed transaction has the t it has in the source")
	} else if d.KeepsT != nil {
		rows = append(rows, "t\tnumbered anew: a replayed transaction has another t than in the source")
	}
	if d.DestExists != nil && !*d.DestExists && d.Action != actionRefuse {
		rows = append(rows, "database\tis not there yet: sync makes it")
	}
	if d.blind {
		rows = append(rows, "not carried\tnot known before the database is there")
	} else {
		rows = append(rows, notCarriedRows(d.NotCarried, d.Accepted)...)
	}
	if d.untried {
		rows = append(rows, "predicates\twhether the destination can run them, sync finds out")
	}
	for _, problem := range d.Problems {
		rows = append(rows, "problem\t"+problem.Message)
	}
	return rows
}

func (d *planDoc) sentence() string {
	switch d.Action {
	case actionFirstCopy:
		return fmt.Sprintf("make a first copy of the source at t %d", d.ToT)
	case actionResume:
		return fmt.Sprintf("finish the first copy that is under way, then catch up to t %d", d.ToT)
	case actionCatchUp:
		return fmt.Sprintf("replay the source's transactions from t %d to t %d", *d.FromT+1, d.ToT)
	case actionNothing:
		return fmt.Sprintf("nothing: the clone is up to date at source t %d", d.ToT)
	}
	if d.Action == actionUnknown {
		return "not known: sync holds what the clone has more against the source, and goes on if it is the same"
	}
	return "nothing: sync would refuse"
}
