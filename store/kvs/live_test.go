package kvs_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dclone/store"
	"dclone/store/kvs"
	"dclone/store/pgtest"
)

// A writer writes to a database as a transactor does. Its transactions are the numbers from 1; a log
// root says how many it has, an index root how many it knows.
type writer struct {
	c      *pgx.Conn
	rev, n int
	logged int
	log    string
	tail   string
}

func (w *writer) id() string {
	return fmt.Sprintf("6b012fb3-0000-4000-9000-%012x", rand.Uint64()>>16)
}

// put inserts a row that never changes.
func (w *writer) put(say, val string) (string, error) {
	id := w.id()
	_, err := w.c.Exec(ctx, "insert into datomic_kvs values ($1, null, $2, $3)", id, say, []byte(val))
	return id, err
}

func (w *writer) swing() error {
	w.rev++
	tag, err := w.c.Exec(ctx, "update datomic_kvs set rev = $1, map = $2 where id = 'pod-log-tail/w-1' and rev = $1 - 1",
		w.rev, fmt.Sprintf(`{:d/r "%s", :d/v "7277", :d/l 3, :tail "%s"}`, w.log, w.tail))
	if err == nil && tag.RowsAffected() != 1 {
		err = errors.New("somebody else writes")
	}
	return err
}

func (w *writer) transact() (err error) {
	w.n++
	if w.tail, err = w.put(`{:prev "`+w.tail+`"}`, fmt.Sprintf("%d,", w.n)); err != nil {
		return err
	}
	return w.swing()
}

// index makes an index root, then a log root; sometimes it collects the garbage at once.
func (w *writer) index(collect bool) error {
	root, err := w.put("{}", strconv.Itoa(w.n))
	if err != nil {
		return err
	}
	if _, err = w.c.Exec(ctx, "update datomic_kvs set rev = rev + 1, map = $1 where id = 'ref-index-root/w-1'", `{:key "`+root+`"}`); err != nil {
		return err
	}
	keep := rand.IntN(3)
	w.logged = max(w.logged, w.n-keep)
	var rest strings.Builder
	for n := w.logged + 1; n <= w.n; n++ {
		fmt.Fprintf(&rest, "%d,", n)
	}
	if w.log, err = w.put("{}", strconv.Itoa(w.logged)); err != nil {
		return err
	}
	if w.tail, err = w.put("{}", rest.String()); err != nil {
		return err
	}
	if err = w.swing(); err == nil && collect {
		_, err = w.c.Exec(ctx, "delete from datomic_kvs where rev is null and id like '6b012fb3-0000-4000-9000-%' and not id = any($1)",
			[]string{root, w.log, w.tail})
	}
	return err
}

// snapshot reads a root and what it leads to, and answers how many transactions there are.
func snapshot(t *testing.T, d *kvs.Database) (n int) {
	t.Helper()
	for range 20 {
		root, err := d.Root(ctx, store.Newest)
		require.NoError(t, err)
		log, err1 := d.Segment(ctx, root.Log)
		index, err2 := d.Segment(ctx, root.Index)
		if errors.Is(errors.Join(err1, err2), store.ErrMissing) {
			continue // it was garbage by then
		}
		require.NoError(t, errors.Join(err1, err2))
		n, err = strconv.Atoi(string(log))
		require.NoError(t, err)
		for _, tx := range strings.Split(strings.TrimSuffix(string(root.Tail), ","), ",") {
			if tx != "" {
				n++
				require.Equal(t, strconv.Itoa(n), tx, "the log's root has the transactions before its tail")
			}
		}
		basis, err := strconv.Atoi(string(index))
		require.NoError(t, err)
		require.LessOrEqual(t, basis, n, "the log never ends before its index")
		return n
	}
	t.Fatal("the roots are always garbage")
	return 0
}

// Reading beside a writer: each read has one moment's transactions, all of them, and never fewer than
// the one before.
func TestLive(t *testing.T) {
	url, dsn := pgtest.Start(t).Database(t)
	s := connect(t, url)
	w := &writer{c: direct(t, dsn), log: uuid2, tail: piece1}
	pgtest.Exec(t, dsn, `insert into datomic_kvs values ('pod-catalog', 0, '{:tail "`+names1+`"}', null),
		('`+names1+`', null, '{}', '{"w" {:db-id "w-1"}}'), ('`+piece1+`', null, '{}', ''),
		('`+uuid1+`', null, '{}', '0'), ('`+uuid2+`', null, '{}', '0'), ('ref-index-root/w-1', 0, '{:key "`+uuid1+`"}', null),
		('pod-log-tail/w-1', 0, '{:d/r "`+uuid2+`", :d/v "7277", :d/l 3, :tail "`+piece1+`"}', null)`)
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		for n := 1; ; n++ {
			err := w.transact()
			if err == nil && n%37 == 0 {
				err = w.index(n%2 == 0)
			}
			select {
			case <-stop:
				stopped <- err
				return
			default:
			}
			if err != nil {
				<-stop
				stopped <- err
				return
			}
		}
	}()
	following, err := s.Database(ctx, "w")
	require.NoError(t, err)
	reads, last, grown := 0, 0, 0
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); reads++ {
		d := following
		if reads%3 == 0 {
			d, err = s.Database(ctx, "w")
			require.NoError(t, err)
		} else {
			_, err = d.Changed(ctx)
			require.NoError(t, err)
		}
		n := snapshot(t, d)
		require.GreaterOrEqual(t, n, last)
		if n > last {
			grown++
		}
		last = n
	}
	close(stop)
	require.NoError(t, <-stopped)
	require.Equal(t, w.n, snapshot(t, following))
	t.Logf("%d reads beside %d transactions, %d with more than the one before", reads, w.n, grown)
	require.Greater(t, grown, 20)
}

