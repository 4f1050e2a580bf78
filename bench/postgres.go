//go:build unix

package main

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"dclone/store/pgtest"
)

// A postgres is a server with two databases that have Datomic's table: what is read, and what is
// restored into.
type postgres struct{ source, target *storage }

// A storage is one of them.
type storage struct {
	test      *notATest
	jdbc, dsn string
}

// newPostgres starts a server. It returns why there is none where there is none.
func newPostgres() (*postgres, error) {
	test := &notATest{}
	p := &postgres{source: &storage{test: test}, target: &storage{test: test}}
	return p, test.do(func() {
		server := pgtest.Start(test)
		for _, s := range []*storage{p.source, p.target} {
			s.jdbc, s.dsn = server.Database(test)
		}
	})
}

// clear leaves no database in a storage.
func (s *storage) clear() error {
	return s.test.do(func() { pgtest.Exec(s.test, s.dsn, "truncate datomic_kvs") })
}

// uri is the address of the one database that there is, or will be.
func (s *storage) uri() string { return "datomic:sql://" + dbName + "?" + s.jdbc }

// dbName is how databases are called in a storage.
const dbName = "bench"

// A notATest is what pgtest asks of the test it runs beside.
type notATest struct {
	testing.TB
	why error // what it would have been skipped or failed for
}

func (t *notATest) Helper()        {}
func (t *notATest) Cleanup(func()) {} // the server goes with the process

func (t *notATest) Skipf(format string, args ...any)  { t.end(fmt.Errorf(format, args...)) }
func (t *notATest) Fatalf(format string, args ...any) { t.end(fmt.Errorf(format, args...)) }

func (t *notATest) end(err error) {
	t.why = errors.Join(t.why, err)
	runtime.Goexit()
}

// do runs what may end a test, and returns why it did.
func (t *notATest) do(f func()) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
	return t.why
}
