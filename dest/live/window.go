package live

import (
	"errors"
	"fmt"

	"dclone"
	"dclone/datomic/live"
	"dclone/dest"
)

// DefaultWindow is how many transactions of a first copy are under way at once unless Options say otherwise.
const DefaultWindow = 4

// A window is the frames that are under way. There is one, or some that are free; none of them needs an id that another
// one brings.
type window struct {
	*Clone
	open    map[*frame]bool
	brings  map[dclone.EntityID]bool // tempids that those under way bind
	owners  map[dclone.EntityID]dclone.EntityID
	ahead   map[dclone.T]dclone.Mark // by the t before, transactions reported before the one before them
	answers chan landed
}

// A landed is a frame that is under way no more.
type landed struct {
	f      *frame
	report live.Report
	err    error
}

func newWindow(c *Clone) *window {
	w := &window{Clone: c, open: map[*frame]bool{}, brings: map[dclone.EntityID]bool{}, ahead: map[dclone.T]dclone.Mark{},
		owners: map[dclone.EntityID]dclone.EntityID{}, answers: make(chan landed)}
	for e, id := range c.bound {
		w.owners[id] = e
	}
	return w
}

// send transacts frames until all are in the clone, or one fails. It returns when none is under way.
func (w *window) send(frames []*frame) (err error) {
	for _, f := range frames {
		for err == nil && !w.admits(f) {
			err = w.land()
		}
		if err == nil {
			err = w.launch(f)
		}
		if err != nil {
			break
		}
	}
	for len(w.open) > 0 {
		var gone *live.GoneError // one that was not sent any more does not tell what became of the others
		if failed := w.land(); err == nil || errors.As(err, &gone) && errors.Is(failed, live.ErrUnknownOutcome) {
			err = failed
		}
	}
	return err
}

// admits reports whether a frame may be sent now.
func (w *window) admits(f *frame) bool {
	if len(w.open) == 0 {
		return true
	}
	if len(w.open) == w.opt.Window || !f.free() {
		return false
	}
	for other := range w.open {
		if !other.free() || string(other.forms[0].v) != string(f.forms[0].v) {
			return false // an instant must not come before an earlier one
		}
	}
	waits := false
	err := f.each(func(e dclone.EntityID) { waits = waits || w.brings[e] })
	return err == nil && !waits
}

// launch sends a frame, and goes on.
func (w *window) launch(f *frame) error {
	data, err := f.txData(w.bound)
	if err != nil {
		return err
	}
	w.open[f] = true
	for _, e := range f.tempids() {
		if w.bound.of(e) < 0 {
			w.brings[e] = true
		}
	}
	go func() {
		report, err := w.transact(data)
		w.answers <- landed{f, report, err}
	}()
	return nil
}

// land waits for one of those under way.
func (w *window) land() error {
	l := <-w.answers
	delete(w.open, l.f)
	if errors.Is(l.err, live.ErrUnknownOutcome) {
		w.conn.End() // nothing more is to get through
	}
	if l.err != nil {
		return l.err
	}
	return w.take(l.f, l.report)
}

// take notes what a report says. Together, the reports must be of the transactions behind the one known, with none between.
func (w *window) take(f *frame, r live.Report) error {
	for _, e := range f.tempids() {
		if w.bound.of(e) >= 0 {
			continue
		}
		id, ok := r.Tempids[tempid(e).(string)]
		if !ok {
			return fmt.Errorf("transact t %d: the report has no id for the source's entity %d", r.After, -e)
		}
		taken, err := w.isTaken(id)
		if err != nil {
			return err
		}
		if _, owned := w.owners[id]; owned || taken {
			return &MergeError{T: r.After, Source: -e, Clone: id}
		}
		w.bound[e], w.owners[id] = id, e
		delete(w.brings, e)
	}
	w.bound.tx(f, r.After)
	_, twice := w.ahead[r.Before]
	w.ahead[r.Before] = dclone.Mark{T: r.After, Instant: r.Instant}
	for next, ok := w.ahead[w.mark.T]; ok; next, ok = w.ahead[w.mark.T] {
		delete(w.ahead, w.mark.T)
		w.mark = dclone.Mark{T: next.T, Instant: max(w.mark.Instant, next.Instant)}
	}
	if twice || r.Before >= r.After || len(w.open) == 0 && len(w.ahead) > 0 {
		return &dest.DriftError{T: w.mark.T + 1, Cause: "it was not the newest transaction any more when dclone transacted"}
	}
	return nil
}
