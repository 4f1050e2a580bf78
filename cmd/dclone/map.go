package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"dclone"
	destlive "dclone/dest/live"
	destlocal "dclone/dest/local"
	"dclone/eidmap"
	"dclone/fit"
	"dclone/session"
	"dclone/state"
)

const mapLong = `Translate entity ids of the source to those of the clone DEST, or back with --reverse, a
line each: source id, clone id. Entities that every database is born with have the same
id in both. Those of a live clone that is not Datomic Local's only its own library knows:
it is asked through a JVM.

Exit codes: 0 · 1 an id is not known (the others are printed) · 10 no such clone · 11 a run
is going on`

const mapExample = `  dclone map datomic-local:dev/orders 74766790688843
  dclone map datomic-local:dev/orders --reverse 74766790688842 74766790688843 --json`

type mapOptions struct {
	state     string
	reverse   bool
	retryLock time.Duration
}

func newMap(p *program) *cobra.Command {
	var opt mapOptions
	cmd := &cobra.Command{
		Use:     "map DEST ID…",
		Short:   "Translate entity ids between source and clone",
		Long:    mapLong,
		Example: mapExample,
		RunE: func(_ *cobra.Command, args []string) error {
			ctx, cancel := untilSignal()
			defer cancel()
			return p.mapIDs(ctx, args, opt)
		},
	}
	cmd.Flags().BoolVar(&opt.reverse, "reverse", false, "the ids are the clone's")
	cmd.Flags().DurationVar(&opt.retryLock, "retry-lock", 0, "wait this long for a run to let go of the sidecar")
	p.childFlags(cmd.Flags())
	p.jsonFlag(cmd)
	stateFlag(cmd, &opt.state)
	return cmd
}

// A mapDoc is what map prints.
type mapDoc struct {
	Dest string      `json:"dest"`
	IDs  []mappedIDs `json:"ids"`
}

// mappedIDs are an entity's ids, nil on the side that does not have it.
type mappedIDs struct {
	Source *dclone.EntityID `json:"source"`
	Clone  *dclone.EntityID `json:"clone"`
}

func (p *program) mapIDs(ctx context.Context, args []string, opt mapOptions) error {
	if len(args) > 0 && isNumber(args[0]) {
		args = append([]string{""}, args...) // DEST is in the environment
	}
	if len(args) < 2 {
		return usage("map", "DEST and ids are wanted")
	}
	ids, err := parseIDs(args[1:])
	if err != nil {
		return err
	}
	where := args[:1]
	if args[0] == "" {
		where = nil
	}
	dst, err := p.dest1("map", where, opt.state)
	if err != nil {
		return err
	}
	store, err := dst.open(ctx, opt.retryLock)
	if err != nil {
		return err
	}
	defer store.Close()
	doc := mapDoc{Dest: dst.address.String(), IDs: []mappedIDs{}}
	of, err := store.Session()
	if err != nil {
		return err
	}
	f, err := p.readFit(ctx, dst, store, of)
	if err != nil {
		return err
	}
	if err := store.View(func(tx *state.Tx) error { return doc.lookUp(tx, f, ids, opt.reverse) }); err != nil {
		return err
	}
	return p.mapped(doc, ids, opt)
}

// readFit returns which of the source's builtins are which of the clone's. Of any kind but Datomic Local only a running
// Datomic knows.
func (p *program) readFit(ctx context.Context, dst place, store *state.Store, of state.Session) (*fit.Fit, error) {
	if directory(dst.address) != "" {
		_, f, err := session.ReadFit(store, of, destlocal.Dry())
		return f, err
	}
	clone, err := p.openClone(ctx, dst, destlive.Options{}, nil)
	if err != nil {
		return nil, err
	}
	defer clone.Close()
	_, f, err := session.ReadFit(store, of, clone)
	return f, err
}

func parseIDs(args []string) ([]dclone.EntityID, error) {
	var ids []dclone.EntityID
	for _, arg := range args {
		id, err := strconv.ParseInt(arg, 10, 64)
		if err != nil || id < 0 {
			return nil, usage("map", "%q is not an entity id", arg)
		}
		ids = append(ids, dclone.EntityID(id))
	}
	return ids, nil
}

func (d *mapDoc) lookUp(tx *state.Tx, f *fit.Fit, ids []dclone.EntityID, reverse bool) error {
	m, err := tx.Map()
	if err != nil {
		return err
	}
	for _, id := range ids {
		other, ok, err := otherID(m, f, id, reverse)
		if err != nil {
			return err
		}
		pair := mappedIDs{&id, &other}
		if !ok {
			pair.Clone = nil
		}
		if reverse {
			pair.Source, pair.Clone = pair.Clone, pair.Source
		}
		d.IDs = append(d.IDs, pair)
	}
	return nil
}

// otherID returns an entity's id on the other side. Builtins are not in the map.
func otherID(m *eidmap.Map, f *fit.Fit, id dclone.EntityID, reverse bool) (dclone.EntityID, bool, error) {
	if reverse {
		if other, ok := f.Source(id); ok {
			return other, true, nil
		}
		return m.Source(id)
	}
	if other, ok := f.Builtin(id); ok {
		return other, true, nil
	}
	return m.Clone(id)
}

// mapped prints the ids that are known, and fails for those that are not.
func (p *program) mapped(doc mapDoc, ids []dclone.EntityID, opt mapOptions) error {
	var unknown []dclone.EntityID
	for i, pair := range doc.IDs {
		if pair.Source == nil || pair.Clone == nil {
			unknown = append(unknown, ids[i])
		} else if !p.json {
			fmt.Fprintf(p, "%d\t%d\n", *pair.Source, *pair.Clone)
		}
	}
	if p.json {
		if err := p.document(doc); err != nil {
			return err
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	side, try := "source", "--reverse, if that is an id of the clone"
	if opt.reverse {
		side, try = "clone", "the command without --reverse, if that is an id of the source"
	}
	return &failure{codeFailure, fmt.Errorf("entity %d of the %s is not in the map%s", unknown[0], side, andMore(len(unknown)-1)), try}
}
