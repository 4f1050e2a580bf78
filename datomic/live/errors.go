package live

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNoDatabase says that there is no database of the name asked for.
var ErrNoDatabase = errors.New("no such database")

// ErrClosed says that a Child was closed.
var ErrClosed = errors.New("the JVM was told to end")

// ErrBusy says that a transaction was not accepted for now, and is not in the database.
var ErrBusy = errors.New("the database is busy")

// ErrUnknownOutcome says that nobody knows whether a transaction is in the database.
var ErrUnknownOutcome = errors.New("the outcome of the transaction is unknown")

// A MissingError says what a machine lacks to reach a database.
type MissingError struct{ What string }

func (e *MissingError) Error() string { return e.What }

// A GoneError says that a child ended, or was ended for what it did, before it was told to.
type GoneError struct {
	Cause  error
	Stderr []string // its last lines
}

func (e *GoneError) Error() string {
	text := "the JVM is gone: " + e.Cause.Error()
	if len(e.Stderr) > 0 {
		text += "; it said last: " + strings.Join(e.Stderr, " | ")
	}
	return text
}

func (e *GoneError) Unwrap() error { return e.Cause }

// A RemoteError is what Datomic's library threw.
type RemoteError struct {
	Class   string
	Message string
	Anomaly string // the name of a category of :cognitect.anomalies, as cognitect.anomalies/busy, or ""
	DBError string // as db.error/not-an-entity, or ""
	Data    string // more about it, which may have values of the database in it
}

func (e *RemoteError) Error() string {
	text := e.Message
	if text == "" {
		text = e.Class
	}
	if e.DBError != "" && !strings.Contains(text, e.DBError) {
		text = ":" + e.DBError + " " + text
	}
	if e.Anomaly != "" {
		text += " (:" + e.Anomaly + ")"
	}
	return text
}

// A Refused says that a transaction was refused, and is not in the database.
type Refused struct {
	Anomaly string // as in RemoteError
	DBError string
	Message string
}

func (e *Refused) Error() string {
	return "transaction refused: " + (&RemoteError{Message: e.Message, Anomaly: e.Anomaly, DBError: e.DBError}).Error()
}

// refusing are the anomalies that say no. Any other but busy says that something went wrong on the way.
var refusing = []string{"incorrect", "forbidden", "conflict", "not-found", "unsupported"}

// astray are words in errors of Datomic's that do not say no, whatever their anomaly.
var astray = []string{"timeout", "timed-out", "unavailable", "connection", "released", "interrupted", "shutdown", "closed"}

// outcome tells what the error of a transaction that was sent says of it.
func outcome(err error) error {
	var remote *RemoteError
	if !errors.As(err, &remote) {
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
	}
	category, known := strings.CutPrefix(remote.Anomaly, "cognitect.anomalies/")
	lost := slices.ContainsFunc(astray, func(word string) bool { return strings.Contains(remote.DBError, word) })
	switch {
	case lost:
	case category == "busy" && known:
		return fmt.Errorf("%w: %w", ErrBusy, remote)
	case slices.Contains(refusing, category) && known, category == "" && remote.DBError != "":
		return &Refused{Anomaly: remote.Anomaly, DBError: remote.DBError, Message: remote.Message}
	}
	return fmt.Errorf("%w: %w", ErrUnknownOutcome, remote)
}

// noDatabase reports whether an error of connect says that there is no such database.
func (e *RemoteError) noDatabase() bool {
	return e.DBError == "db.error/db-not-found" ||
		strings.HasPrefix(e.Message, "Could not find ") && strings.HasSuffix(e.Message, " in catalog") || // a peer's, on storage
		e.Anomaly == "cognitect.anomalies/not-found" && strings.Contains(strings.ToLower(e.Message), "not found")
}

// lacking reports whether an error says that a library is not on the class path.
func (e *RemoteError) lacking() bool {
	return e.Class == "java.io.FileNotFoundException" && strings.HasPrefix(e.Message, "Could not locate") ||
		e.Class == "java.lang.ClassNotFoundException" || e.Class == "java.lang.NoClassDefFoundError"
}
