package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"dclone"
	"dclone/datomic/local"
	destlocal "dclone/dest/local"
	"dclone/state"
)

const resetLong = `Forget the session of the clone DEST: remove its sidecar, and a first copy that was not
whole yet. The database stays, as one that dclone knows nothing of and will not write to.
With --drop-clone it is removed too, if it is the one the sidecar describes; never any
other database. One that a running Datomic has is never removed: reset says by which call
Datomic's own library does that.

Exit codes: 0 · 5 the database is not this sidecar's clone · 10 no such clone · 11 locked`

const resetExample = `  dclone reset datomic-local:dev/orders --drop-clone --dry-run
  dclone reset datomic-local:dev/orders --drop-clone`

type resetOptions struct {
	state     string
	dropClone bool
	dryRun    bool
}

func newReset(p *program) *cobra.Command {
	var opt resetOptions
	cmd := &cobra.Command{
		Use:     "reset DEST",
		Short:   "Forget a clone's session, and the clone",
		Long:    resetLong,
		Example: resetExample,
		RunE: func(_ *cobra.Command, args []string) error {
			ctx, cancel := untilSignal()
			defer cancel()
			return p.reset(ctx, args, opt)
		},
	}
	cmd.Flags().BoolVar(&opt.dropClone, "drop-clone", false, "remove the clone's database too")
	cmd.Flags().BoolVarP(&opt.dryRun, "dry-run", "n", false, "say what would be removed, and remove nothing")
	stateFlag(cmd, &opt.state)
	return cmd
}

func (p *program) reset(ctx context.Context, args []string, opt resetOptions) error {
	if len(args) > 1 {
		return usage("reset", "%d arguments where DEST is wanted", len(args))
	}
	dst, err := p.dest1("reset", args, opt.state)
	if err != nil {
		return err
	}
	if dst.isLive() {
		return p.resetLive(ctx, dst, opt)
	}
	if _, err := dst.removal(ctx, opt.dropClone); err != nil {
		return err // before a lock file is made
	}
	if opt.dryRun {
		return p.resetDry(ctx, dst, opt)
	}
	clone, err := destlocal.Lock(dst.dir)
	if err != nil {
		return dclone.InDest(err)
	}
	defer clone.Close()
	r, err := dst.removal(ctx, opt.dropClone)
	if err != nil {
		return err
	}
	if err := r.do(dst, clone); err != nil {
		return err
	}
	p.table(r.rows(dst, "removed")...)
	return nil
}

// resetDry says what reset would do.
func (p *program) resetDry(ctx context.Context, dst place, opt resetOptions) error {
	holders, err := destlocal.Holders(dst.dir)
	if err != nil {
		return dclone.InDest(err)
	}
	if len(holders) > 0 {
		return fmt.Errorf("lock %s: %w", holders[0].File, local.ErrLocked)
	}
	r, err := dst.removal(ctx, opt.dropClone)
	if err == nil {
		p.table(r.rows(dst, "would remove")...)
	}
	return err
}

// A removal is what reset takes away.
type removal struct{ sidecar, loading, database bool }

// removal finds out what there is to remove, and makes sure that it is dclone's own.
func (p place) removal(ctx context.Context, dropClone bool) (removal, error) {
	r := removal{sidecar: true, loading: destlocal.Loading(p.dir)}
	sc, err := p.read(ctx, 0)
	switch {
	case errors.Is(err, state.ErrNone) && dropClone && r.loading:
		return removal{loading: true}, nil // only dclone makes such files
	case isA[*dclone.DestError](err) && !dropClone && p.state == p.own:
		return r, nil // a damaged sidecar can be forgotten
	case err != nil:
		return r, err
	}
	if !dropClone {
		return r, nil
	}
	content, err := destlocal.Look(p.dir)
	if err != nil {
		return r, dclone.InDest(err)
	}
	r.database = content != destlocal.Nothing
	return r, p.owns(sc)
}

// do removes the sidecar last. A crash before leaves a sidecar without a clone, which every run
// recognises; the other way round would leave a database of nobody's.
func (r removal) do(p place, clone *destlocal.Clone) error {
	switch {
	case r.database:
		if err := clone.Drop(); err != nil {
			return dclone.InDest(err)
		}
	case r.loading:
		if err := clone.DropLoading(); err != nil {
			return dclone.InDest(err)
		}
	}
	if r.sidecar {
		return p.forget()
	}
	return nil
}

func (r removal) rows(p place, verb string) []string {
	var rows []string
	for _, part := range []struct {
		is   bool
		what string
	}{
		{r.database, "the database in " + p.dir},
		{r.loading, "the unfinished first copy in " + p.dir},
		{r.sidecar, "the sidecar " + p.state},
	} {
		if part.is {
			rows = append(rows, verb+"\t"+part.what)
		}
	}
	return rows
}
