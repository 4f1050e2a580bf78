package main

import (
	"fmt"
	"slices"

	"dclone"
	"dclone/session"
	"dclone/state"
)

// summaryMessage is the JSON line a run ends with.
type summaryMessage struct {
	MessageType  string              `json:"message_type"`
	Status       session.Status      `json:"status"`
	SessionID    string              `json:"session_id"`
	LastSourceTx dclone.EntityID     `json:"last_source_tx"`
	Transactions int64               `json:"transactions_replayed"`
	LastSourceT  dclone.T            `json:"last_source_t"`
	CloneT       dclone.T            `json:"clone_t"`
	Datoms       int64               `json:"datoms"`
	Entities     int64               `json:"entities"`
	DurationMS   int64               `json:"duration_ms"`
	Resumed      bool                `json:"resumed"`
	NotCarried   []dclone.NotCarried `json:"not_carried"`
}

// warningMessage is a JSON line about something that does not end the run.
type warningMessage struct {
	MessageType string `json:"message_type"`
	Message     string `json:"message"`
}

// report prints what a run came to.
func (s *syncer) report(res session.Result) {
	if s.p.json {
		s.p.line(summaryMessage{"summary", res.Status, res.Session.ID.String(), dclone.TxID(res.Position.Source.T),
			res.Transactions, res.Position.Source.T, res.Position.Clone.T, res.Datoms, res.Entities,
			res.Duration.Milliseconds(), res.Resumed, list(res.Session.NotCarried)})
		return
	}
	if s.opt.quiet {
		return
	}
	status := map[session.Status]string{session.Initial: "initial", session.Incremental: "incremental",
		session.UpToDate: "already up to date"}[res.Status]
	if res.Resumed {
		status += " (an earlier run was cut off)"
	}
	rows := []string{
		"status\t" + status,
		"session\t" + res.Session.ID.String(),
		fmt.Sprintf("position\tsource t %d, clone t %d", res.Position.Source.T, res.Position.Clone.T),
		fmt.Sprintf("transactions\t%d replayed", res.Transactions),
		fmt.Sprintf("datoms\t%d", res.Datoms),
	}
	if res.Status == session.Initial {
		rows = append(rows, fmt.Sprintf("entities\t%d", res.Entities))
	}
	rows = append(rows, "time\t"+brief(res.Duration))
	s.p.table(append(rows, notCarriedRows(res.Session.NotCarried, res.Session.AcceptedNotCarried)...)...)
	s.p.flush()
}

// notCarriedRows are what was not carried, a row each, and whether that was accepted.
func notCarriedRows(all, accepted []dclone.NotCarried) []string {
	if len(all) == 0 {
		return []string{"not carried\tnothing"}
	}
	var rows []string
	head, rest := "not carried", session.Outstanding(state.Session{NotCarried: all, AcceptedNotCarried: accepted})
	for _, n := range all {
		line := notCarriedLine(n)
		if !slices.Contains(rest, n) {
			line += ", accepted"
		}
		rows = append(rows, head+"\t"+line)
		head = ""
	}
	return rows
}

func notCarriedLine(n dclone.NotCarried) string {
	return fmt.Sprintf("%s: %s, %s, first at t %d", n.Attribute, n.Reason, count(int(n.Count), "datom", "datoms"), n.FirstT)
}

// andMore tells of n things that are not told.
func andMore(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", and %d more", n)
}

// count writes a number of things.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// warn tells of something that does not end the run.
func (s *syncer) warn(format string, args ...any) {
	if s.p.json {
		s.p.line(warningMessage{"warning", oneLine(fmt.Sprintf(format, args...))})
	} else if !s.opt.quiet {
		s.p.note("dclone: "+format, args...)
	}
}

// verbose tells more than most want to know.
func (s *syncer) verbose(format string, args ...any) {
	if s.opt.verbose && !s.p.json {
		s.p.note("dclone: "+format, args...)
	}
}
