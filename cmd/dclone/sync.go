package main

import (
	"cmp"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	destlive "dclone/dest/live"
	"dclone/session"
	"dclone/snapshot"
)

// syncOptions are the flags of sync. Those that change speed alone may differ from run to run.
type syncOptions struct {
	state     string
	batchSize int
	txs       string
	eidBatch  int

	jobs, readJobs, txJobs int
	maxMemory              size
	noIndex                bool

	// Of a clone that a running Datomic has.
	allowDest []string
	settle    time.Duration
	upgrade   bool

	accept    bool
	restart   bool
	follow    bool
	poll      time.Duration
	retryLock time.Duration

	quiet, verbose bool
	progress       string
}

const syncLong = `Bring the clone DEST up to date with SOURCE.

The first run copies the source's present state; every later one replays the
source's transactions from where the clone stands, one for one. The same command
again is the resume, the catch-up and the no-op. A clone on disk keeps its sidecar,
with position and entity-id map, in its own directory: dclone.state.

SOURCE may be any address. DEST is a Datomic Local database on disk, or a live clone: any
database that Datomic's own library reaches (client:…, a peer's URI). What DEST cannot hold
is listed as not carried: dclone plan tells beforehand. With --follow, a source in
PostgreSQL costs one row a poll while nothing happens in it, and JVMs are kept between polls.

A live source is in use by others: --limit-rate and --read-chunk keep the load on it small.
--verbose shows what JVMs say.

A live clone may be served to others while it is written, but only dclone may write to it.
Where there is no database yet, it is made; one that holds data of others is refused. It
gives entities ids and transactions t of its own (dclone map). Its sidecar is
DB-DIGEST.state in $XDG_STATE_HOME/dclone, or ~/.local/state/dclone: keep it, there is no
catch-up without it. The sidecar's lock is the clone's. A clone that is not on this machine
must be allowed by name, so that nobody writes to production by mistake: --allow-dest. What
was sent when a JVM or a connection died is waited for, --settle, and looked up in the
clone's log before anything more is sent. --restart needs an empty database, or none:
dclone deletes no live one. Where DEST is old and lacks tuples, attribute predicates, entity
specs or symbols that SOURCE uses, sync says so; --upgrade-schema has Datomic add them.

The first interrupt (Ctrl-C, SIGTERM) lets the run finish its group and save; the
second ends it at once. Nothing is lost by either: run the command again.

Flags that shape the first copy (--max-batch-size, --tx-entities) cannot change while
it is under way; the others may change from run to run.

Exit codes: 0 done · 3 done, but something could not be carried · 5 source or clone is
not what it was · 6 source error · 7 destination error · 10 no such source ·
11 locked · 130 interrupted, state saved, run again`

const syncExample = `  dclone sync datomic-local:prod/orders datomic-local:dev/orders
  dclone sync --follow --poll 10s datomic-local:prod/orders datomic-local:/data/clones/dev/orders
  dclone sync --json datomic-local:prod/orders datomic-local:dev/orders | jq .status
  dclone sync 's3://backups/orders?t=83207' datomic-local:dev/orders
  dclone sync --limit-rate 20000 client:cloud.edn#orders datomic-local:dev/orders
  dclone sync file:/backups/orders 'client:{:server-type :datomic-local :system "dev"}#orders'
  dclone sync datomic-local:prod/orders datomic:dev://localhost:4334/orders
  dclone sync --allow-dest staging s3://backups/orders client:staging.edn#orders
  dclone sync --follow 'datomic:sql://orders?jdbc:postgresql://db/datomic?user=datomic' datomic-local:dev/orders`

func newSync(p *program) *cobra.Command {
	opt := &syncOptions{maxMemory: 64 << 20}
	cmd := &cobra.Command{
		Use:     "sync SOURCE DEST",
		Short:   "Make a clone, or bring it up to date",
		Long:    syncLong,
		Example: syncExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opt.check(cmd.Flags()); err != nil {
				return err
			}
			pr, err := p.pair("sync", args, opt.state)
			if err != nil {
				return err
			}
			p.live.verbose = opt.verbose
			if err := pr.dest.allow(opt.allowDest); err != nil {
				return err
			}
			return newSyncer(p, pr, opt).run()
		},
	}
	opt.flags(cmd.Flags(), p.liveFlags)
	p.jsonFlag(cmd)
	stateFlag(cmd, &opt.state)
	return cmd
}

