package kvs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connections is how many there are at most. Reads of segments are short; more would be felt by the
// transactor's own before they made a clone faster.
const connections = 6

// session is what the server holds our sessions to: they write nothing unless a transaction says so, and
// one of ours that hangs neither keeps locks nor old rows.
var session = map[string]string{
	"default_transaction_read_only":       "on",
	"statement_timeout":                   "300000",
	"lock_timeout":                        "60000",
	"idle_in_transaction_session_timeout": "60000",
}

// A Storage is the table datomic_kvs and what is in it. Many goroutines may use one at once.
type Storage struct {
	pool   *pgxpool.Pool
	target *target
}

// Connect prepares to read the storage that a JDBC URL names, as it stands in a URI of Datomic's peers
// behind the question mark. What the URL leaves out is taken from the environment and the files that
// libpq looks at: PGHOST, PGUSER, PGPASSWORD, PGPASSFILE, ~/.pgpass, PGSERVICE and the others. No
// connection is made yet. The error is an [*AddressError].
func Connect(ctx context.Context, jdbcURL string) (*Storage, error) {
	t, err := parseURL(jdbcURL)
	if err != nil {
		return nil, err
	}
	cfg, err := t.config()
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to %v: %w", t, explained(err))
	}
	return &Storage{pool: pool, target: t}, nil
}

func (t *target) config() (*pgxpool.Config, error) {
	settings, err := t.settings()
	if err != nil {
		return nil, err
	}
	cfg, err := pgxpool.ParseConfig(dsn(settings))
	if err != nil {
		// The error quotes the settings; its cause does not, but for the value it is about.
		var parse *pgconn.ParseConfigError
		password := settings["password"]
		cause := errors.Unwrap(err)
		if errors.As(err, &parse) && cause != nil && (password == "" || !strings.Contains(cause.Error(), password)) {
			return nil, badAddress("%s", strings.Join(strings.Fields(cause.Error()), " "))
		}
		return nil, badAddress("one of its parameters has a value that PostgreSQL does not know; so might one of PGSSLMODE and its like")
	}
	cfg.MaxConns, cfg.MinConns, cfg.MaxConnIdleTime = connections, 0, time.Minute
	conn := cfg.ConnConfig
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = 15 * time.Second
	}
	if t.pooled() {
		conn.DefaultQueryExecMode = pgx.QueryExecModeExec
		return cfg, nil
	}
	for name, value := range session {
		conn.RuntimeParams[name] = value
	}
	return cfg, nil
}

// String returns the JDBC URL without user and password.
func (s *Storage) String() string { return s.target.String() }

// Close closes the connections.
func (s *Storage) Close() error {
	s.pool.Close()
	return nil
}

// tries is how often a transaction is tried that the server gave up for the sake of another.
const tries = 5

// again does f until the server has no reason of its own to give it up.
func again(ctx context.Context, f func() error) error {
	for n := 1; ; n++ {
		err := f()
		switch code(err) {
		case "40001", "40P01", "23505":
		default:
			return err
		}
		if n == tries {
			return err
		}
		if err := sleep(ctx, time.Duration(n)*50*time.Millisecond); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// write does f in a transaction that may write.
func (s *Storage) write(ctx context.Context, f func(pgx.Tx) error) error {
	return again(ctx, func() error {
		return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadWrite}, f)
	})
}
