package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dclone"
	"dclone/address"
	"dclone/backup"
	"dclone/store"
	"dclone/store/s3"
)

const backupLong = `Copy the database SOURCE, which is Datomic Pro storage or another backup, into BACKUP, a
directory or a place in S3. What BACKUP has already is not copied again: each run adds a
restore point, and none is ever changed or removed. (To be rid of one, remove the whole
backup.) Where SOURCE went back, to an older t, the restore points that are newer stay, and
dclone says so; if it came to one of them by other transactions, it is refused. The database may be written to meanwhile, and nothing is locked in it. A run that was interrupted leaves what it copied; the next
goes on from there. Every segment is read to its end before it is copied, so that damage
does not spread. A backup holds one database: another one is refused.

Datomic's own restore-db, verify-backup and list-backups read what backup writes, and
backup goes on with what Datomic's own backup-db has written. BACKUP is not encrypted
unless --encryption sse, which is for S3, is given.

Exit codes: 0 · 5 BACKUP belongs to another database, or to another history of it · 6 source error · 7 BACKUP cannot be
written · 10 no such source · 11 another backup into BACKUP is going on · 130 interrupted,
run again`

const backupExample = `  dclone backup 'datomic:sql://orders?jdbc:postgresql://db:5432/datomic?user=datomic&password=…' file:/backups/orders
  dclone backup 'datomic:sql://orders?jdbc:postgresql://db/datomic?user=datomic' s3://backups/orders --encryption sse
  dclone backup file:/backups/orders s3://backups/orders --pace 10ms`

// copyOptions are the flags of backup and restore.
type copyOptions struct {
	concurrency int
	quiet       bool
	progress    string

	given *pflag.FlagSet // nil where there are none
}

func (o *copyOptions) flags(f *pflag.FlagSet) {
	f.SortFlags, o.given = false, f
	f.IntVar(&o.concurrency, "concurrency", 0, "`N` segments at a time (default 5, with S3 25)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print errors only")
	f.StringVar(&o.progress, "progress", progressAuto, "`auto|plain|none`, as for sync")
}

func (o *copyOptions) check(command string) error {
	switch {
	case o.given.Changed("concurrency") && o.concurrency < 1 || o.concurrency > 1024:
		return usage(command, "--concurrency %d: it may be from 1 to 1024", o.concurrency)
	case o.progress != progressAuto && o.progress != progressPlain && o.progress != progressNone:
		return usage(command, "--progress %s: it may be auto, plain or none", o.progress)
	}
	return nil
}

// parallel returns how many segments to move at a time between the places that are named: Datomic's own
// numbers.
func (o *copyOptions) parallel(places ...address.Address) int {
	n := backup.DefaultConcurrency
	for _, a := range places {
		if _, ok := a.(address.Bucket); ok {
			n = 25
		}
	}
	return cmp.Or(o.concurrency, n)
}

type backupOptions struct {
	copyOptions
	encryption string
	pace       time.Duration
	full       bool
}

func newBackup(p *program) *cobra.Command {
	var opt backupOptions
	cmd := &cobra.Command{
		Use:     "backup SOURCE BACKUP",
		Short:   "Back up a Datomic Pro database, differentially",
		Long:    backupLong,
		Example: backupExample,
		Aliases: []string{"backup-db"},
		RunE: func(_ *cobra.Command, args []string) error {
			ctx, cancel := untilSignal()
			defer cancel()
			return p.backup(ctx, args, opt)
		},
	}
	f := cmd.Flags()
	opt.flags(f)
	f.StringVar(&opt.encryption, "encryption", "", "have S3 encrypt what is written, with keys of its own: `sse`")
	f.DurationVar(&opt.pace, "pace", 0, "rest this long after each segment that is written")
	f.BoolVar(&opt.full, "full", false, "look at every segment in BACKUP, and replace those that are missing or bad")
	p.jsonFlag(cmd)
	return cmd
}

// A backupDoc is what backup prints.
type backupDoc struct {
	Source     string   `json:"source"`
	Backup     string   `json:"backup"`
	DatabaseID string   `json:"database_id"`
	T          dclone.T `json:"t"`
	Copied     int64    `json:"copied"`
	Skipped    int64    `json:"skipped"`
	Bytes      int64    `json:"bytes"`
	Unchanged  bool     `json:"unchanged"` // the restore point was there already
	Restarts   int      `json:"restarts"`
	// Newer are the restore points of the backup that are newer than this one.
	Newer      []dclone.T `json:"newer_points"`
	DurationMS int64      `json:"duration_ms"`
}

func (o *backupOptions) check() error {
	if o.encryption != "" && o.encryption != "sse" {
		return usage("backup", "--encryption %s: it may be sse", o.encryption)
	}
	if o.pace < 0 {
		return usage("backup", "--pace %s: it cannot be negative", o.pace)
	}
	return o.copyOptions.check("backup")
}

