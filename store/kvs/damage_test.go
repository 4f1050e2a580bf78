package kvs_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dclone/store"
	"dclone/store/kvs"
	"dclone/store/pgtest"
)

// What is wrong is said, by the row that it is wrong in, and at once.
func TestDamage(t *testing.T) {
	s, dsn := seed(t)
	set := func(row, say string) string {
		return fmt.Sprintf("update datomic_kvs set map = '%s' where id = '%s'", say, row)
	}
	pod, index := "pod-log-tail/a-1", "ref-index-root/a-1"
	for _, c := range []struct{ do, says string }{
		{set(piece1, `{:prev "`+piece3+`"}`), piece3 + ": the row is damaged: it is its own older piece"},
		{set(piece1, `{:prev "`+piece1+`"}`), piece1 + ": the row is damaged: it is its own older piece"},
		{set(piece2, `{:prev "`+piece1), piece2 + ": the row is damaged: its map is no EDN"},
		{set(piece2, `[:prev "`+piece1+`"]`), piece2 + ": the row is damaged: its map is none"},
		{set(piece2, `{:prev 7}`), piece2 + ": the row is damaged: its :prev is no id"},
		{set(piece2, `{:x ":prev \"`+piece1+`\"" :prev "`+uuid1+`"}`), ""},
		{set(piece2, `{:x ":prev \"`+uuid1+`\""}`), ""},
		{set(piece2, `{:prev, "`+piece1+`"}`), "it does not lead to " + piece1},
		{set(piece2, `{:a ":prev " :x "`+piece1+`"}`), ""},
		{set(piece2, "{"+strings.Repeat(" ", 100_000)+"}"), piece2 + ": the row is damaged: its map is empty or absurd"},
		{set(piece2, strings.Repeat("[", 60_000)), piece2 + ": the row is damaged"},
		{"delete from datomic_kvs where id = '" + piece1 + "'", piece1 + ": it is not there"},
		{"update datomic_kvs set val = null where id = '" + piece1 + "'", piece1 + ": the row is damaged: it has no val"},
		{set(pod, `{}`), pod + ": the row is damaged: it has no :tail"},
		{set(pod, `{:d/r "`+uuid2+`" :d/l 4 :tail "`+piece3+`"}`), "its log has version 4"},
		{set(pod, `{:d/r "`+uuid2+`" :d/l -4611686018427387904 :tail "`+piece3+`"}`), "its log has version"},
		{set(pod, `{:d/r "`+uuid2+`" :d/l "3" :tail "`+piece3+`"}`), ":d/l is no version"},
		{set(pod, `{:d/l 3 :tail "`+piece3+`"}`), "it has no :d/r"},
		{set(pod, `{:d/l 3 :d/r nil :tail "`+piece3+`"}`), "it has no :d/r"},
		{set(pod, `{:d/r "`+strings.ToUpper(uuid2)+`x" :d/l 3 :tail "`+piece3+`"}`), ":d/r is no id"},
		{set(pod, `{:d/r "`+uuid2+`" :d/l 3 :tail "../`+piece3+`"}`), ":tail is no id"},
		{set(index, `nil`), index + ": the row is damaged"},
		{set(index, `{:key 1}`), ":key is no id"},
		{set(index, ``), index + ": the row is damaged: its map is empty"},
		{set("pod-catalog", `{:tail "`+piece2+`"}`), "pod-catalog: the row is damaged"},
		{"update datomic_kvs set val = '{\"a\" {}}' where id = '" + names1 + "'", "a database has no :db-id"},
		{"update datomic_kvs set val = '[]' where id = '" + names1 + "'", "it is no map"},
		{"update datomic_kvs set val = 'x' || repeat(' ', 17000000)::bytea where id = '" + names1 + "'", "17000001 bytes"},
	} {
		pgtest.Exec(t, dsn, "delete from datomic_kvs; "+seedRows)
		pgtest.Exec(t, dsn, c.do)
		began := time.Now()
		d, err := s.Database(ctx, "a")
		if err == nil {
			_, err = d.Root(ctx, store.Newest)
		}
		if c.says != "" {
			require.Error(t, err, c.do)
			require.ErrorContains(t, err, c.says)
			require.Less(t, len(err.Error()), 500)
		}
		require.Less(t, time.Since(began), 3*time.Second, c.do)
	}
}

