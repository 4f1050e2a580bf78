package kvs_test

import (
	"context"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dclone/realdata"
	"dclone/store"
	"dclone/store/kvs"
	"dclone/store/pgtest"
	"dclone/store/storetest"
)

var ctx = context.Background()

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func connect(t testing.TB, jdbcURL string) *kvs.Storage {
	t.Helper()
	s, err := kvs.Connect(ctx, jdbcURL)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// direct is a connection past this package.
func direct(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(ctx, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close(ctx) })
	return c
}

// A line is a row.
type line struct {
	rev int
	say string
	val []byte
}

func read(t testing.TB, c *pgx.Conn, id string) line {
	t.Helper()
	var l line
	err := c.QueryRow(ctx, "select coalesce(rev, -1), coalesce(map, ''), val from datomic_kvs where id = $1", id).Scan(&l.rev, &l.say, &l.val)
	require.NoError(t, err, id)
	return l
}

// names reads a key out of a map as Datomic prints it.
func names(say, key string) string {
	found := regexp.MustCompile(key + ` "([^"]*)"`).FindStringSubmatch(say)
	if found == nil {
		return ""
	}
	return found[1]
}

// expected is the root of a database, row by row.
func expected(t testing.TB, c *pgx.Conn, id string) store.Root {
	t.Helper()
	pod := read(t, c, "pod-log-tail/"+id).say
	root := store.Root{DatabaseID: id, T: store.Newest, LogVersion: 3,
		Index: names(read(t, c, "ref-index-root/"+id).say, ":key"), Log: names(pod, ":d/r")}
	var pieces [][]byte
	for at := names(pod, ":tail"); at != ""; {
		l := read(t, c, at)
		pieces = append(pieces, l.val)
		at = names(l.say, ":prev")
	}
	slices.Reverse(pieces)
	root.Tail = slices.Concat(pieces...)
	return root
}

// Databases that Datomic wrote transaction by transaction.
func TestRealStorage(t *testing.T) {
	url, dsn := pgtest.Start(t).Load(t, realdata.File(t, "pro", "datomic_kvs-live.sql.gz"))
	c := direct(t, dsn)
	for name, url := range map[string]string{"prepared": url, "pooled": url + "&prepareThreshold=0"} {
		t.Run(name, func(t *testing.T) {
			testListed(t, connect(t, url), c)
			storetest.TestDatabase(t, func(t testing.TB) store.Database {
				d, err := kvs.Open(ctx, url, "live2")
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, d.Close()) })
				return d
			}, content(t, c, "live2-0d090a79-22be-43aa-a084-afcd25b8e585"))
		})
	}
}

// testListed sees that all databases are listed and have their roots.
func testListed(t *testing.T, s *kvs.Storage, c *pgx.Conn) {
	listed, err := s.Databases(ctx)
	require.NoError(t, err)
	require.Len(t, listed, 11)
	require.Equal(t, kvs.Listed{Name: "alltypes", ID: "alltypes-acb78701-a782-4bb4-8c1c-fb80213b6b7a"}, listed[0])
	for _, l := range listed {
		d, err := s.Database(ctx, l.Name)
		require.NoError(t, err)
		changed, err := d.Changed(ctx)
		require.NoError(t, err)
		require.True(t, changed)
		root, err := d.Root(ctx, store.Newest)
		require.NoError(t, err)
		require.Equal(t, expected(t, c, l.ID), root)
		changed, err = d.Changed(ctx)
		require.NoError(t, err)
		require.False(t, changed)
		again, err := d.Root(ctx, store.Newest)
		require.NoError(t, err)
		require.Equal(t, root, again)
	}
}

// content is some of what is in a storage.
func content(t *testing.T, c *pgx.Conn, id string) storetest.Content {
	has := storetest.Content{Segments: map[string][]byte{}, Roots: []store.Root{expected(t, c, id)}}
	rows, err := c.Query(ctx, "select id, val from datomic_kvs where rev is null and octet_length(val) < 100000 order by md5(id) limit 300")
	require.NoError(t, err)
	var val []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &val}, func() error {
		has.Segments[id] = slices.Clone(val)
		return nil
	})
	require.NoError(t, err)
	return has
}

// Several segments at once.
func TestSegments(t *testing.T) {
	url, _ := pgtest.Start(t).Load(t, realdata.File(t, "pro", "expected/datomic_kvs-restored-alltypes.sql.gz"))
	d, err := kvs.Open(ctx, url, "other")
	require.NoError(t, err)
	defer d.Close()
	root, err := d.Root(ctx, store.Newest)
	require.NoError(t, err)
	const absent = "00000000-0000-4000-8000-0000000000aa"
	vals, err := d.Segments(ctx, []string{root.Log, absent, root.Index, root.Log})
	require.NoError(t, err)
	require.Len(t, vals, 4)
	require.Nil(t, vals[1])
	for i, id := range map[int]string{0: root.Log, 2: root.Index, 3: root.Log} {
		want, err := d.Segment(ctx, id)
		require.NoError(t, err)
		require.Equal(t, want, vals[i])
	}
	_, err = d.Segments(ctx, []string{"pod-coord"})
	require.ErrorIs(t, err, store.ErrMissing)
}
