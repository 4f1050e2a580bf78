package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"dclone"
	"dclone/state"
)

// A record is what a run tells of itself, in a small JSON file beside the sidecar, so that status has
// an answer while the run has the sidecar open. It is replaced each second by a rename, and stays
// when the run has ended.
type record struct {
	PID       int        `json:"pid"`
	Started   time.Time  `json:"started"`
	Updated   time.Time  `json:"updated"`
	Finished  *time.Time `json:"finished"` // nil while the run goes on, or when it was killed
	Outcome   string     `json:"outcome"`  // running; or done, interrupted, failed
	ExitCode  *int       `json:"exit_code"`
	Message   string     `json:"message"` // of the error
	SessionID string     `json:"session_id"`
	Source    string     `json:"source"`
	Dest      string     `json:"dest"`

	Status       string              `json:"status"` // initial, incremental, up_to_date; "" where it failed
	Phase        string              `json:"phase"`
	Stage        string              `json:"stage"`
	SourceT      dclone.T            `json:"source_t"`
	CloneT       dclone.T            `json:"clone_t"`
	SourceBasis  dclone.T            `json:"source_basis"`
	Done         int64               `json:"done"`
	All          int64               `json:"all"`
	Rate         float64             `json:"rate"` // of done, a second
	ETA          *int64              `json:"eta_ms"`
	Transactions int64               `json:"transactions_replayed"`
	Datoms       int64               `json:"datoms"`
	NotCarried   []dclone.NotCarried `json:"not_carried"`
}

// The outcomes of a run.
const (
	outcomeRunning     = "running"
	outcomeDone        = "done"
	outcomeInterrupted = "interrupted"
	outcomeFailed      = "failed"
	outcomeKilled      = "killed" // as status concludes
)

const (
	recordSuffix    = ".json"
	recordTmpSuffix = ".json.tmp"
)

// fromSidecar takes in what a sidecar says.
func (r *record) fromSidecar(s state.Session, pos state.Position) {
	r.SessionID, r.NotCarried = s.ID.String(), list(s.NotCarried)
	r.Phase, r.SourceT, r.CloneT = string(pos.Phase), pos.Source.T, max(0, pos.Clone.T)
}

// write replaces the record beside a sidecar.
func (r *record) write(sidecar string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(sidecar+recordTmpSuffix, append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(sidecar+recordTmpSuffix, sidecar+recordSuffix)
}

// readRecord returns the record beside a sidecar, nil where there is none.
func readRecord(sidecar string) (*record, error) {
	b, err := os.ReadFile(sidecar + recordSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := new(record)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Base(sidecar)+recordSuffix, err)
	}
	return r, nil
}

// removeRecord takes the record beside a sidecar away.
func removeRecord(sidecar string) {
	os.Remove(sidecar + recordTmpSuffix)
	os.Remove(sidecar + recordSuffix)
}
