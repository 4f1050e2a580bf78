package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"dclone"
	"dclone/session"
)

// How often a run is shown and recorded.
const (
	redrawEvery = 200 * time.Millisecond // the line on a terminal
	reportEvery = 30 * time.Second       // lines elsewhere
	recordEvery = time.Second
)

// The choices for --progress.
const (
	progressAuto  = "auto"
	progressPlain = "plain"
	progressNone  = "none"
)

// A monitor follows a run: it shows how far it is and records it beside the sidecar.
type monitor struct {
	p       *program
	sidecar string
	redraw  bool // a terminal's line
	report  bool // lines, or JSON lines

	mu     sync.Mutex
	pace   pace
	last   session.Progress
	record record
	file   sync.Mutex // of the recorded

	stop chan struct{}
	done sync.WaitGroup
}

// newMonitor begins to follow a run over a pair. sc is what the sidecar says before, nil where there
// is none.
func newMonitor(p *program, pr pair, sc *sidecar, opt *syncOptions) *monitor {
	now := time.Now().UTC()
	m := &monitor{p: p, sidecar: pr.dest.state, stop: make(chan struct{}), pace: pace{stage: stageStarting, began: now},
		record: record{PID: os.Getpid(), Started: now, Outcome: outcomeRunning, NotCarried: []dclone.NotCarried{},
			Source: pr.source.String(), Dest: pr.dest.address.String()}}
	if !opt.quiet && opt.progress != progressNone {
		m.redraw = !p.json && opt.progress == progressAuto && isTerminal(p.err)
		m.report = !m.redraw
	}
	if sc != nil {
		m.record.fromSidecar(sc.session, sc.pos)
	}
	m.publish(now)
	m.done.Go(m.loop)
	return m
}

func (m *monitor) loop() {
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	reported, recorded := time.Now(), time.Now()
	for {
		var now time.Time
		select {
		case <-m.stop:
			return
		case now = <-tick.C:
		}
		if m.redraw {
			m.p.progress(m.line(now))
		}
		if m.report && now.Sub(reported) >= reportEvery {
			reported = now
			m.say(now)
		}
		if now.Sub(recorded) >= recordEvery {
			recorded = now
			m.publish(now)
		}
	}
}

// progress hears of a run's progress.
func (m *monitor) progress(pr session.Progress) {
	now := time.Now()
	m.mu.Lock()
	m.last = pr
	changed := m.pace.update(stageOf(pr), pr.Done, pr.All, now)
	m.mu.Unlock()
	if changed {
		m.publish(now)
	}
	if changed && m.report && m.p.json {
		m.say(now)
	}
}

func (m *monitor) line(now time.Time) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pace.line(now)
}

// say reports how far the run is.
func (m *monitor) say(now time.Time) {
	if !m.p.json {
		m.p.note("dclone: %s", m.line(now))
		return
	}
	m.mu.Lock()
	r := m.fill(now)
	m.mu.Unlock()
	m.p.line(statusMessage{"status", r.Stage, r.SessionID, r.Done, r.All, m.pace.percent(), r.Rate, r.ETA,
		r.SourceT, r.CloneT, r.SourceBasis})
}

// statusMessage is a JSON line about a run that goes on.
type statusMessage struct {
	MessageType string   `json:"message_type"`
	Stage       string   `json:"stage"`
	SessionID   string   `json:"session_id"`
	Done        int64    `json:"done"`
	All         int64    `json:"all"`
	Percent     float64  `json:"percent"`
	Rate        float64  `json:"rate"`
	ETA         *int64   `json:"eta_ms"`
	SourceT     dclone.T `json:"source_t"`
	CloneT      dclone.T `json:"clone_t"`
	SourceBasis dclone.T `json:"source_basis"`
}

// fill brings the record up to date.
func (m *monitor) fill(now time.Time) record {
	r := &m.record
	r.Updated = now.UTC()
	r.Stage, r.Done, r.All, r.Rate = m.pace.stage, m.pace.done, m.pace.all, m.pace.rate(now)
	r.ETA = nil
	if eta, ok := m.pace.eta(now); ok {
		ms := eta.Milliseconds()
		r.ETA = &ms
	}
	if m.last.Phase != "" {
		r.SessionID, r.Phase = m.last.SessionID.String(), string(m.last.Phase)
		r.SourceT, r.CloneT, r.SourceBasis = m.last.Position.Source.T, max(0, m.last.Position.Clone.T), m.last.Basis
		r.Datoms = m.last.Datoms
	}
	return *r
}

// publish records how far the run is. A record that cannot be written is no reason to stop: its
// directory may not be there yet.
func (m *monitor) publish(now time.Time) {
	m.file.Lock()
	defer m.file.Unlock()
	m.mu.Lock()
	r := m.fill(now)
	m.mu.Unlock()
	r.write(m.sidecar)
}

// end records how the run ended, where there is a sidecar that it can be recorded beside.
func (m *monitor) end(res session.Result, code int, err error) {
	close(m.stop)
	m.done.Wait()
	if m.redraw {
		m.p.progress("")
	}
	if _, missing := os.Stat(m.sidecar); missing != nil {
		removeRecord(m.sidecar)
		return
	}
	now := time.Now().UTC()
	m.fill(now)
	r := &m.record
	r.Finished, r.ExitCode, r.Outcome = &now, &code, outcomeDone
	if code == codeInterrupted {
		r.Outcome = outcomeInterrupted
	} else if err != nil {
		r.Outcome = outcomeFailed
	}
	if err == nil {
		r.Status, r.SourceBasis = string(res.Status), res.Position.Source.T
	} else {
		r.Message = oneLine(fmt.Sprint(err))
	}
	r.Transactions, r.Datoms = res.Transactions, res.Datoms
	if res.Session.Version != 0 {
		r.fromSidecar(res.Session, res.Position)
	}
	r.write(m.sidecar)
}

// list returns s, and an empty list where there is none: JSON has no null for lists.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