func (p *program) backup(ctx context.Context, args []string, opt backupOptions) error {
	if err := opt.check(); err != nil {
		return err
	}
	src, dst, err := p.backupPlaces(args, opt)
	if err != nil {
		return err
	}
	from, err := openDatabase(ctx, src)
	if err != nil {
		return err
	}
	defer from.Close()
	files, err := openFiles(ctx, dst, s3.Options{SSE: opt.encryption != ""})
	if err != nil {
		return dclone.InDest(err)
	}
	to := store.NewBackup(files)
	defer to.Close()
	began, pr := time.Now(), newCopyProgress(p, "backing up", opt.copyOptions)
	r, err := backup.Copy(ctx, asSource{from}, to, backup.Options{T: point(src), Empty: point(src) == 0, Concurrency: opt.parallel(src, dst),
		Pace: opt.pace, Full: opt.full, Progress: pr.update})
	pr.end()
	if err != nil {
		return copyFailure(ctx, src, err)
	}
	if point(src) == store.Newest && len(r.Newer) > 0 && !opt.quiet {
		p.note("dclone: %s has come to t %d, and the backup has %s beyond it, which stay: the source's history went back. Without --t, restore takes the newest",
			src, r.T, count(len(r.Newer), "restore point", "restore points"))
	}
	return p.copied(backupDoc{src.String(), dst.String(), r.DatabaseID, r.T, r.Copied, r.Skipped, r.Bytes, r.Unchanged, r.Restarts,
		list(r.Newer), time.Since(began).Milliseconds()}, r, opt.quiet)
}

// copied prints what came of copying segments.
func (p *program) copied(doc any, r backup.Report, quiet bool) error {
	if p.json {
		return p.document(doc)
	}
	if !quiet {
		fmt.Fprintf(p, "Copied %d segments, skipped %d segments.\n", r.Copied, r.Skipped)
	}
	return nil
}

// backupPlaces reads SOURCE and BACKUP.
func (p *program) backupPlaces(args []string, opt backupOptions) (src address.Address, dst address.Backup, err error) {
	if len(args) != 2 {
		return nil, nil, usage("backup", "%s where SOURCE and BACKUP are wanted", count(len(args), "argument", "arguments"))
	}
	p.source, p.dest = address.Redact(args[0]), address.Redact(args[1])
	if src, err = parseAddress(args[0]); err != nil {
		return nil, nil, err
	}
	if dst, err = parseBackup("backup", args[1]); err != nil {
		return nil, nil, err
	}
	if _, ok := src.(address.Local); ok {
		return nil, nil, &failure{codeUsage, fmt.Errorf("back up %s: it is %s, which has no segments", src, src.Kind()),
			"dclone sync <source> DEST, which makes a clone and keeps it up to date"}
	}
	if _, named := dst.Point(); named {
		return nil, nil, usage("backup", "back up to %s: a restore point is named by the database, not by the user", dst)
	}
	if _, ok := dst.(address.Directory); ok && opt.encryption != "" {
		return nil, nil, usage("backup", "--encryption %s: S3 does that, a directory does not", opt.encryption)
	}
	return src, dst, checkBackupApart(src, dst)
}

// parseBackup reads the address of a backup.
func parseBackup(command, text string) (address.Backup, error) {
	a, err := parseAddress(text)
	if err != nil {
		return nil, err
	}
	b, ok := a.(address.Backup)
	if !ok {
		return nil, &failure{codeUsage, fmt.Errorf("read address %q: it is %s; a Datomic Pro backup is wanted", a, a.Kind()),
			"file:/path/to/backup or s3://bucket/prefix"}
	}
	return b, nil
}

// checkBackupApart refuses a backup into its own source, or one that lies in it or around it.
func checkBackupApart(src address.Address, dst address.Backup) error {
	from, to := directory(src), directory(dst)
	b, isBackup := src.(address.Backup)
	same := isBackup && b.At(address.Newest) == dst || from != "" && to != "" && sameFile(from, to)
	if x, ok := src.(address.Bucket); ok && !same {
		y, ok := dst.(address.Bucket)
		if ok && x.Bucket == y.Bucket && (prefixes(x.Prefix, y.Prefix) || prefixes(y.Prefix, x.Prefix)) {
			return &failure{codeUsage, fmt.Errorf("back up to %s: one of source and backup lies in the other's prefix", dst), "a prefix of its own"}
		}
	}
	switch {
	case same:
		return &failure{codeUsage, fmt.Errorf("back up to %s: it is the source itself", dst), "a backup of its own"}
	case from != "" && to != "" && (within(from, to) || within(to, from)):
		return &failure{codeUsage, fmt.Errorf("back up to %s: one of source and backup lies in the other's directory", dst), "a directory of its own"}
	}
	if _, err := os.Lstat(to + "/db.log"); to != "" && err == nil {
		return &failure{codeUsage, fmt.Errorf("back up to %s: a Datomic Local database is there", dst), "a directory of its own"}
	}
	return nil
}

// prefixes reports whether a prefix of S3 is that of another one too.
func prefixes(outer, inner string) bool { return outer == "" || strings.HasPrefix(inner, outer+"/") }
