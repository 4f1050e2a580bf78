package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dclone/realdata"
	"dclone/store/pgtest"
	"dclone/store/s3test"
)

// pro does what a script wants with Datomic Pro, and reports whether that is what it wants:
//
//	stock NAME N [ID]    make a backup $W/NAME of a database of N items, or add a restore point to it
//	real NAME            copy a backup that Datomic made to $W/NAME; the script ends where there is none
//	postgres             make an empty storage of Datomic's; $P is its JDBC URL, with user and password
//	dump FILE            the same with what was in one of Datomic's; the script ends where there is none
//	sql STATEMENT        do something in it
//	beat                 move the heartbeat of a transactor in it until the script ends
//	s3                   have an S3 server; $B is a bucket
//	damage HOW DIR N     spoil segment N of those in a backup, by name: remove, empty, cut, flip or swap it,
//	                     or put a directory in its place
func (s *script) pro(name string, args []string) bool {
	switch name {
	case "real":
		s.must(os.Rename(filepath.Join(realdata.Unpack(s.t, "pro", args[0]+".tar"), args[0]), filepath.Join(s.dir, args[0])))
	case "stock":
		n, err := strconv.Atoi(args[1])
		s.must(err)
		id := "stock-00000000-1111-4222-8333-444444444444"
		if len(args) > 2 {
			id = args[2]
		}
		stockBackup(s.t, filepath.Join(s.dir, args[0]), n, id)
	case "postgres":
		s.postgres(pgtest.Start(s.t).Database(s.t))
	case "dump":
		s.postgres(pgtest.Start(s.t).Load(s.t, realdata.File(s.t, "pro", args[0])))
	case "sql":
		pgtest.Exec(s.t, s.superuser, args[0])
	case "beat":
		s.beat()
	case "s3":
		server := s3test.Start(s.t)
		s.env = append(s.env, server.Env()...)
		s.vars = append(s.vars, "$B", server.Bucket(s.t))
	case "damage":
		n, err := strconv.Atoi(args[2])
		s.must(err)
		s.spoil(args[0], args[1], n)
	default:
		return false
	}
	return true
}

var users atomic.Int64

// postgres makes a storage, and a user whose password gives itself away wherever it shows.
func (s *script) postgres(jdbc, dsn string) {
	s.superuser = pgtest.Start(s.t).Superuser(dsn)
	user := fmt.Sprintf("user%d", users.Add(1))
	s.secret = "swordfish"
	pgtest.Exec(s.t, s.superuser, fmt.Sprintf("create role %s login password '%s&7'; grant all on table datomic_kvs to %s", user, s.secret, user))
	s.t.Cleanup(func() { pgtest.Exec(s.t, s.superuser, fmt.Sprintf("drop owned by %s; drop role %s", user, user)) })
	place, _, _ := strings.Cut(jdbc, "?")
	s.vars = append(s.vars, "$PLACE", place, "$USER", user, "$P", place+"?user="+user+"&password="+s.secret+"%267")
}

// beat moves what a transactor moves while it is at work.
func (s *script) beat() {
	stop := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Millisecond):
				pgtest.Exec(s.t, s.superuser, "update datomic_kvs set rev = rev + 1 where id = 'pod-coord'")
			}
		}
	})
	s.t.Cleanup(func() {
		close(stop)
		done.Wait()
	})
}

// keepsSecret makes sure that the last run has neither printed nor written the password.
func (s *script) keepsSecret() {
	if s.secret == "" || s.ran == "" {
		return
	}
	if strings.Contains(s.stdout+s.stderr, s.secret) {
		s.fatalf("the password was printed")
	}
	for path, content := range s.files() {
		if strings.Contains(content, s.secret) {
			s.fatalf("the password was written to %s", path)
		}
	}
}

// spoil damages a segment of a backup.
func (s *script) spoil(how, dir string, n int) {
	all, err := filepath.Glob(filepath.Join(dir, "values", "*", "*"))
	s.must(err)
	if n >= len(all) {
		s.fatalf("%s has %d segments", dir, len(all))
	}
	path := all[n]
	b, err := os.ReadFile(path)
	s.must(err)
	switch how {
	case "remove":
		s.must(os.Remove(path))
		return
	case "directory":
		s.must(errors.Join(os.Remove(path), os.Mkdir(path, 0o777)))
		return
	case "empty":
		b = nil
	case "cut":
		b = b[:len(b)/2]
	case "flip":
		b[len(b)/2] ^= 0xff
	case "swap":
		b, err = os.ReadFile(all[(n+1)%len(all)])
		s.must(err)
	default:
		s.fatalf("there is no damage %s", how)
	}
	s.must(os.WriteFile(path, b, 0o666))
}
