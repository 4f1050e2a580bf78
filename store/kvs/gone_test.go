package kvs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/store"
	"dclone/store/pgtest"
)

// Who polls a database hears after a while that it was deleted, or that its name is another's.
func TestGone(t *testing.T) {
	const piece = "6b01301f-23d2-461c-81c0-e262f123050a"
	url, dsn := pgtest.Start(t).Database(t)
	pgtest.Exec(t, dsn, `insert into datomic_kvs (id, rev, map, val) values
		('pod-catalog', 1, '{:tail "`+piece+`"}', null), ('`+piece+`', null, '{}', '{"a" {:db-id "a-1"}}'),
		('pod-log-tail/a-1', 1, '{:d/r "`+piece+`" :d/l 3 :tail "`+piece+`"}', null)`)
	d, err := Open(t.Context(), url, "a")
	require.NoError(t, err)
	defer d.Close()
	for _, c := range []struct{ catalog, says string }{
		{`{"a" {:db-id "a-1"}}`, ""},
		{`{"a" {:db-id "a-2"}}`, "the name is that of a-2 now, not of a-1"},
		{`{"b" {:db-id "a-1"}}`, "look for \"a\""},
		{`{:datomic/deleted #{"a-1"}}`, "look for \"a\""},
	} {
		pgtest.Exec(t, dsn, "update datomic_kvs set val = '"+c.catalog+"' where id = '"+piece+"'")
		d.looked = time.Now()
		_, err := d.Changed(t.Context())
		require.NoError(t, err, "not so soon")
		d.looked = time.Now().Add(-catalogEvery)
		_, err = d.Changed(t.Context())
		if c.says == "" {
			require.NoError(t, err)
			require.WithinDuration(t, time.Now(), d.looked, catalogEvery/2)
			continue
		}
		require.ErrorIs(t, err, store.ErrNoDatabase)
		require.ErrorContains(t, err, c.says)
	}
}
