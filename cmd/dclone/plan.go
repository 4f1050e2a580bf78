package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dclone"
	"dclone/session"
	"dclone/snapshot"
	"dclone/state"
)

const planLong = `Say what sync would do, what it could not carry, and what stands in its way. Nothing is
written anywhere (but for temporary files in TMPDIR, where a large source does not fit
into --max-memory), and no lock is taken. A live DEST is asked through a JVM; where there is
no database yet, of Datomic Cloud it is not known what cannot be carried. Whether a live
DEST can run predicates (:db.attr/preds), and takes long strings, sync finds out.

Datoms of transactions to be replayed are the source's. What of them cannot be carried,
sync knows when it has replayed them: plan lists what could not so far, or of a first copy
cannot. It is counted in datoms. Where DEST does not have an attribute's type, the datom of
its definition is one of them.

Exit codes: 0 · 3 something cannot be carried, and is not accepted · 5, 7, 11 what sync
would end with · 6 source error · 10 no such source`

const planExample = `  dclone plan datomic-local:prod/orders datomic-local:dev/orders
  dclone plan --json datomic-local:prod/orders datomic-local:dev/orders
  dclone plan 'datomic:sql://orders?jdbc:postgresql://db/datomic?user=datomic' datomic-local:dev/orders`

type planOptions struct {
	state     string
	batchSize int
	txs       string
	maxMemory size
}

func newPlan(p *program) *cobra.Command {
	opt := planOptions{maxMemory: 64 << 20}
	cmd := &cobra.Command{
		Use:     "plan SOURCE DEST",
		Short:   "Say what sync would do, and write nothing",
		Long:    planLong,
		Example: planExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := untilSignal()
			defer cancel()
			if err := opt.check(cmd.Flags()); err != nil {
				return err
			}
			return p.plan(ctx, args, opt)
		},
	}
	f := cmd.Flags()
	f.IntVar(&opt.batchSize, "max-batch-size", 0, "`N` as for sync")
	f.StringVar(&opt.txs, "tx-entities", session.DefaultTxEntities, "as for sync")
	f.Var(&opt.maxMemory, "max-memory", "as for sync")
	p.liveFlags(f)
	p.verboseFlag(f)
	p.jsonFlag(cmd)
	stateFlag(cmd, &opt.state)
	return cmd
}

// What sync would do.
const (
	actionFirstCopy = "first_copy"
	actionResume    = "resume"
	actionCatchUp   = "catch_up"
	actionNothing   = "nothing"
	actionRefuse    = "refuse"
	actionUnknown   = "unknown" // a live clone has more than its sidecar says
)

// A planDoc is what plan prints. Counts are of what sync would write.
type planDoc struct {
	Source       string              `json:"source"`
	Dest         string              `json:"dest"`
	State        string              `json:"state"`
	Action       string              `json:"action"`
	SessionID    *string             `json:"session_id"` // nil where there is no clone yet
	FromT        *dclone.T           `json:"from_t"`     // nil in a first copy, which has no past
	ToT          dclone.T            `json:"to_t"`
	CloneT       *dclone.T           `json:"clone_t"`
	Attributes   int64               `json:"attributes"`
	Datoms       int64               `json:"datoms"`
	Entities     int64               `json:"entities"`
	Transactions int64               `json:"transactions"`
	TxEntities   int64               `json:"tx_entities"`
	KeepsT       *bool               `json:"keeps_t"`     // whether replayed transactions have the source's t; nil where source and clone number alike
	DestExists   *bool               `json:"dest_exists"` // whether a running Datomic has the database; nil for one that dclone writes itself
	NotCarried   []dclone.NotCarried `json:"not_carried"`
	Accepted     []dclone.NotCarried `json:"accepted_not_carried"`
	Problems     []planProblem       `json:"problems"`
	DurationMS   int64               `json:"duration_ms"`

	blind   bool // what cannot be carried is not known
	untried bool // nor whether predicates can
}

// A planProblem is what stands in the way of sync.
type planProblem struct {
	Code    int    `json:"code"` // that sync would exit with
	Message string `json:"message"`
	Try     string `json:"try"`
}

func (p *program) plan(ctx context.Context, args []string, opt planOptions) error {
	pr, err := p.pair("plan", args, opt.state)
	if err != nil {
		return err
	}
	if opt.batchSize == 0 {
		opt.batchSize = pr.dest.batchSize()
	}
	began := time.Now()
	src, err := p.openSource(ctx, pr.source)
	if err != nil {
		return err
	}
	defer src.Close()
	pl := &planner{p: p, src: src, pair: pr, opt: opt, jobs: runtime.NumCPU(), doc: planDoc{
		Source: pr.source.String(), Dest: pr.dest.address.String(), State: pr.dest.state, ToT: src.Basis(),
		NotCarried: []dclone.NotCarried{}, Accepted: []dclone.NotCarried{}, Problems: []planProblem{}}}
	obstacle := pl.plan(ctx)
	if obstacle != nil {
		f := p.explain(obstacle)
		if f.code == codeSource || f.code == codeInterrupted || f.code == codeUsage {
			return obstacle
		}
		if pl.doc.Action != actionUnknown {
			pl.doc.Action = actionRefuse
		}
		pl.doc.Problems = append(pl.doc.Problems, planProblem{f.code, f.Error(), f.try})
	}
	pl.doc.DurationMS = time.Since(began).Milliseconds()
	if p.json {
		if err := p.document(pl.doc); err != nil {
			return err
		}
	} else {
		p.table(pl.doc.rows()...)
	}
	if obstacle != nil {
		return obstacle
	}
	return pl.doc.outstanding()
}

// outstanding is what a plan ends with where something is not, or will not be, carried.
func (d *planDoc) outstanding() error {
	rest := session.Outstanding(state.Session{NotCarried: d.NotCarried, AcceptedNotCarried: d.Accepted})
	if len(rest) == 0 {
		return nil
	}
	return &failure{codeNotCarried, fmt.Errorf("not all can be carried: %s", notCarriedLine(rest[0])+andMore(len(rest)-1)),
		"dclone sync <source> <dest> all the same; with --accept-not-carried once the clone may do without"}
}

// shape returns the options of a first copy.
func (o *planOptions) shape() state.Options {
	return state.Options{MaxBatchSize: o.batchSize, TxEntities: o.txs}
}

func (o *planOptions) check(f *pflag.FlagSet) error {
	if f.Changed("max-batch-size") && (o.batchSize < 1 || o.batchSize > 100_000) {
		return usage("plan", "--max-batch-size %d: it may be from 1 to 100000", o.batchSize)
	}
	switch snapshot.TxEntities(o.txs) {
	case snapshot.TxUsed, snapshot.TxAll, snapshot.TxNone:
		return nil
	}
	return usage("plan", "--tx-entities %s: it may be used, all or none", o.txs)
}
