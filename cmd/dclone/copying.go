package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dclone"
	"dclone/address"
	"dclone/backup"
	"dclone/datomic/segment"
	"dclone/store"
)

// A copyProgress shows how far backup, restore or verify have come.
type copyProgress struct {
	p              *program
	verb           string
	redraw, report bool
	began, shown   time.Time
	waiting        *time.Timer // nil where nothing is waited for
}

func newCopyProgress(p *program, verb string, opt copyOptions) *copyProgress {
	now := time.Now()
	c := &copyProgress{p: p, verb: verb, began: now, shown: now}
	if !opt.quiet && opt.progress != progressNone {
		c.redraw = !p.json && opt.progress == progressAuto && isTerminal(p.err)
		c.report = !c.redraw
	}
	return c
}

// wait tells of what is waited for, if there is not soon something to update.
func (c *copyProgress) wait(format string, args ...any) {
	if c.redraw || c.report {
		c.waiting = time.AfterFunc(time.Second, func() { c.p.note("dclone: "+format, args...) })
	}
}

// update hears of every segment.
func (c *copyProgress) update(r backup.Report) {
	c.waited()
	every := reportEvery
	if c.redraw {
		every = redrawEvery
	}
	now := time.Now()
	if !c.redraw && !c.report || now.Sub(c.shown) < every {
		return
	}
	c.shown = now
	if line := c.line(r, now); c.redraw {
		c.p.progress(line)
	} else {
		c.p.note("dclone: %s", line)
	}
}

func (c *copyProgress) line(r backup.Report, now time.Time) string {
	took := now.Sub(c.began)
	if r.Total > 0 {
		return fmt.Sprintf("%s %s  %d segments  %.0f/s", c.verb, brief(took), r.Total, float64(r.Total)/took.Seconds())
	}
	return fmt.Sprintf("%s %s  %d segments copied, %d skipped  %s/s", c.verb, brief(took), r.Copied, r.Skipped,
		sizeText(int64(float64(r.Bytes)/took.Seconds())))
}

func (c *copyProgress) waited() {
	if c.waiting != nil {
		c.waiting.Stop()
	}
}

func (c *copyProgress) end() {
	c.waited()
	if c.redraw {
		c.p.progress("")
	}
}

// asSource is a database of which all errors are told to be the source's.
type asSource struct{ store.Database }

func (s asSource) Segment(ctx context.Context, id string) ([]byte, error) {
	b, err := s.Database.Segment(ctx, id)
	return b, dclone.InSource(err)
}

func (s asSource) Points(ctx context.Context) ([]dclone.T, error) {
	points, err := s.Database.Points(ctx)
	return points, dclone.InSource(err)
}

func (s asSource) Root(ctx context.Context, t dclone.T) (store.Root, error) {
	r, err := s.Database.Root(ctx, t)
	return r, dclone.InSource(err)
}

// asSourceFiles is asSource for the files of a backup.
type asSourceFiles struct{ store.Files }

func (f asSourceFiles) Get(ctx context.Context, key string) ([]byte, error) {
	b, err := f.Files.Get(ctx, key)
	return b, dclone.InSource(err)
}

func (f asSourceFiles) Has(ctx context.Context, key string) (bool, error) {
	has, err := f.Files.Has(ctx, key)
	return has, dclone.InSource(err)
}

func (f asSourceFiles) List(ctx context.Context, dir string) ([]string, error) {
	names, err := f.Files.List(ctx, dir)
	return names, dclone.InSource(err)
}

// copyFailure says of an error in copying segments whether it was met where they come from, or where
// they go to.
func copyFailure(ctx context.Context, src address.Address, err error) error {
	switch {
	case ctx.Err() != nil:
		return &failure{codeInterrupted, errors.New("interrupted; what was copied stays, run again"), "the same command again"}
	case isA[*store.ClaimError](err), isA[*backup.HistoryError](err), errors.Is(err, store.ErrLocked):
		return err
	case errors.Is(err, store.ErrNoRoot) || isA[*dclone.SourceError](err) && errors.Is(err, store.ErrNoDatabase):
		return unreadable(src, err)
	case isA[*dclone.SourceError](err), isA[*dclone.DestError](err):
		return err
	case isA[*segment.DamageError](err):
		return dclone.InSource(err)
	}
	return dclone.InDest(err)
}
