package kvs_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/store"
	"dclone/store/kvs"
	"dclone/store/pgtest"
)

// seed makes a storage with one database, "a", whose tail has three pieces.
func seed(t testing.TB) (s *kvs.Storage, dsn string) {
	t.Helper()
	url, dsn := pgtest.Start(t).Database(t)
	pgtest.Exec(t, dsn, seedRows)
	return connect(t, url), dsn
}

const (
	piece1 = "6b012fb3-0000-4000-8000-0000000000f1"
	piece2 = "6b012fb3-0000-4000-8000-0000000000f2"
	piece3 = "6b012fb3-0000-4000-8000-0000000000f3"
	names1 = "6b012fb3-0000-4000-8000-0000000000e1"

	seedRows = `insert into datomic_kvs values
		('` + names1 + `', null, '{}', '{"a" {:db-id "a-1"}, "young" {:db-id "young-1"}, "old" {:db-id "old-1"}}'),
		('pod-catalog', 3, '{:tail "` + names1 + `"}', null),
		('pod-coord', 1, '{:key "secret"}', 'secret'), ('pod-standby', 1, '{:key "secret"}', 'secret'),
		('` + uuid1 + `', null, '{}', 'index'), ('` + uuid2 + `', null, '{}', 'log'),
		('` + piece1 + `', null, '{}', 'one,'), ('` + piece2 + `', null, '{:prev "` + piece1 + `"}', 'two,'),
		('` + piece3 + `', null, '{:prev "` + piece2 + `"}', 'three'),
		('ref-index-root/a-1', 0, '{:key "` + uuid1 + `"}', null),
		('pod-log-tail/a-1', 9, '{:d/r "` + uuid2 + `", :d/v "7277", :d/l 3, :tail "` + piece3 + `"}', null),
		('ref-index-root/old-1', 0, '{:key "` + uuid1 + `"}', null), ('ref-log-root/old-1', 0, '{:key "` + uuid2 + `"}', null),
		('pod-log-tail/old-1', 9, '{:tail "` + piece2 + `"}', null)`
)

// Errors of the connection say what is wrong, and of which kind it is; none has the password.
func TestConnectionErrors(t *testing.T) {
	server := pgtest.Start(t)
	good, dsn := server.Database(t)
	const password = "hunter2x"
	for _, statement := range []string{"create role visitor login password '" + password + "'",
		"create role nobody_more login password '" + password + "' connection limit 0", "revoke all on datomic_kvs from public",
		"create database empty", "create database other"} {
		pgtest.Exec(t, server.Superuser(dsn), statement)
	}
	t.Cleanup(func() {
		for _, statement := range []string{"drop database empty", "drop database other", "drop owned by visitor", "drop role visitor", "drop role nobody_more"} {
			pgtest.Exec(t, server.Superuser(dsn), statement)
		}
	})
	other := func(db string) string { return server.Superuser("x/" + db) }
	pgtest.Exec(t, other("other"), "create table datomic_kvs (key text, value text); grant all on datomic_kvs to public")
	place := strings.TrimSuffix(good, "?user=datomic&password=datomic")
	at := func(db string) string { return place[:strings.LastIndex(place, "/")+1] + db }
	visitor := "?user=visitor&password=" + password
	for _, c := range []struct {
		url  string
		is   error
		says string
	}{
		{"jdbc:postgresql://127.0.0.1:1/d" + visitor, kvs.ErrUnreachable, "refused"},
		{"jdbc:postgresql://no-such-host.invalid/d" + visitor, kvs.ErrUnreachable, "no-such-host"},
		{place + "?user=datomic&password=" + password, kvs.ErrDenied, "authentication failed"},
		{place + "?user=nobody&password=" + password, fs.ErrPermission, "authentication failed"},
		{place + visitor, fs.ErrPermission, "permission denied for table"},
		{place + visitor, kvs.ErrNotGranted, "permission denied for table"},
		{place + "?user=nobody_more&password=" + password, kvs.ErrFull, "too many connections"},
		{at("nowhere") + visitor, kvs.ErrNoPlace, `database "nowhere" does not exist`},
		{at("nowhere") + visitor, store.ErrNoDatabase, "no such PostgreSQL database"},
		{at("empty") + visitor, kvs.ErrNoTable, "id text not null, rev integer, map text, val bytea"},
		{at("empty") + visitor, store.ErrNoDatabase, "postgres-table.sql"},
		{at("other") + visitor, kvs.ErrNoTable, "does not exist"},
		{place + visitor + "&ssl=true", kvs.ErrEncryption, "server refused TLS"},
		{place + visitor + "&sslmode=require", kvs.ErrEncryption, "server refused TLS"},
	} {
		s := connect(t, c.url)
		_, listing := s.Databases(ctx)
		_, opening := s.Database(ctx, "a")
		_, reading := s.Segment(ctx, uuid1)
		_, living := s.Alive(ctx, 0)
		putting := s.PutSegments(ctx, []string{uuid1}, [][]byte{{1}})
		publishing := s.Publish(ctx, "a", rootOf("a-1"))
		for _, err := range []error{listing, opening, reading, living, putting, publishing} {
			require.ErrorIs(t, err, c.is, c.url)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "\n")
			require.LessOrEqual(t, strings.Count(err.Error(), "dial error"), 1)
			for e := err; e != nil; e = errors.Unwrap(e) {
				require.NotContains(t, e.Error(), password)
			}
		}
		require.NotContains(t, s.String(), password)
		require.NotContains(t, s.String(), "visitor")
	}
}

