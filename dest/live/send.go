package live

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
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

// send transacts the frames of a group, beginning with one of them. What the earlier ones have bound is known.
func (c *Clone) send(group []*frame, from int) error {
	at, before := c.mark, maps.Clone(c.bound)
	lost, done := 0, from
	for i := from; i < len(group); {
		report, err := c.transact(group[i])
		switch {
		case err == nil:
			if err = c.take(group[i], report); err != nil {
				return err
			}
			i++
		case errors.Is(err, live.ErrUnknownOutcome) && c.ctx.Err() == nil && lost < lostTimes:
			c.log("%v: asking the clone itself, with another JVM", err)
			n, err := c.ask(at, group[from:], before)
			if err != nil {
				return err
			}
			i = from + n
			if lost++; i > done {
				lost, done = 0, i
			}
		default:
			return c.because(err)
		}
	}
	return nil
}

// because returns why a transaction was refused, where that is that somebody else has written to the clone.
func (c *Clone) because(err error) error {
	var refused *live.Refused
	if !errors.As(err, &refused) || c.conn.DB.Sync(c.ctx) != nil || c.conn.DB.Basis() == c.mark.T {
		return err
	}
	return errors.Join(&dest.DriftError{T: c.mark.T + 1, Cause: "it was not the newest transaction any more when dclone transacted"}, err)
}

// transact sends one frame, again while the database is busy or calls its instant future.
func (c *Clone) transact(f *frame) (live.Report, error) {
	data, err := f.txData(c.bound)
	if err != nil {
		return live.Report{}, err
	}
	pause, began := firstPause, time.Now()
	for {
		ctx, cancel := context.WithTimeout(c.ctx, c.opt.Timeout)
		report, err := c.conn.DB.Transact(ctx, data)
		cancel()
		var refused *live.Refused
		switch {
		case errors.Is(err, live.ErrBusy) && time.Since(began) < busyFor:
		case errors.As(err, &refused) && strings.Contains(refused.DBError, "future-tx-instant") && time.Since(began) < c.opt.Settle:
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

// take notes what a report says, which must be of the transaction behind the one known.
func (c *Clone) take(f *frame, r live.Report) error {
	if r.Before != c.mark.T {
		return &dest.DriftError{T: c.mark.T + 1, Cause: "it was not the newest transaction any more when dclone transacted"}
	}
	owners := map[dclone.EntityID]dclone.EntityID{}
	for e, id := range c.bound {
		owners[id] = e
	}
	for _, e := range f.tempids() {
		if c.bound.of(e) >= 0 {
			continue
		}
		id, ok := r.Tempids[tempid(e).(string)]
		if !ok {
			return fmt.Errorf("transact t %d: the report has no id for the source's entity %d", r.After, -e)
		}
		taken, err := c.isTaken(id)
		if err != nil {
			return err
		}
		if _, owned := owners[id]; owned || taken {
			return &MergeError{T: r.After, Source: -e, Clone: id}
		}
		c.bound[e], owners[id] = id, e
	}
	if f.binds != 0 {
		c.bound[-f.binds] = dclone.TxID(r.After)
	}
	c.mark = dclone.Mark{T: r.After, Instant: max(c.mark.Instant, r.Instant)}
	return nil
}

// ask finds out with another child how many frames of a group are in the clone, beyond at. before is what was bound then.
func (c *Clone) ask(at dclone.Mark, group []*frame, before binding) (n int, err error) {
	for range lostTimes {
		if err = c.reconnect(); err == nil {
			err = c.settle()
		}
		if err == nil {
			n, err = c.explain(at, group, before)
		}
		var gone *live.GoneError
		if !errors.As(err, &gone) {
			break
		}
	}
	return n, err
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
