package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"dclone"
	"dclone/store"
)

// maxRestarts is how often a copy begins again because the source's garbage collection overtook it.
// Each beginning has less to copy than the one before, for what was copied counts.
const maxRestarts = 10

// Copy copies a database, as of a restore point or as it is in a storage, into a backup. The error is a
// *store.ClaimError where that is the backup of another database, and a *HistoryError where it has another
// restore point of that t. The Report says what
// was done where there is an error too.
func Copy(ctx context.Context, from store.Database, to *store.Backup, opt Options) (Report, error) {
	c := &copier{tally: tally{progress: opt.Progress}, from: from, to: to, opt: opt, writing: newFlights()}
	root, err := from.Root(ctx, opt.point())
	if err != nil {
		return c.report, err
	}
	if err := to.Claim(ctx, root.DatabaseID); err != nil {
		return c.report, err
	}
	for {
		err := c.copy(ctx, root)
		var gone *goneError
		if !errors.As(err, &gone) || ctx.Err() != nil || c.report.Restarts == maxRestarts {
			return c.report, err
		}
		now, rootErr := from.Root(ctx, opt.point())
		if rootErr != nil {
			return c.report, errors.Join(err, rootErr)
		}
		if now.DatabaseID != root.DatabaseID {
			return c.report, fmt.Errorf("read root of %s: it is of another database than before: %s", from, now.DatabaseID)
		}
		if sameRoot(root, now) {
			return c.report, err // not garbage: it should be there
		}
		root = now
		c.report.Skipped = 0
		c.report.Restarts++
	}
}

// point is the restore point that is asked for.
func (o Options) point() dclone.T {
	switch {
	case o.Empty:
		return 0
	case o.T <= 0:
		return store.Newest
	}
	return o.T
}

func sameRoot(a, b store.Root) bool {
	return a.Index == b.Index && a.Log == b.Log && bytes.Equal(a.Tail, b.Tail)
}

// A goneError says that the source has not got a segment that it should have.
type goneError struct{ error }

func (e *goneError) Unwrap() error { return e.error }

// A copier is a run of Copy.
type copier struct {
	tally
	from    store.Database
	to      *store.Backup
	opt     Options
	writing *flights
}

// copy copies what is below a root, and then the root.
func (c *copier) copy(ctx context.Context, root store.Root) error {
	root, err := c.complete(ctx, root)
	if err != nil {
		return err
	}
	c.report.T, c.report.DatabaseID = root.T, root.DatabaseID
	if err := c.checkHistory(ctx, root); err != nil {
		return err
	}
	err = run(ctx, c.opt.Concurrency, func(ctx context.Context, crew crew) error {
		return crew.each(ctx, 2, func(ctx context.Context, i int) error {
			return c.node(ctx, crew, [...]node{{id: root.Index, at: indexRoot}, {id: root.Log, at: logRoot}}[i])
		})
	})
	if err != nil {
		return err
	}
	there, err := c.to.Root(ctx, root.T)
	c.report.Unchanged = err == nil && there.DatabaseID == root.DatabaseID && sameRoot(there, root)
	if !c.report.Unchanged {
		if err := c.to.PutRoot(ctx, root); err != nil {
			return err
		}
	}
	points, err := c.to.Points(ctx)
	for _, t := range points {
		if t > root.T {
			c.report.Newer = append(c.report.Newer, t)
		}
	}
	return err
}

// complete gives a storage's root what only that of a backup has.
func (c *copier) complete(ctx context.Context, root store.Root) (store.Root, error) {
	if _, err := lastTx(root.Tail, true); err != nil && !errors.Is(err, errNoTxs) {
		return root, fmt.Errorf("copy log tail from %s: %w", c.from, err)
	}
	if root.T < 0 {
		p, err := newest(ctx, c.from, root)
		if err != nil {
			return root, missing(err)
		}
		root.T = p.T
	}
	if root.LogVersion == 0 {
		root.LogVersion = logVersion
	}
	if root.IndexVersion == 0 {
		r, err := readIndexRoot(ctx, c.from, root.Index)
		if err != nil {
			return root, missing(err)
		}
		root.IndexVersion = r.Version
	}
	return root, nil
}

// logVersion is that of logs in backups that do not say it, which are older than the key.
const logVersion = 3

// missing makes the error of a segment that is not there a goneError.
func missing(err error) error {
	if errors.Is(err, store.ErrMissing) {
		return &goneError{err}
	}
	return err
}

// node copies a node after what is below it, unless it is there.
func (c *copier) node(ctx context.Context, crew crew, n node) error {
	first, err := c.writing.do(crew, n, func() error { return c.alone(ctx, crew, n) })
	if !first && err == nil {
		c.skipped()
	}
	return err
}

// alone is node for the only worker at it.
func (c *copier) alone(ctx context.Context, crew crew, n node) error {
	there, err := c.to.HasSegment(ctx, n.id)
	if err != nil {
		return err
	}
	if there && !c.opt.Full {
		c.skipped()
		return nil
	}
	stored, children, err := c.read(ctx, n)
	if err != nil {
		return err
	}
	err = crew.each(ctx, len(children), func(ctx context.Context, i int) error {
		return c.node(ctx, crew, children[i])
	})
	if err != nil {
		return err
	}
	if there && c.good(ctx, n, stored) {
		c.skipped()
		return nil
	}
	if err := c.to.PutSegment(ctx, n.id, stored); err != nil {
		return err
	}
	c.copied(len(stored))
	return rest(ctx, c.opt.Pace)
}

// read reads a node, to its end, and returns what it is stored as.
func (c *copier) read(ctx context.Context, n node) (stored []byte, children []node, err error) {
	stored, err = c.from.Segment(ctx, n.id)
	if err != nil {
		return nil, nil, fmt.Errorf("copy %s: %w", n.at, missing(err))
	}
	if children, err = n.check(stored); err != nil {
		return nil, nil, fmt.Errorf("copy %s from %s: %w", n, c.from, err)
	}
	return stored, children, nil
}

// good reports whether what the backup has of a node is what the source has. It may have been packed
// otherwise.
func (c *copier) good(ctx context.Context, n node, stored []byte) bool {
	there, err := c.to.Segment(ctx, n.id)
	return err == nil && (bytes.Equal(there, stored) || sameUnpacked(there, stored))
}

// rest waits, unless there is no time.
func rest(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
