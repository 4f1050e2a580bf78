package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dclone"
	"dclone/address"
	"dclone/backup"
)

// backupArgs tells whether verify is about a backup alone, and reads its arguments: BACKUP, or as Datomic's
// verify-backup has it BACKUP READ-ALL T. p.dest is not asked for: a clone is named beside its source.
func (o *verifyOptions) backupArgs(args []string) (a address.Backup, ok bool, err error) {
	if len(args) == 0 || len(args) > 3 || len(args) > 1 && args[1] != "true" && args[1] != "false" {
		return nil, false, nil
	}
	parsed, err := parseAddress(args[0])
	if err != nil {
		return nil, len(args) > 1, err
	}
	if a, ok = parsed.(address.Backup); !ok {
		if len(args) > 1 {
			err = usage("verify", "read address %q: it is %s; a Datomic Pro backup is wanted", parsed, parsed.Kind())
		}
		return nil, len(args) > 1, err
	}
	if len(args) > 1 && args[1] == "true" {
		o.readAll = true
	}
	if len(args) > 2 {
		o.t = args[2]
	}
	a, err = atPoint("verify", a, o.t)
	return a, true, err
}

// atPoint gives the address of a backup the restore point that a flag names.
func atPoint(command string, a address.Backup, t string) (address.Backup, error) {
	if t == "" {
		return a, nil
	}
	n, err := strconv.ParseInt(t, 10, 64)
	if err != nil || n < 0 {
		return nil, usage(command, "--t %q: it is not the t of a restore point", t)
	}
	if p, named := a.Point(); named && p != dclone.T(n) {
		return nil, usage(command, "--t %s: the address names restore point t %d", t, p)
	}
	return a.At(dclone.T(n)), nil
}

// A backupCheck is what verify prints of a backup.
type backupCheck struct {
	Backup     string       `json:"backup"`
	DatabaseID string       `json:"database_id"`
	T          dclone.T     `json:"t"`
	Status     string       `json:"status"` // ok, damaged
	ReadAll    bool         `json:"read_all"`
	Segments   int64        `json:"total_segments"`
	Missing    []badSegment `json:"missing_segments"`
	Unreadable []badSegment `json:"unreadable_segments"`
	DurationMS int64        `json:"duration_ms"`
}

type badSegment struct {
	ID    string `json:"id"` // "" of the root itself
	Kind  string `json:"kind"`
	File  string `json:"file"`
	Why   string `json:"why"`
	Leads bool   `json:"leads_to_others"` // which could not be looked at
}

func (p *program) verifyBackup(ctx context.Context, a address.Backup, opt verifyOptions) error {
	b, err := openBackup(ctx, a)
	if err != nil {
		return err
	}
	defer b.Close()
	began, copying := time.Now(), copyOptions{quiet: opt.quiet, progress: progressAuto}
	pr := newCopyProgress(p, "verifying", copying)
	r, err := backup.Verify(ctx, b, backup.Options{T: point(a), Empty: point(a) == 0, ReadAll: opt.readAll,
		Concurrency: max(opt.jobs, copying.parallel(a)), Progress: pr.update})
	pr.end()
	if err != nil {
		return noBackup(a, err)
	}
	doc := backupCheck{a.At(address.Newest).String(), r.DatabaseID, r.T, "ok", opt.readAll, r.Total, badSegments(r.Missing), badSegments(r.Unreadable),
		time.Since(began).Milliseconds()}
	bad := len(doc.Missing) + len(doc.Unreadable)
	if bad > 0 {
		doc.Status = "damaged"
	}
	if p.json {
		err = p.document(doc)
	} else if !opt.quiet || bad > 0 {
		p.table(doc.rows()...)
	}
	if err != nil || bad == 0 {
		return err
	}
	return &failure{codeDiffers, fmt.Errorf("backup %s is damaged: %s", a, count(bad, "bad segment", "bad segments")),
		"dclone backup --full SOURCE " + shellWord(a.At(address.Newest).String()) + ", which replaces bad segments that SOURCE still has"}
}

func badSegments(all []backup.Bad) []badSegment {
	bad := []badSegment{}
	for _, b := range all {
		bad = append(bad, badSegment(b))
	}
	return bad
}

// rows are the check for people.
func (d *backupCheck) rows() []string {
	result, how := "whole", "all are there, those that lead to others were read"
	if d.ReadAll {
		how = "all were read"
	}
	if d.Status != "ok" {
		result, how = "damaged", fmt.Sprintf("%d missing, %d unreadable", len(d.Missing), len(d.Unreadable))
	}
	rows := []string{
		"result\t" + result,
		fmt.Sprintf("backup\t%s, restore point t %d", d.Backup, d.T),
		fmt.Sprintf("checked\t%s: %s", count(int(d.Segments), "segment", "segments"), how),
		"time\t" + brief(time.Duration(d.DurationMS)*time.Millisecond),
	}
	for _, b := range d.Missing {
		rows = append(rows, "missing\t"+b.line())
	}
	for _, b := range d.Unreadable {
		rows = append(rows, "unreadable\t"+b.line()+": "+b.Why)
	}
	leads := func(b badSegment) bool { return b.Leads }
	if slices.ContainsFunc(d.Missing, leads) || slices.ContainsFunc(d.Unreadable, leads) {
		rows = append(rows, "unknown\twhat lies below bad roots and dirs: it could not be looked at")
	}
	return rows
}

func (b badSegment) line() string {
	return strings.TrimSpace(b.ID + " " + b.Kind + ", file " + b.File)
}
