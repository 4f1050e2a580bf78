package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"dclone"
	"dclone/address"
	"dclone/source"
	"dclone/state"
)

// A status is what is known of a clone without asking its database.
type status struct {
	Dest        string              `json:"dest"`
	State       string              `json:"state"`
	Source      string              `json:"source"`
	SessionID   string              `json:"session_id"`
	Created     *time.Time          `json:"created"` // nil while a run is going on
	Running     bool                `json:"running"`
	Phase       string              `json:"phase"`
	SourceT     dclone.T            `json:"source_t"`
	Instant     *time.Time          `json:"source_instant"`
	CloneT      dclone.T            `json:"clone_t"`
	Basis       *dclone.T           `json:"source_basis"` // nil where the source cannot be read
	Lag         *int64              `json:"lag"`
	SourceError string              `json:"source_error"`
	NotCarried  []dclone.NotCarried `json:"not_carried"`
	Accepted    []dclone.NotCarried `json:"accepted_not_carried"`
	LastRun     *record             `json:"last_run"`

	replaced bool // the source is another database
	live     bool // a running Datomic has the clone
}

// readStatus reads the sidecar, or where a run has it open what that run has recorded.
func (p *program) readStatus(ctx context.Context, dst place) (*status, error) {
	last, err := readRecord(dst.state)
	if err != nil {
		return nil, dclone.InDest(err)
	}
	st := &status{State: dst.state, LastRun: last, NotCarried: []dclone.NotCarried{}, Accepted: []dclone.NotCarried{}}
	sc, err := dst.readUnless(ctx, last)
	running := last != nil && last.Outcome == outcomeRunning && alive(last.PID)
	switch {
	case err == nil:
		st.fromSidecar(sc)
	case last != nil && errors.Is(err, state.ErrLocked), running && errors.Is(err, state.ErrNone):
		st.fromRecord(last, running)
	default:
		return nil, err
	}
	if dst.address != nil {
		st.Dest, st.live = dst.address.String(), dst.isLive()
	}
	st.readSource(ctx, p, sc)
	return st, nil
}

// readUnless reads the sidecar, unless a run that has it open has just told of itself.
func (p place) readUnless(ctx context.Context, last *record) (*sidecar, error) {
	if last != nil && last.Outcome == outcomeRunning && alive(last.PID) && time.Since(last.Updated) < 3*recordEvery {
		return nil, fmt.Errorf("open sidecar %s: %w", p.state, state.ErrLocked)
	}
	return p.read(ctx, 0)
}

func (st *status) fromSidecar(sc *sidecar) {
	st.killed()
	instant := sc.pos.Source.Instant.Time()
	st.Dest, st.Source, st.SessionID = sc.session.Dest.Address, sc.session.Source.Address, sc.session.ID.String()
	st.Created, st.Phase, st.Instant = &sc.session.Created, string(sc.pos.Phase), &instant
	st.SourceT, st.CloneT = sc.pos.Source.T, max(0, sc.pos.Clone.T)
	st.live = sc.session.Live()
	st.NotCarried, st.Accepted = list(sc.session.NotCarried), list(sc.session.AcceptedNotCarried)
}

// fromRecord takes what a run has recorded, that has the sidecar open, or had before another command.
func (st *status) fromRecord(r *record, running bool) {
	if st.Running = running; !running {
		st.killed()
	}
	st.Dest, st.Source, st.SessionID, st.Phase = r.Dest, r.Source, r.SessionID, r.Phase
	st.SourceT, st.CloneT, st.NotCarried = r.SourceT, r.CloneT, list(r.NotCarried)
}

// killed notes that a run which never told its end is not going on any more.
func (st *status) killed() {
	if st.LastRun != nil && st.LastRun.Outcome == outcomeRunning {
		st.LastRun.Outcome = outcomeKilled
	}
}

// readSource finds out how far the source has come, where it can be reached.
func (st *status) readSource(ctx context.Context, p *program, sc *sidecar) {
	src, err := p.reopenSource(ctx, st.Source)
	if err != nil {
		st.SourceError = oneLine(err.Error())
		return
	}
	defer src.Close()
	basis := src.Basis()
	st.Basis = &basis
	if sc != nil {
		f, err := src.Fingerprint(sc.session.Key, sc.pos.Source.T)
		if st.replaced = err != nil || !f.SameTx(sc.pos.Source); st.replaced {
			st.SourceError = fmt.Sprintf("it is another database, or was reset: its t %d is not the one that was cloned", sc.pos.Source.T)
			return
		}
	}
	if st.Phase == string(state.Current) {
		lag, err := countLag(ctx, src, st.SourceT)
		if err != nil {
			st.SourceError = oneLine(err.Error())
			return
		}
		st.Lag = &lag
	}
}

