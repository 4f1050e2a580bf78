package pgtest

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// table is what Datomic's postgres-table.sql makes.
const table = `
set role datomic;
create table datomic_kvs (id text not null, rev integer, map text, val bytea, constraint pk_id primary key (id));
grant all on table datomic_kvs to public`

// Database makes an empty database with Datomic's table for t, and drops it when t ends. It answers
// where it is, as Datomic's peers write it and as PostgreSQL's own clients do.
func (s *Server) Database(t testing.TB) (jdbcURL, dsn string) {
	t.Helper()
	name := fmt.Sprintf("t%d", s.made.Add(1))
	ctx := context.Background()
	if _, err := s.admin(ctx, "create database "+name+" owner datomic"); err != nil {
		t.Fatalf("make a database: %v", err)
	}
	t.Cleanup(func() {
		if _, err := s.admin(ctx, "drop database "+name+" with (force)"); err != nil {
			t.Errorf("drop a database: %v", err)
		}
	})
	place := fmt.Sprintf("postgresql://127.0.0.1:%d/%s", s.Port, name)
	dsn = strings.Replace(place, "//", "//datomic:datomic@", 1) + "?sslmode=disable"
	Exec(t, s.Superuser(dsn), table)
	return "jdbc:" + place + "?user=datomic&password=datomic", dsn
}

// Superuser answers how the superuser gets at the database that dsn names.
func (s *Server) Superuser(dsn string) string {
	name := dsn[strings.LastIndex(dsn, "/")+1:]
	name, _, _ = strings.Cut(name, "?")
	return fmt.Sprintf("host=%s port=%d user=postgres dbname=%s sslmode=disable", s.dir, s.Port, name)
}

// Load makes a database as Database does, and loads the rows of datomic_kvs from a dump by pg_dump that
// is packed with gzip.
func (s *Server) Load(t testing.TB, path string) (jdbcURL, dsn string) {
	t.Helper()
	jdbcURL, dsn = s.Database(t)
	if err := load(context.Background(), dsn, path); err != nil {
		t.Fatalf("load %s: %v", path, err)
	}
	return jdbcURL, dsn
}

func load(ctx context.Context, dsn, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	rows := &copied{lines: bufio.NewReaderSize(unzipped, 1<<16)}
	columns, err := rows.begin()
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.PgConn().CopyFrom(ctx, rows, "copy datomic_kvs "+columns+" from stdin")
	return err
}

// A copied is the rows in a dump, as COPY reads them.
type copied struct {
	lines *bufio.Reader
	rest  []byte // of the present line
	inner bool   // rest does not begin a line
}

// begin goes to the first row and answers the columns.
func (c *copied) begin() (string, error) {
	for {
		line, err := c.lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return "", errors.New("it has no rows of datomic_kvs")
		} else if err != nil {
			return "", err
		}
		if after, ok := strings.CutPrefix(line, "COPY public.datomic_kvs "); ok {
			columns, _, _ := strings.Cut(after, " FROM")
			return columns, nil
		}
	}
}

// Read reads rows, up to the line that ends them.
func (c *copied) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		line, err := c.lines.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return 0, errors.Join(errors.New("the rows have no end"), err)
		}
		if !c.inner && string(line) == "\\.\n" {
			return 0, io.EOF
		}
		c.rest, c.inner = line, err != nil
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// Exec runs statements, which take no parameters, and answers the last one's rows as text.
func Exec(t testing.TB, dsn, statements string) [][]string {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer conn.Close(ctx)
	results, err := conn.PgConn().Exec(ctx, statements).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
	var rows [][]string
	for _, row := range results[len(results)-1].Rows {
		var fields []string
		for _, field := range row {
			fields = append(fields, string(field))
		}
		rows = append(rows, fields)
	}
	return rows
}
