package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"dclone"
	destlocal "dclone/dest/local"
	sourcelocal "dclone/source/local"
	"dclone/state"
	"dclone/verify"
)

const verifyLong = `Compare the clone DEST with SOURCE, both as of the position in the clone's sidecar, by
another path than the one that wrote it. Nothing is written; no lock is taken on either
database, but the clone's sidecar is held meanwhile.

  counts    how many datoms each attribute has
  checksum  sums of all datoms, replayed transactions, schema, entity-id map
  full      and every datom that holds, byte by byte

Exit codes: 0 equal · 3 equal, but for what could not be carried · 4 they differ · 5 the
source is another database · 6 source error · 7 destination error · 10 no such source or
clone · 11 a run is going on`

const verifyExample = `  dclone verify datomic-local:prod/orders datomic-local:dev/orders
  dclone verify --level checksum --json datomic-local:prod/orders datomic-local:dev/orders`

type verifyOptions struct {
	state     string
	level     string
	jobs      int
	limit     int
	maxMemory size
	quiet     bool
	retryLock time.Duration
}

func newVerify(p *program) *cobra.Command {
	opt := verifyOptions{maxMemory: verify.DefaultMaxMemory}
	cmd := &cobra.Command{
		Use:     "verify SOURCE DEST",
		Short:   "Compare a clone with its source",
		Long:    verifyLong,
		Example: verifyExample,
		RunE: func(_ *cobra.Command, args []string) error {
			ctx, cancel := untilSignal()
			defer cancel()
			return p.verify(ctx, args, opt)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&opt.level, "level", string(verify.Full), "counts, checksum or full")
	f.IntVar(&opt.limit, "limit", verify.DefaultLimit, "differences to list")
	f.IntVarP(&opt.jobs, "jobs", "j", runtime.NumCPU(), "goroutines")
	f.Var(&opt.maxMemory, "max-memory", "memory for comparing; what does not fit goes to temporary files in TMPDIR")
	f.DurationVar(&opt.retryLock, "retry-lock", 0, "wait this long for others to let go of the sidecar")
	f.BoolVarP(&opt.quiet, "quiet", "q", false, "print nothing where all is equal")
	p.jsonFlag(cmd)
	stateFlag(cmd, &opt.state)
	return cmd
}

func (o *verifyOptions) check() error {
	switch verify.Level(o.level) {
	case verify.Counts, verify.Checksum, verify.Full:
	default:
		return usage("verify", "--level %s: it may be counts, checksum or full", o.level)
	}
	if o.limit < 1 || o.jobs < 1 {
		return usage("verify", "--limit and --jobs begin at 1")
	}
	return nil
}

// A verifyDoc is what verify prints.
type verifyDoc struct {
	Source string `json:"source"`
	Dest   string `json:"dest"`
	verify.Report
	DurationMS int64               `json:"duration_ms"`
	NotCarried []dclone.NotCarried `json:"not_carried"`
}

func (p *program) verify(ctx context.Context, args []string, opt verifyOptions) error {
	if err := opt.check(); err != nil {
		return err
	}
	pr, err := p.pair("verify", args, opt.state)
	if err != nil {
		return err
	}
	src, err := openSource(pr.source)
	if err != nil {
		return err
	}
	defer src.Close()
	store, err := pr.dest.open(ctx, opt.retryLock)
	if err != nil {
		return err
	}
	defer store.Close()
	sc, err := readSidecar(store)
	if err == nil {
		err = pr.dest.verifiable(sc)
	}
	if err != nil {
		return err
	}
	clone, err := sourcelocal.Open(pr.dest.dir)
	if err != nil {
		return dclone.InDest(err)
	}
	defer clone.Close()
	began := time.Now()
	report, err := verify.Run(ctx, src, clone, store, p.verifyOptions(opt))
	p.progress("")
	if err != nil {
		return err
	}
	doc := verifyDoc{pr.source.String(), pr.dest.address.String(), report, time.Since(began).Milliseconds(), list(sc.session.NotCarried)}
	return p.verified(doc, sc, opt)
}

// verifiable makes sure that a clone is there, whole, and at rest.
func (p place) verifiable(sc *sidecar) error {
	if err := p.checkThere(sc); err != nil {
		return err
	}
	const try = "dclone sync <source> <dest>, which finishes it"
	if sc.pos.Phase != state.Current {
		return &failure{codeFailure, fmt.Errorf("compare clone %s: %w", p.address, verify.ErrNotWhole), try}
	}
	if sc.intent == nil {
		return nil
	}
	beyond, err := destlocal.Beyond(p.dir, sc.session.Key, sc.pos.Clone)
	if err == nil && beyond > 0 {
		return &failure{codeFailure, fmt.Errorf("compare clone %s: a run was cut off within a group of transactions", p.address), try}
	}
	return err
}

func (p *program) verifyOptions(opt verifyOptions) verify.Options {
	o := verify.Options{Level: verify.Level(opt.level), Jobs: opt.jobs, MaxMemory: int64(opt.maxMemory), Limit: opt.limit}
	if !p.json && !opt.quiet && isTerminal(p.err) {
		var shown time.Time
		o.Progress = func(pr verify.Progress) {
			if time.Since(shown) >= redrawEvery && pr.All > 0 {
				shown = time.Now()
				p.progress(fmt.Sprintf("%s %.1f %%", pr.Stage, 100*float64(pr.Done)/float64(pr.All)))
			}
		}
	}
	return o
}

// verified prints a report, and says how the program ends.
func (p *program) verified(doc verifyDoc, sc *sidecar, opt verifyOptions) error {
	if p.json {
		if err := p.document(doc); err != nil {
			return err
		}
	} else if !opt.quiet || doc.Status != verify.OK {
		p.table(doc.rows()...)
	}
	if doc.Status == verify.OK {
		return outstanding(sc.session)
	}
	return &failure{codeDiffers,
		fmt.Errorf("clone and source differ: %s", count(int(doc.DifferencesTotal), "difference", "differences")),
		"dclone sync --restart <source> <dest> to copy afresh"}
}

// rows are the report for people.
func (d *verifyDoc) rows() []string {
	result := "equal"
	if d.Status != verify.OK {
		result = "they differ"
	}
	rows := []string{
		"result\t" + result + ", level " + string(d.Level),
		fmt.Sprintf("position\tsource t %d, clone t %d", d.SourceT, d.CloneT),
		fmt.Sprintf("compared\t%s with %s, %s replayed", count(len(d.Attributes), "attribute", "attributes"),
			count(int(d.Datoms), "datom", "datoms"), count(int(d.Transactions), "transaction", "transactions")),
		"time\t" + brief(time.Duration(d.DurationMS)*time.Millisecond),
	}
	rows = append(rows, notCarriedRows(d.NotCarried)...)
	for _, a := range d.Attributes {
		if !a.Equal {
			rows = append(rows, fmt.Sprintf("differs\t%s: %d in the source, %d in the clone", a.Ident, a.SourceCount, a.CloneCount))
		}
	}
	for _, diff := range d.Differences {
		rows = append(rows, "difference\t"+diff.Text)
	}
	if more := d.DifferencesTotal - int64(len(d.Differences)); more > 0 {
		rows = append(rows, fmt.Sprintf("\tand %d more", more))
	}
	return rows
}
