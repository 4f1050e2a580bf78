package kvs_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dclone/realdata"
	"dclone/store"
	"dclone/store/kvs"
	"dclone/store/pgtest"
)

// all reads every row.
func all(t testing.TB, c *pgx.Conn) map[string]line {
	t.Helper()
	rows, err := c.Query(ctx, "select id, coalesce(rev, -1), coalesce(map, ''), val from datomic_kvs")
	require.NoError(t, err)
	m := map[string]line{}
	var id string
	var l line
	_, err = pgx.ForEachRow(rows, []any{&id, &l.rev, &l.say, &l.val}, func() error {
		l.val = bytes.Clone(l.val)
		m[id] = l
		return nil
	})
	require.NoError(t, err)
	return m
}

func gunzip(t testing.TB, b []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	require.NoError(t, err)
	raw, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(raw)
}

// A restored is what is in a storage that Datomic restored a database into.
type restored struct {
	rows     map[string]line
	segments map[string][]byte // of the backup
	tails    [][]byte          // one for each restore
	garbage  int               // roots of it
}

func sorted(t testing.TB, rows map[string]line) restored {
	t.Helper()
	r := restored{rows: rows, segments: map[string][]byte{}}
	for id, l := range rows {
		switch {
		case l.rev >= 0, bytes.HasPrefix(l.val, []byte("{")): // named, or the catalog
		case bytes.HasPrefix(l.val, []byte{0xee}):
			r.tails = append(r.tails, l.val)
		case strings.Contains(gunzip(t, l.val), "garbage-root"):
			r.garbage++
		default:
			r.segments[id] = l.val
		}
	}
	return r
}

// A storage that Datomic restored a database into four times, at two points in time by turns, and one
// that we did: the rows are the same, but for the ids of the few that are new with each restore.
func TestPublishAsDatomic(t *testing.T) {
	const id = "alltypes5-f896dff8-c831-4242-9674-d2270b2982c1"
	server := pgtest.Start(t)
	_, dsn := server.Load(t, realdata.File(t, "pro", "expected/datomic_kvs-restored-alltypes.sql.gz"))
	theirs := sorted(t, all(t, direct(t, dsn)))
	require.Len(t, theirs.tails, 4)
	require.Equal(t, 4, theirs.garbage)

	url, dsn := server.Database(t)
	s := connect(t, url)
	ids := slices.Sorted(maps.Keys(theirs.segments))
	var vals [][]byte
	for _, id := range ids {
		vals = append(vals, theirs.segments[id])
	}
	require.NoError(t, s.PutSegments(ctx, ids, vals))
	require.NoError(t, s.PutSegments(ctx, ids[:3], vals[:3]), "again")
	pod := theirs.rows["pod-log-tail/"+id].say
	root := store.Root{DatabaseID: id, Index: names(theirs.rows["ref-index-root/"+id].say, ":key"), Log: names(pod, ":d/r")}
	newest := theirs.rows[names(pod, ":tail")].val
	slices.SortFunc(theirs.tails, bytes.Compare)
	if !bytes.Equal(theirs.tails[3], newest) { // which is the last to be restored
		slices.Reverse(theirs.tails)
	}
	for _, tail := range theirs.tails {
		root.Tail = tail
		require.NoError(t, s.Publish(ctx, "other", root))
	}
	c := direct(t, dsn)
	sameRows(t, theirs, sorted(t, all(t, c)))

	d, err := s.Database(ctx, "other")
	require.NoError(t, err)
	got, err := d.Root(ctx, store.Newest)
	require.NoError(t, err)
	require.Equal(t, expected(t, c, id), got)
	require.Equal(t, newest, got.Tail)
}

// sameRows compares two storages, but for the ids that are new with each restore.
func sameRows(t *testing.T, theirs, ours restored) {
	t.Helper()
	require.Equal(t, len(theirs.rows), len(ours.rows))
	require.Equal(t, len(theirs.tails), len(ours.tails))
	require.Equal(t, theirs.garbage, ours.garbage)
	require.Equal(t, theirs.segments, ours.segments)
	for id, want := range theirs.rows {
		if want.rev < 0 {
			continue
		}
		got := ours.rows[id]
		require.Equal(t, want.rev, got.rev, id)
		require.Equal(t, want.val, got.val, id)
		const key = ":(?:key|tail)"
		a, b := names(want.say, key), names(got.say, key)
		require.Equal(t, strings.ReplaceAll(want.say, a, "*"), strings.ReplaceAll(got.say, b, "*"))
		if theirs.segments[a] != nil {
			require.Equal(t, a, b, id)
		} else if strings.HasPrefix(id, "ref-gc-root/") {
			require.Equal(t, gunzip(t, theirs.rows[a].val), gunzip(t, ours.rows[b].val))
		} else {
			require.Equal(t, theirs.rows[a], ours.rows[b], id)
		}
	}
}

const (
	uuid1 = "6b012fb3-0000-4000-8000-000000000001"
	uuid2 = "6b012fb3-0000-4000-8000-000000000002"
)

func rootOf(id string) store.Root {
	return store.Root{DatabaseID: id, Index: uuid1, Log: uuid2, Tail: []byte{0xee}}
}