// Rows that were damaged at random: an error, or an answer that no one can tell from a right one; never a hang.
func TestRandomDamage(t *testing.T) {
	t.Parallel()
	s, dsn := seed(t)
	c := direct(t, dsn)
	r := rand.New(rand.NewPCG(1, 2))
	good := all(t, c)
	ids := []string{"pod-catalog", names1, "pod-log-tail/a-1", "ref-index-root/a-1", piece1, piece2, piece3}
	failed := 0
	for range 120 {
		var undo []string
		for range 1 + r.IntN(2) {
			id := ids[r.IntN(len(ids))]
			undo = append(undo, id)
			damage(t, c, r, id)
		}
		short, cancel := context.WithTimeout(ctx, 250*time.Millisecond)
		root, err := readAll(short, s)
		if cancel(); err != nil {
			failed++
		} else {
			require.Regexp(t, "^[0-9a-f-]{36}$", root.Index)
			require.Regexp(t, "^[0-9a-f-]{36}$", root.Log)
			require.Less(t, len(root.Tail), 1000)
		}
		for _, id := range undo {
			l := good[id]
			_, err := c.Exec(ctx, `insert into datomic_kvs values ($1, nullif($2, -1), $3, $4)
				on conflict (id) do update set rev = excluded.rev, map = excluded.map, val = excluded.val`, id, l.rev, l.say, l.val)
			require.NoError(t, err)
		}
	}
	require.Greater(t, failed, 50)
	root, err := readAll(ctx, s)
	require.NoError(t, err)
	require.Equal(t, "one,two,three", string(root.Tail))
}

func readAll(ctx context.Context, s *kvs.Storage) (store.Root, error) {
	if _, err := s.Databases(ctx); err != nil {
		return store.Root{}, err
	}
	d, err := s.Database(ctx, "a")
	if err != nil {
		return store.Root{}, err
	}
	if _, err := d.Changed(ctx); err != nil {
		return store.Root{}, err
	}
	return d.Root(ctx, store.Newest)
}

func damage(t *testing.T, c *pgx.Conn, r *rand.Rand, id string) {
	t.Helper()
	var say *string
	var val []byte
	err := c.QueryRow(ctx, "select map, val from datomic_kvs where id = $1", id).Scan(&say, &val)
	if err != nil {
		return // gone already
	}
	text := ""
	if say != nil {
		text = *say
	}
	others := []string{names1, piece1, piece2, piece3, uuid1, uuid2, "pod-coord", "pod-catalog"}
	other := others[r.IntN(len(others))]
	switch r.IntN(8) {
	case 0:
		_, err = c.Exec(ctx, "delete from datomic_kvs where id = $1", id)
	case 1:
		_, err = c.Exec(ctx, "update datomic_kvs set map = null where id = $1", id)
	case 2:
		_, err = c.Exec(ctx, "update datomic_kvs set val = null where id = $1", id)
	case 3:
		_, err = c.Exec(ctx, "update datomic_kvs set map = $2 where id = $1", id, `{:prev "`+other+`" :tail "`+other+`" :key "`+other+`"}`)
	case 4:
		_, err = c.Exec(ctx, "update datomic_kvs set map = $2 where id = $1", id, strings.ReplaceAll(text, ":", " :x/"))
	case 5:
		_, err = c.Exec(ctx, "update datomic_kvs set map = $2 where id = $1", id, flip(r, []byte(text), 32, 95))
	case 6:
		_, err = c.Exec(ctx, "update datomic_kvs set val = $2 where id = $1", id, []byte(flip(r, val, 0, 256)))
	case 7:
		_, err = c.Exec(ctx, "update datomic_kvs set map = $2 where id = $1", id, text[:r.IntN(len(text)+1)])
	}
	require.NoError(t, err)
}

func flip(r *rand.Rand, b []byte, from, n int) string {
	if len(b) > 0 {
		b[r.IntN(len(b))] = byte(from + r.IntN(n))
	}
	return string(b)
}
