package kvs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"dclone/store"
)

var (
	// ErrUnreachable says that no connection to the server could be made.
	ErrUnreachable = errors.New("the server cannot be reached")
	// ErrDenied says that the server does not let this user in. It is [fs.ErrPermission] too.
	ErrDenied error = denied{}
	// ErrNotGranted says that the server lets this user in, but not do that. It is [fs.ErrPermission] too.
	ErrNotGranted error = notGranted{}
	// ErrFull says that the server takes no more connections, or none of this user's.
	ErrFull = errors.New("the server takes no more connections")
	// ErrNoTable says that the database has no table datomic_kvs. It is [store.ErrNoDatabase] too.
	ErrNoTable error = noTable{}
	// ErrNoPlace says that the server has no database of the name that the URL gives. It is
	// [store.ErrNoDatabase] too.
	ErrNoPlace error = noPlace{}
	// ErrEncryption says that a server is there, but that no connection was made that is encrypted as the
	// URL wants it.
	ErrEncryption = errors.New("no encrypted connection could be made")
	// ErrDamaged says that a row is not as Datomic writes it.
	ErrDamaged = errors.New("the row is damaged")
)

type denied struct{}

func (denied) Error() string        { return "permission denied" }
func (denied) Is(target error) bool { return target == fs.ErrPermission }

type notGranted struct{}

func (notGranted) Error() string        { return "the user may not do that" }
func (notGranted) Is(target error) bool { return target == fs.ErrPermission }

type noTable struct{}

func (noTable) Error() string {
	return "it is no storage of Datomic: there is no table datomic_kvs, which bin/sql/postgres-table.sql of Datomic makes: " +
		"create table datomic_kvs (id text not null, rev integer, map text, val bytea, constraint pk_id primary key (id))"
}
func (noTable) Is(target error) bool { return target == store.ErrNoDatabase }

type noPlace struct{}

func (noPlace) Error() string        { return "the server has no such PostgreSQL database" }
func (noPlace) Is(target error) bool { return target == store.ErrNoDatabase }

// An AddressError says why a JDBC URL cannot be used. It does not repeat it, as there may be a password
// in it.
type AddressError struct{ Reason string }

func (e *AddressError) Error() string { return "read JDBC URL: " + e.Reason }

func badAddress(format string, args ...any) error {
	return &AddressError{fmt.Sprintf(format, args...)}
}

// A CollisionError is why a database cannot be restored under a name, in Datomic's words.
type CollisionError struct {
	Words string
	There bool // the database is in the storage, under another name
}

func (e *CollisionError) Error() string { return e.Words }

// explained says what an error of pgx means, in one line. What it wraps stays at hand.
func explained(err error) error {
	var sql *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &sql):
		return said(sql, &oneLine{sql.Message, err}, errors.As(err, &connect))
	case errors.As(err, &connect):
		return unconnected(connect, err)
	}
	return &oneLine{err.Error(), err}
}

// unconnected says why no connection was made. pgx tries a server with encryption and without, and all
// addresses of its name: what it says again and again is said once.
func unconnected(connect *pgconn.ConnectError, err error) error {
	var lines []string
	for line := range strings.Lines(connect.Unwrap().Error()) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	kind := ErrUnreachable
	if slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, "tls error: ") }) {
		kind = ErrEncryption
	}
	return fmt.Errorf("%w: %w", kind, &oneLine{strings.Join(lines, "; "), err})
}

// said says what the server's word means.
func said(sql *pgconn.PgError, word error, connecting bool) error {
	switch sql.Code {
	case "28000", "28P01":
		return fmt.Errorf("%w: %w", ErrDenied, word)
	case "42501":
		return fmt.Errorf("%w: %w", ErrNotGranted, word)
	case "53300":
		return fmt.Errorf("%w: %w", ErrFull, word)
	case "42P01":
		return ErrNoTable
	case "42703", "42883":
		return fmt.Errorf("%w; the one that is there is another: %w", ErrNoTable, word)
	case "3D000":
		return fmt.Errorf("%w: %w", ErrNoPlace, word)
	case "08P01", "0A000":
		if connecting {
			return fmt.Errorf("%w: %w; if it is a pooler, give its URL prepareThreshold=0", ErrUnreachable, word)
		}
	}
	if connecting {
		return fmt.Errorf("%w: %w", ErrUnreachable, word)
	}
	return &oneLine{sql.Message + " (SQLSTATE " + sql.Code + ")", word}
}

// A oneLine is an error whose text has been put into one line.
type oneLine struct {
	text string
	err  error
}

func (e *oneLine) Error() string { return strings.Join(strings.Fields(e.text), " ") }
func (e *oneLine) Unwrap() error { return e.err }

// code answers the SQLSTATE of an error, "" where it has none.
func code(err error) string {
	var sql *pgconn.PgError
	if errors.As(err, &sql) {
		return sql.Code
	}
	return ""
}