// Where nothing was ever created, there are no databases.
func TestEmpty(t *testing.T) {
	url, _ := pgtest.Start(t).Database(t)
	s := connect(t, url)
	listed, err := s.Databases(ctx)
	require.NoError(t, err)
	require.Empty(t, listed)
	_, err = s.Database(ctx, "a")
	require.ErrorIs(t, err, store.ErrNoDatabase)
	_, err = kvs.Open(ctx, url, "a")
	require.ErrorIs(t, err, store.ErrNoDatabase)
	alive, err := s.Alive(ctx, time.Hour)
	require.NoError(t, err)
	require.False(t, alive)
}

// A storage in which it is an error to read what the transactors' rows say: everything works.
func TestNeverReadsHeartbeats(t *testing.T) {
	s, dsn := seed(t)
	pgtest.Exec(t, dsn, `alter table datomic_kvs rename to rows;
		create function trap(id text) returns text language plpgsql stable as $$ begin raise exception 'row % was read', id; end $$;
		create view datomic_kvs as select id, rev,
			case when id in ('pod-coord', 'pod-standby') then trap(id) else map end as map,
			case when id in ('pod-coord', 'pod-standby') then trap(id)::bytea else val end as val from rows;`)
	conn := direct(t, dsn)
	_, err := conn.Exec(ctx, "select map from datomic_kvs")
	require.ErrorContains(t, err, "was read", "the trap works")

	_, err = s.Databases(ctx)
	require.NoError(t, err)
	d, err := s.Database(ctx, "a")
	require.NoError(t, err)
	for range 2 {
		_, err = d.Root(ctx, store.Newest)
		require.NoError(t, err)
		_, err = d.Changed(ctx)
		require.NoError(t, err)
	}
	_, err = s.Alive(ctx, 0)
	require.NoError(t, err)
	_, err = d.Segments(ctx, []string{uuid1, uuid2})
	require.NoError(t, err)
	_, err = s.HasSegments(ctx, []string{"pod-coord", uuid1})
	require.NoError(t, err)
	for _, id := range []string{"pod-coord", "pod-standby"} {
		_, err = d.Segment(ctx, id)
		require.ErrorIs(t, err, store.ErrMissing)
		for _, row := range []struct{ row, say string }{
			{"pod-log-tail/a-1", `{:d/r "` + uuid2 + `", :d/l 3, :tail "` + id + `"}`},
			{"pod-log-tail/a-1", `{:d/r "` + id + `", :d/l 3, :tail "` + piece3 + `"}`},
			{"ref-index-root/a-1", `{:key "` + id + `"}`},
			{piece1, `{:prev "` + id + `"}`},
		} {
			tx, err := conn.Begin(ctx)
			require.NoError(t, err)
			_, err = tx.Exec(ctx, "update rows set map = $2 where id = $1", row.row, row.say)
			require.NoError(t, err)
			require.NoError(t, tx.Commit(ctx))
			damaged, err := s.Database(ctx, "a")
			require.NoError(t, err)
			_, err = damaged.Root(ctx, store.Newest)
			require.ErrorIs(t, err, kvs.ErrDamaged, row.say)
			require.NotContains(t, err.Error(), "was read")
			pgtest.Exec(t, dsn, "delete from rows; "+strings.Replace(seedRows, "datomic_kvs", "rows", 1))
		}
	}
}

// The heartbeat of a transactor.
func TestAlive(t *testing.T) {
	t.Parallel()
	s, dsn := seed(t)
	alive, err := s.Alive(ctx, 700*time.Millisecond)
	require.NoError(t, err)
	require.False(t, alive)
	go func() {
		time.Sleep(100 * time.Millisecond)
		pgtest.Exec(t, dsn, "update datomic_kvs set rev = rev + 1 where id = 'pod-coord'")
	}()
	alive, err = s.Alive(ctx, 20*time.Second)
	require.NoError(t, err)
	require.True(t, alive)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = s.Alive(cancelled, time.Hour)
	require.ErrorIs(t, err, context.Canceled)
}

// A log of version 1 has its root in a row of its own.
func TestOldLog(t *testing.T) {
	s, _ := seed(t)
	d, err := s.Database(ctx, "old")
	require.NoError(t, err)
	root, err := d.Root(ctx, store.Newest)
	require.NoError(t, err)
	require.Equal(t, store.Root{DatabaseID: "old-1", T: store.Newest, Index: uuid1, Log: uuid2, Tail: []byte("one,two,"), LogVersion: 1}, root)
}

// A database that has just been created gets its roots a moment later than its name.
func TestYoung(t *testing.T) {
	t.Parallel()
	s, dsn := seed(t)
	d, err := s.Database(ctx, "young")
	require.NoError(t, err)
	go func() {
		time.Sleep(200 * time.Millisecond)
		pgtest.Exec(t, dsn, `insert into datomic_kvs values ('ref-index-root/young-1', 0, '{:key "`+uuid1+`"}', null)`)
		time.Sleep(200 * time.Millisecond)
		pgtest.Exec(t, dsn, `insert into datomic_kvs values ('pod-log-tail/young-1', 0, '{:d/r "`+uuid2+`" :d/l 3 :tail "`+piece1+`"}', null)`)
	}()
	root, err := d.Root(ctx, store.Newest)
	require.NoError(t, err)
	require.Equal(t, "one,", string(root.Tail))

	pgtest.Exec(t, dsn, "delete from datomic_kvs where id like '%/young-1'")
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	_, err = d.Root(short, store.Newest)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	began := time.Now()
	_, err = d.Root(ctx, store.Newest)
	require.ErrorIs(t, err, store.ErrNoRoot)
	require.ErrorContains(t, err, "ref-index-root/young-1")
	require.Less(t, time.Since(began), 10*time.Second)
}
