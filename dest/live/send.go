package live

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"dclone"
	"dclone/datomic/live"
	"dclone/dest"
)

const (
	firstPause = 50 * time.Millisecond
	longPause  = 5 * time.Second
	busyFor    = 5 * time.Minute
	indexFor   = 10 * time.Minute
	lostTimes  = 5 // unknown outcomes in a row that nothing comes of
)

// A MergeError says that Datomic has taken two entities of the source for one of the clone.
type MergeError struct {
	T      dclone.T // of the clone
	Source dclone.EntityID
	Clone  dclone.EntityID
}

func (e *MergeError) Error() string {
	return fmt.Sprintf("transact t %d: entity %d of the source became entity %d, which stands for another", e.T, e.Source, e.Clone)
}

// send transacts frames. What earlier ones of their group have bound is known.
func (c *Clone) send(left []*frame) error {
	var last *live.RemoteError // that nothing came of
	for lost := 0; ; {
		at, before := c.mark, maps.Clone(c.bound)
		err := newWindow(c).send(left)
		if !errors.Is(err, live.ErrUnknownOutcome) || c.ctx.Err() != nil || lost == lostTimes {
			return c.because(err)
		}
		answer := failing(err)
		if answer != nil && last != nil && *answer == *last {
			return fmt.Errorf("%w: the same answer twice, and nothing of it was in the clone after the first", err)
		}
		c.log("%v: asking the clone itself, with another JVM", err)
		rest, err := c.ask(at, left, before)
		if err != nil {
			return err
		}
		if lost++; len(rest) < len(left) {
			left, lost, answer = rest, 0, nil
		}
		last = answer
	}
}

// failing returns Datomic's own answer to a transaction whose outcome is unknown, nil where it may be another the next time:
// where something on the way was not there, or where none came.
func failing(err error) *live.RemoteError {
	var answer *live.RemoteError
	if !errors.As(err, &answer) || answer.DBError != "" || slices.Contains(passing, answer.Anomaly) {
		return nil
	}
	return answer
}

// passing are the anomalies that pass.
var passing = []string{"cognitect.anomalies/unavailable", "cognitect.anomalies/interrupted"}

// because returns why a transaction was refused, where that is that somebody else has written to the clone.
func (c *Clone) because(err error) error {
	var refused *live.Refused
	if !errors.As(err, &refused) || c.conn.DB.Sync(c.ctx) != nil || c.conn.DB.Basis() == c.mark.T {
		return err
	}
	return errors.Join(&dest.DriftError{T: c.mark.T + 1, Cause: "it was not the newest transaction any more when dclone transacted"}, err)
}

// transact sends tx-data, again while the database is busy, calls its instant future, or has no index of what is to be
// unique.
func (c *Clone) transact(data []byte) (live.Report, error) {
	pause, began := firstPause, time.Now()
	for {
		ctx, cancel := context.WithTimeout(c.ctx, c.opt.Timeout)
		report, err := c.conn.DB.Transact(ctx, data)
		cancel()
		var refused *live.Refused
		switch {
		case errors.Is(err, live.ErrBusy) && time.Since(began) < busyFor:
		case errors.As(err, &refused) && strings.Contains(refused.DBError, "future-tx-instant") && time.Since(began) < c.opt.Settle:
		case needsIndexJob(err) && time.Since(began) < indexFor:
			if err := c.conn.DB.Index(c.ctx); err != nil {
				return live.Report{}, err
			}
		default:
			return report, err
		}
		if err := wait(c.ctx, pause/2+rand.N(pause)); err != nil {
			return live.Report{}, err
		}
		pause = min(2*pause, longPause)
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask finds out with another child which of some frames are not in the clone, beyond at. before is what was bound then.
func (c *Clone) ask(at dclone.Mark, group []*frame, before binding) (rest []*frame, err error) {
	for range lostTimes {
		if err = c.reconnect(); err == nil {
			err = c.settle()
		}
		if err == nil {
			rest, err = c.explain(at, group, before)
		}
		var gone *live.GoneError
		if !errors.As(err, &gone) {
			break
		}
	}
	return rest, err
}

// reconnect ends the child and starts another.
func (c *Clone) reconnect() error {
	c.conn.End()
	conn, err := c.opt.Connect(c.ctx)
	if err != nil {
		return err
	}
	if conn.ID != c.conn.ID {
		conn.End()
		return fmt.Errorf("connect again: it is another database: %w", dest.ErrStale)
	}
	c.conn = conn
	return nil
}

// settle waits until a transaction that was sent is in the clone or never will be.
func (c *Clone) settle() error { return wait(c.ctx, c.opt.Settle) }

func (c *Clone) log(format string, args ...any) {
	if c.opt.Log != nil {
		c.opt.Log(fmt.Sprintf(format, args...))
	}
}