func (o *syncOptions) flags(f *pflag.FlagSet, live func(*pflag.FlagSet)) {
	f.SortFlags = false
	f.IntVar(&o.batchSize, "max-batch-size", 0, fmt.Sprintf("`N` datoms in a transaction of the first copy (default %d, of a live clone %d)",
		session.DefaultBatchSize, session.DefaultLiveBatchSize))
	f.StringVar(&o.txs, "tx-entities", session.DefaultTxEntities,
		"which of the source's transaction entities stay such in the first copy: `used|all|none`; used are those with data of their own or refs to them")
	f.IntVarP(&o.jobs, "jobs", "j", runtime.NumCPU(), "`N` goroutines, for reading and writing alike; of a live clone, for reading")
	f.IntVar(&o.readJobs, "read-parallelism", 0,
		"`N` goroutines that read (default --jobs); between Datomic Local databases one pool reads and encodes, and the larger of this and --tx-parallelism counts")
	f.IntVar(&o.txJobs, "tx-parallelism", 0, fmt.Sprintf("`N` goroutines that make transactions (default --jobs); see --read-parallelism. Of a live clone: how many of a first copy's are under way at once (default %d)", destlive.DefaultWindow))
	live(f)
	f.IntVar(&o.eidBatch, "eid-mapping-batch-size", session.DefaultEidBatch, "`N` records of the entity-id map to write at a time")
	f.Var(&o.maxMemory, "max-memory", "memory for sorting; what does not fit goes to temporary files beside the sidecar")
	f.BoolVar(&o.noIndex, "no-index", false, "write no index files: faster here, slower when Datomic Local opens the clone; of no effect with live clones")
	f.StringArrayVar(&o.allowDest, "allow-dest", nil,
		"`HOST` that a live clone may be on, besides this machine: of the URI, of :endpoint, else the :system; of DynamoDB region/table (repeatable)")
	f.DurationVar(&o.settle, "settle", 15*time.Second,
		"how long a live clone may take to show what was sent when a JVM or connection died, or to reach an instant of the source")
	f.BoolVar(&o.upgrade, "upgrade-schema", false,
		"upgrade the base schema of a live clone where it lacks what the source uses; instants before that can no longer be kept there")
	f.BoolVar(&o.accept, "accept-not-carried", false, "accept for good what could not be carried so far: exit 0 again")
	f.BoolVar(&o.restart, "restart", false, "throw this session's clone away and copy afresh; never a database that is not dclone's, nor a live one")
	f.BoolVar(&o.follow, "follow", false, "keep going: sync again after each --poll")
	f.DurationVar(&o.poll, "poll", 5*time.Second, "how long --follow sleeps between two runs")
	f.DurationVar(&o.retryLock, "retry-lock", 0, "wait this long for others to let go of their locks")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print errors only, and what could not be carried")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "tell more")
	f.StringVar(&o.progress, "progress", progressAuto,
		"`auto|plain|none`: auto is a line that is redrawn on a terminal, and a line every 30 s elsewhere; plain never redraws")
}

// check makes sure that flags make sense, and drops those that were not given but shape a copy: the
// session's own count then.
func (o *syncOptions) check(f *pflag.FlagSet) error {
	if err := o.checkNumbers(f); err != nil {
		return err
	}
	switch snapshot.TxEntities(o.txs) {
	case snapshot.TxUsed, snapshot.TxAll, snapshot.TxNone:
	default:
		return usage("sync", "--tx-entities %s: it may be used, all or none", o.txs)
	}
	switch {
	case o.progress != progressAuto && o.progress != progressPlain && o.progress != progressNone:
		return usage("sync", "--progress %s: it may be auto, plain or none", o.progress)
	case o.poll < 10*time.Millisecond:
		return usage("sync", "--poll %s: it may be from 10ms up", o.poll)
	case o.retryLock < 0:
		return usage("sync", "--retry-lock %s: it cannot be negative", o.retryLock)
	case o.settle < 0:
		return usage("sync", "--settle %s: it cannot be negative", o.settle)
	case f.Changed("poll") && !o.follow:
		return usage("sync", "--poll does nothing without --follow")
	case o.quiet && o.verbose:
		return usage("sync", "--quiet and --verbose exclude each other")
	}
	if !f.Changed("max-batch-size") {
		o.batchSize = 0
	}
	if !f.Changed("tx-entities") {
		o.txs = ""
	}
	return nil
}

func (o *syncOptions) checkNumbers(f *pflag.FlagSet) error {
	for _, n := range []struct {
		name       string
		value, max int
	}{
		{"max-batch-size", o.batchSize, 100_000},
		{"eid-mapping-batch-size", o.eidBatch, 1 << 20},
		{"jobs", o.jobs, 1024},
		{"read-parallelism", o.readJobs, 1024},
		{"tx-parallelism", o.txJobs, 1024},
	} {
		if f.Changed(n.name) && (n.value < 1 || n.value > n.max) {
			return usage("sync", "--%s %d: it may be from 1 to %d", n.name, n.value, n.max)
		}
	}
	return nil
}

// parallel returns the size of the one pool that reads and encodes. For a live clone it only reads.
func (o *syncOptions) parallel(live bool) int {
	if live {
		return cmp.Or(o.readJobs, o.jobs)
	}
	return cmp.Or(max(o.readJobs, o.txJobs), o.jobs)
}
