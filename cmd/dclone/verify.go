package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dclone"
	destlocal "dclone/dest/local"
	"dclone/state"
	"dclone/verify"
)

const verifyLong = `Compare the clone DEST with SOURCE, both as of the position in the clone's sidecar, by
another path than the one that wrote it. Nothing is written; no lock is taken on either
database, but the clone's sidecar is held meanwhile. A live clone is read through a JVM.

  counts    how many datoms each attribute has
  checksum  sums of all datoms, replayed transactions, schema, entity-id map
  full      and every datom that holds, byte by byte

With a backup of Datomic Pro alone, see whether every segment is there that its trees name,
and with --read-all whether each can be read: gzip, notation, checksums, order. All that
is bad is listed, with id, kind and file. Datomic's own BACKUP READ-ALL T is understood.

Exit codes: 0 equal, or whole · 3 equal, but for what could not be carried · 4 they differ,
or something is bad · 5 the source is another database · 6 source error · 7 destination
error · 10 no such source, backup or clone · 11 a run is going on`

const verifyExample = `  dclone verify datomic-local:prod/orders datomic-local:dev/orders
  dclone verify --level checksum --json datomic-local:prod/orders datomic-local:dev/orders
  dclone verify file:/backups/orders datomic-local:dev/orders
  dclone verify file:/backups/orders --read-all
  dclone verify datomic-local:prod/orders datomic:dev://localhost:4334/orders
  dclone verify s3://backups/orders true 83207`

type verifyOptions struct {
	state     string
	level     string
	jobs      int
	limit     int
	maxMemory size
	quiet     bool
	retryLock time.Duration

	// Of a backup alone.
	readAll bool
	t       string
}

func newVerify(p *program) *cobra.Command {
	opt := verifyOptions{maxMemory: verify.DefaultMaxMemory}
	cmd := &cobra.Command{
		Use:     "verify SOURCE DEST | BACKUP",
		Short:   "Compare a clone with its source, or check a backup",
		Aliases: []string{"verify-backup"},
		Long:    verifyLong,
		Example: verifyExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := untilSignal()
			defer cancel()
			a, alone, err := opt.backupArgs(args)
			if err == nil {
				err = opt.check(cmd.Flags(), alone)
			}
			switch {
			case err != nil:
				return err
			case alone:
				p.source = a.String()
				return p.verifyBackup(ctx, a, opt)
			}
			return p.verify(ctx, args, opt)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&opt.level, "level", string(verify.Full), "counts, checksum or full")
	f.IntVar(&opt.limit, "limit", verify.DefaultLimit, "differences to list")
	f.IntVarP(&opt.jobs, "jobs", "j", runtime.NumCPU(), "goroutines")
	f.BoolVar(&opt.readAll, "read-all", false, "of a backup: read every segment")
	f.StringVar(&opt.t, "t", "", "of a backup: the restore point `T` (default the newest)")
	f.Var(&opt.maxMemory, "max-memory", "memory for comparing; what does not fit goes to temporary files in TMPDIR")
	f.DurationVar(&opt.retryLock, "retry-lock", 0, "wait this long for others to let go of the sidecar, and of a live clone")
	p.liveFlags(f)
	f.BoolVarP(&opt.quiet, "quiet", "q", false, "print nothing where all is equal")
	p.verboseFlag(f)
	p.jsonFlag(cmd)
	stateFlag(cmd, &opt.state)
	return cmd
}

// check makes sure that flags make sense; alone says that a backup is what is verified.
func (o *verifyOptions) check(f *pflag.FlagSet, alone bool) error {
	if !alone && (f.Changed("read-all") || f.Changed("t")) {
		return usage("verify", "--read-all and --t are for a backup alone")
	}
	for _, name := range []string{"level", "limit", "max-memory", "state", "retry-lock"} {
		if alone && f.Changed(name) {
			return usage("verify", "--%s is for a clone and its source", name)
		}
	}
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
	Accepted   []dclone.NotCarried `json:"accepted_not_carried"`
}

func (p *program) verify(ctx context.Context, args []string, opt verifyOptions) error {
	pr, err := p.pair("verify", args, opt.state)
	if err != nil {
		return err
	}
	src, err := p.openSource(ctx, pr.source)
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
	clone, err := p.openCompared(ctx, pr.dest, sc, opt.retryLock)
	if err != nil {
		return err
	}
	defer clone.Close()
	began := time.Now()
	report, err := verify.Run(ctx, src, clone, store, p.verifyOptions(opt))
	p.progress("")
	if err != nil {
		return pr.named(err)
	}
	doc := verifyDoc{pr.source.String(), pr.dest.address.String(), report, time.Since(began).Milliseconds(), list(sc.session.NotCarried),
		list(sc.session.AcceptedNotCarried)}
	return p.verified(doc, sc, opt)
}

const tryFinish = "dclone sync <source> <dest>, which finishes it"

// verifiable makes sure that a clone is there, whole, and at rest. What a running Datomic has is not looked at.
func (p place) verifiable(sc *sidecar) error {
	if err := p.checkThere(sc); err != nil {
		return err
	}
	if sc.pos.Phase != state.Current {
		return &failure{codeFailure, fmt.Errorf("compare clone %s: %w", p.address, verify.ErrNotWhole), tryFinish}
	}
	if sc.intent == nil || p.isLive() {
		return nil
	}
	beyond, err := destlocal.Beyond(p.dir, sc.session.Key, sc.pos.Clone)
	if err == nil && beyond > 0 {
		return p.cutOff()
	}
	return err
}

// cutOff is the failure of a clone that ends in the middle of what a run was about to write.
func (p place) cutOff() error {
	return &failure{codeFailure, fmt.Errorf("compare clone %s: a run was cut off within a group of transactions", p.address), tryFinish}
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
		tryAfresh}
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
	rows = append(rows, notCarriedRows(d.NotCarried, d.Accepted)...)
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