// Changed tells new transactions from a transactor that only claims the log.
func TestChanged(t *testing.T) {
	s, dsn := seed(t)
	d, err := s.Database(ctx, "a")
	require.NoError(t, err)
	changed := func() bool {
		t.Helper()
		changed, err := d.Changed(ctx)
		require.NoError(t, err)
		return changed
	}
	tail := func() string {
		t.Helper()
		root, err := d.Root(ctx, store.Newest)
		require.NoError(t, err)
		require.False(t, changed())
		return string(root.Tail)
	}
	const pod = "update datomic_kvs set rev = rev + 1, map = '{:d/r \"%s\", :d/v \"7277\", :d/l 3, :tail \"%s\"}' where id = 'pod-log-tail/a-1'"
	const piece4, piece5 = "6b012fb3-0000-4000-8000-0000000000f4", "6b012fb3-0000-4000-8000-0000000000f5"
	require.True(t, changed())
	first, err := d.Root(ctx, store.Newest)
	require.NoError(t, err)
	require.Equal(t, "one,two,three", tail())
	pgtest.Exec(t, dsn, "update datomic_kvs set rev = rev + 1 where id = 'pod-log-tail/a-1'")
	require.False(t, changed(), "a claim")

	pgtest.Exec(t, dsn, "insert into datomic_kvs values ('"+piece4+"', null, '{:prev \""+piece3+"\"}', ',four'); "+fmt.Sprintf(pod, uuid2, piece4))
	require.True(t, changed(), "a transaction")
	pgtest.Exec(t, dsn, "update datomic_kvs set val = 'never read again' where id = '"+piece1+"'")
	require.Equal(t, "one,two,three,four", tail())
	require.Equal(t, "one,two,three", string(first.Tail), "the older root is what it was")

	pgtest.Exec(t, dsn, fmt.Sprintf(pod, uuid2, piece2))
	require.True(t, changed(), "history went back")
	pgtest.Exec(t, dsn, "update datomic_kvs set val = 'one,' where id = '"+piece1+"'")
	require.Equal(t, "one,two,", tail())

	pgtest.Exec(t, dsn, "insert into datomic_kvs values ('"+piece5+"', null, '{}', 'rest'); "+fmt.Sprintf(pod, uuid2, piece5))
	require.True(t, changed(), "the log was indexed")
	require.Equal(t, "rest", tail())
	pgtest.Exec(t, dsn, fmt.Sprintf(pod, uuid1, piece5))
	require.True(t, changed(), "another log root")
	pgtest.Exec(t, dsn, "delete from datomic_kvs where id like 'pod-log-tail%'")
	_, err = d.Changed(ctx)
	require.ErrorIs(t, err, store.ErrMissing)
}

// A tail of very many pieces is followed in time that grows with their number, whatever the
// planner knows of the table.
func TestLongTail(t *testing.T) {
	s, dsn := seed(t)
	const many = 50_000
	pgtest.Exec(t, dsn, fmt.Sprintf(`insert into datomic_kvs select '6b012fb3-0000-4000-8000-' || lpad(to_hex(n), 12, '0'), null,
		case n when 1000 then '{}' else '{:prev "6b012fb3-0000-4000-8000-' || lpad(to_hex(n - 1), 12, '0') || '"}' end, convert_to(n || ',', 'UTF8')
		from generate_series(1000, %d) n;
		update datomic_kvs set map = '{:d/r "%s" :d/l 3 :tail "6b012fb3-0000-4000-8000-%012x"}' where id = 'pod-log-tail/a-1'`, many+999, uuid2, many+999))
	d, err := s.Database(ctx, "a")
	require.NoError(t, err)
	began := time.Now()
	root, err := d.Root(ctx, store.Newest)
	require.NoError(t, err)
	took := time.Since(began)
	require.Equal(t, many, strings.Count(string(root.Tail), ","))
	began = time.Now()
	again, err := d.Root(ctx, store.Newest)
	require.NoError(t, err)
	require.Equal(t, len(root.Tail), len(again.Tail))
	t.Logf("%d pieces: %v, and again: %v", many, took, time.Since(began))
	require.Less(t, took, 20*time.Second)
}