// reopenSource opens the source that a sidecar names. Where a password belongs into its address, the
// environment may have the whole of it.
func (p *program) reopenSource(ctx context.Context, text string) (source.Conn, error) {
	a, err := address.Parse(text)
	if err != nil {
		return nil, err
	}
	if own, err := address.Parse(os.Getenv(envSource)); err == nil && own.String() == a.String() {
		a = own
	}
	return p.openSource(ctx, a)
}

// countLag counts the source's transactions behind t. Datomic Local numbers them one by one, Datomic Pro
// leaves gaps.
func countLag(ctx context.Context, src source.Conn, t dclone.T) (n int64, err error) {
	if src.DatabaseID() == "" {
		return int64(src.Basis() - t), nil
	}
	for _, err := range src.Txs(ctx, t+1) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// rows are the status for people.
func (st *status) rows() []string {
	rows := []string{"clone\t" + st.Dest, "sidecar\t" + st.State, "source\t" + st.Source, "session\t" + st.session(),
		"phase\t" + st.phase(), "position\t" + st.position(), "lag\t" + st.lag(), "last run\t" + st.lastRun()}
	return append(rows, notCarriedRows(st.NotCarried, st.Accepted)...)
}

func (st *status) session() string {
	if st.Created == nil {
		return st.SessionID
	}
	return st.SessionID + ", since " + st.Created.Format(time.RFC3339)
}

func (st *status) phase() string {
	switch state.Phase(st.Phase) {
	case state.Loading:
		if st.live {
			return "loading: the first copy is under way, what can be seen of the clone is not whole yet"
		}
		return "loading: the first copy is under way, the clone cannot be seen yet"
	case state.Publishing:
		return "publishing: the first copy is whole and about to be seen"
	}
	return st.Phase
}

func (st *status) position() string {
	if st.Phase == string(state.Loading) {
		return fmt.Sprintf("copying source t %d", st.SourceT)
	}
	text := fmt.Sprintf("source t %d", st.SourceT)
	if st.Instant != nil {
		text += " of " + st.Instant.Format(time.RFC3339)
	}
	return fmt.Sprintf("%s, clone t %d", text, st.CloneT)
}

func (st *status) lag() string {
	switch {
	case st.Lag != nil:
		return fmt.Sprintf("%s (the source has come to t %d)", count(int(*st.Lag), "transaction", "transactions"), *st.Basis)
	case st.SourceError != "":
		return "unknown: " + st.SourceError + st.lastSeen()
	}
	return "unknown until the first copy is whole"
}

// lastSeen tells how far the source had come when a run last looked, where status cannot look itself.
func (st *status) lastSeen() string {
	r := st.LastRun
	if st.Basis != nil || r == nil || r.SourceBasis == 0 || r.SourceT > r.SourceBasis {
		return ""
	}
	return fmt.Sprintf("; the last run saw it at t %d", r.SourceBasis)
}

// lastRun tells of the run that goes on, or of the last.
func (st *status) lastRun() string {
	r := st.LastRun
	if r == nil {
		return "unknown"
	}
	began := r.Started.Format(time.RFC3339)
	switch {
	case r.Outcome == outcomeRunning && r.All > 0:
		return fmt.Sprintf("process %d, since %s: %s, %d of %d, %.0f/s", r.PID, began, r.Stage, r.Done, r.All, r.Rate)
	case r.Outcome == outcomeRunning:
		return fmt.Sprintf("process %d, since %s: %s", r.PID, began, r.Stage)
	case r.Outcome == outcomeKilled || r.Finished == nil || r.ExitCode == nil:
		return began + ", cut off while " + r.Stage
	case r.Message != "":
		return fmt.Sprintf("%s, %s, exit code %d: %s", began, r.Outcome, *r.ExitCode, r.Message)
	}
	return fmt.Sprintf("%s, %s, exit code %d, %s", began, r.Status, *r.ExitCode, brief(r.Finished.Sub(r.Started)))
}