// Which names Datomic takes, in its words.
func TestCollisions(t *testing.T) {
	url, dsn := pgtest.Start(t).Database(t)
	s := connect(t, url)
	missing := s.Publish(ctx, "a", rootOf("a-1"))
	require.ErrorIs(t, missing, store.ErrMissing)
	require.Empty(t, all(t, direct(t, dsn)), "nothing is left of a restore that failed")
	require.NoError(t, s.PutSegments(ctx, []string{uuid1, uuid2}, [][]byte{{1}, {2}}))
	require.NoError(t, s.Publish(ctx, "a", rootOf("a-1")))
	require.NoError(t, s.Publish(ctx, "a", rootOf("a-1")), "again")
	require.NoError(t, s.Publish(ctx, "b ü'", rootOf("b-1")))
	for _, c := range []struct{ name, id, words string }{
		{"a", "c-1", ":restore/collision The name 'a' is already in use by a different database"},
		{"a", "b-1", ":restore/collision The name 'a' is already in use by a different database"},
		{"c", "a-1", ":restore/collision The database already exists under the name 'a'"},
		{"c", "b-1", ":restore/collision The database already exists under the name 'b ü''"},
		{"c:d", "c-1", ":restore/invalid-db-name The name 'c:d' is an invalid name"},
		{"", "c-1", ":restore/invalid-db-name The name '' is an invalid name"},
	} {
		before := all(t, direct(t, dsn))
		for _, err := range []error{s.CheckName(ctx, c.name, c.id), s.Publish(ctx, c.name, rootOf(c.id))} {
			var collision *kvs.CollisionError
			require.ErrorAs(t, err, &collision)
			require.EqualError(t, err, c.words)
		}
		require.Equal(t, before, all(t, direct(t, dsn)))
	}
	require.NoError(t, s.CheckName(ctx, "a", "a-1"))
	require.NoError(t, s.CheckName(ctx, "c", "c-1"))
	listed, err := s.Databases(ctx)
	require.NoError(t, err)
	require.Equal(t, []kvs.Listed{{Name: "a", ID: "a-1"}, {Name: "b ü'", ID: "b-1"}}, listed)
}

// A database that was deleted can be restored, and what else the catalog says is kept.
func TestRestoreDeleted(t *testing.T) {
	url, dsn := pgtest.Start(t).Database(t)
	pgtest.Exec(t, dsn, `insert into datomic_kvs values ('pod-catalog', 7, '{:tail "`+uuid1+`"}', null), ('`+uuid1+`', null, '{}',
		'{"x" {:db-id "x-1", :more [1]}, :datomic/deleted #{"a-1" "b-1"}, :else 1.5M}'), ('`+uuid2+`', null, '{}', 'log')`)
	s := connect(t, url)
	listed, err := s.Databases(ctx)
	require.NoError(t, err)
	require.Equal(t, []kvs.Listed{{Name: "x", ID: "x-1"}, {ID: "a-1", Deleted: true}, {ID: "b-1", Deleted: true}}, listed)
	_, err = s.Database(ctx, "a")
	require.ErrorIs(t, err, store.ErrNoDatabase)
	require.NoError(t, s.Publish(ctx, "new", rootOf("a-1")))
	c := direct(t, dsn)
	pod := read(t, c, "pod-catalog")
	require.Equal(t, 8, pod.rev)
	require.Equal(t, `{"x" {:db-id "x-1", :more [1]}, :datomic/deleted #{"b-1"}, :else 1.5M, "new" {:db-id "a-1"}}`,
		string(read(t, c, names(pod.say, ":tail")).val))
}

func TestPutSegments(t *testing.T) {
	url, dsn := pgtest.Start(t).Database(t)
	for i, url := range []string{url, url + "&prepareThreshold=0"} {
		s := connect(t, url)
		var ids []string
		var vals [][]byte
		for n := range 5000 {
			ids = append(ids, uuid1[:24]+fmt.Sprintf("%012x", i<<16|n))
			vals = append(vals, bytes.Repeat([]byte{byte(n)}, n%97*50))
		}
		require.NoError(t, s.PutSegments(ctx, ids, vals))
		has, err := s.HasSegments(ctx, append([]string{"pod-coord", "00000000-0000-4000-8000-0000000000aa"}, ids...))
		require.NoError(t, err)
		require.Equal(t, len(ids), len(has))
		for n := 0; n < len(ids); n += 777 {
			got, err := s.Segment(ctx, ids[n])
			require.NoError(t, err)
			require.True(t, bytes.Equal(vals[n], got))
		}
		for _, hostile := range []string{"pod-coord", "pod-catalog", "", "ref-index-root/x-1"} {
			require.Error(t, s.PutSegments(ctx, []string{hostile}, [][]byte{{1}}))
		}
	}
	require.Equal(t, [][]string{{"10000"}}, pgtest.Exec(t, dsn, "select count(*) from datomic_kvs"))
}

// Restores that run into each other: one after the other, as if they had waited.
func TestPublishTogether(t *testing.T) {
	url, dsn := pgtest.Start(t).Database(t)
	s := connect(t, url+"&prepareThreshold=0")
	require.NoError(t, s.PutSegments(ctx, []string{uuid1, uuid2}, [][]byte{{1}, {2}}))
	errs := make(chan error)
	for i := range 12 {
		name := string(rune('a' + i%6))
		go func() { errs <- s.Publish(ctx, name, rootOf(name+"-1")) }()
	}
	for range 12 {
		require.NoError(t, <-errs)
	}
	listed, err := s.Databases(ctx)
	require.NoError(t, err)
	require.Len(t, listed, 6)
	require.Equal(t, [][]string{{"6", "6", "5"}}, pgtest.Exec(t, dsn, `select sum(rev) filter (where id like 'pod-log%'),
		sum(rev) filter (where id like 'ref-gc%'), max(rev) filter (where id = 'pod-catalog') from datomic_kvs`))
}
