package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"dclone"
	"dclone/address"
	"dclone/backup"
	"dclone/store/kvs"
)

const restoreLong = `Restore a Datomic Pro backup into Datomic Pro storage in PostgreSQL, under the name that
STORAGE has for it. Every segment is read to its end before it is written. The database
is seen when all of them are in, at once.

Datomic's rules: another point in time of the database that has the name is put in its
place, be it older or newer. Another database of that name, or the same one under a second
name in the same storage, is refused: a second copy is what dclone sync makes. No
transactor may be at work in the storage, because it would go on writing to what was there
before: stop it, restore, start it. Where one has ever been, restore waits 15 s for it to
show. Peers must be started anew, too. Segments that are in the storage are not written
again, nor looked at: damage in them stays. Without --t the
newest restore point is taken; Datomic's own BACKUP STORAGE T is understood.

Exit codes: 0 · 5 name or database is in use · 6 the backup cannot be read · 7 the storage
cannot be written · 10 no such backup, restore point or storage · 11 a transactor is at
work · 130 interrupted, no database was changed, run again`

const restoreExample = `  dclone restore file:/backups/orders 'datomic:sql://orders?jdbc:postgresql://db/datomic?user=datomic&password=…'
  dclone restore s3://backups/orders 'datomic:sql://orders?jdbc:postgresql://db/datomic?user=datomic' --t 83207`

type restoreOptions struct {
	copyOptions
	t     string
	force bool
}

func newRestore(p *program) *cobra.Command {
	var opt restoreOptions
	cmd := &cobra.Command{
		Use:     "restore BACKUP STORAGE",
		Short:   "Restore a Datomic Pro backup into PostgreSQL storage",
		Long:    restoreLong,
		Example: restoreExample,
		Aliases: []string{"restore-db"},
		RunE: func(_ *cobra.Command, args []string) error {
			ctx, cancel := untilSignal()
			defer cancel()
			return p.restore(ctx, args, opt)
		},
	}
	f := cmd.Flags()
	opt.flags(f)
	f.StringVar(&opt.t, "t", "", "the restore point `T` (default the newest)")
	f.BoolVar(&opt.force, "force", false, "restore although a transactor seems to be at work")
	p.jsonFlag(cmd)
	return cmd
}

// A restoreDoc is what restore prints.
type restoreDoc struct {
	Backup     string   `json:"backup"`
	Storage    string   `json:"storage"`
	DatabaseID string   `json:"database_id"`
	T          dclone.T `json:"t"`
	Copied     int64    `json:"copied"`
	Skipped    int64    `json:"skipped"`
	Bytes      int64    `json:"bytes"`
	DurationMS int64    `json:"duration_ms"`
}

func (p *program) restore(ctx context.Context, args []string, opt restoreOptions) error {
	if err := opt.check("restore"); err != nil {
		return err
	}
	if len(args) == 3 && opt.t == "" {
		opt.t, args = args[2], args[:2]
	}
	src, dst, err := p.restorePlaces(args, opt)
	if err != nil {
		return err
	}
	from, err := openBackup(ctx, src)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := kvs.Connect(ctx, dst.JDBC())
	if err != nil {
		return dclone.InDest(err)
	}
	defer to.Close()
	began, pr := time.Now(), newCopyProgress(p, "restoring", opt.copyOptions)
	if !opt.force {
		pr.wait("waiting %s for a transactor to show, should one be at work", backup.DefaultAliveWait)
	}
	r, err := backup.Restore(ctx, from, to, dst.DB, backup.Options{T: point(src), Empty: point(src) == 0, Concurrency: opt.parallel(src),
		Force: opt.force, Progress: pr.update})
	pr.end()
	if err != nil {
		return restoreFailure(ctx, src, dst, err)
	}
	return p.copied(restoreDoc{src.At(r.T).String(), dst.String(), r.DatabaseID, r.T, r.Copied, r.Skipped, r.Bytes,
		time.Since(began).Milliseconds()}, r, opt.quiet)
}

// restorePlaces reads BACKUP and STORAGE.
func (p *program) restorePlaces(args []string, opt restoreOptions) (src address.Backup, dst address.Storage, err error) {
	if len(args) != 2 {
		return nil, dst, usage("restore", "%s where BACKUP and STORAGE are wanted", count(len(args), "argument", "arguments"))
	}
	p.source, p.dest = address.Redact(args[0]), address.Redact(args[1])
	if src, err = parseBackup("restore", args[0]); err != nil {
		return nil, dst, err
	}
	if src, err = atPoint("restore", src, opt.t); err != nil {
		return nil, dst, err
	}
	a, err := parseAddress(args[1])
	if err != nil {
		return nil, dst, err
	}
	dst, ok := a.(address.Storage)
	switch {
	case !ok:
		try := "dclone backup <source> <dest>, for another backup"
		if _, local := a.(address.Local); local {
			try = "dclone sync <source> <dest>, for a clone"
		}
		return nil, dst, &failure{codeUsage, fmt.Errorf("restore to %s: it is %s; Datomic Pro storage in PostgreSQL is wanted", a, a.Kind()), try}
	case dst.DB == address.AllDatabases:
		return nil, dst, usage("restore", "restore to %s: it names no database", dst)
	}
	return src, dst, nil
}

// restoreFailure says of an error in restoring what can be done about it.
func restoreFailure(ctx context.Context, src address.Backup, dst address.Storage, err error) error {
	switch {
	case ctx.Err() != nil:
		return &failure{codeInterrupted, errors.New("interrupted, no database was changed, run again"), "the same command again"}
	case isA[*kvs.CollisionError](err), errors.Is(err, backup.ErrAlive):
		return err
	case errors.Is(err, kvs.ErrNoPlace):
		return &failure{codeNone, err, tryPlace}
	case errors.Is(err, kvs.ErrNoTable):
		return &failure{codeNone, err, "that statement, as the owner of the PostgreSQL database"}
	}
	return copyFailure(ctx, src, err)
}
