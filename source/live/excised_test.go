package live_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	"dclone/interop"
	sourcelive "dclone/source/live"
)

// An excision is known by what asked for it.
func TestExcised(t *testing.T) {
	c := child(t, interop.ProClasspath(t))
	const uri = "datomic:mem://excised"
	_, err := c.Create(ctx, live.PeerAPI, uri, "")
	require.NoError(t, err)
	transact := func(data string) *sourcelive.Conn {
		require.NoError(t, c.Load(ctx, "fill.clj", `@(datomic.api/transact (datomic.api/connect "`+uri+`") `+data+`)`))
		db, err := c.Connect(ctx, live.PeerAPI, uri, "")
		require.NoError(t, err)
		return open(t, db, sourcelive.Options{})
	}
	excised := func(conn *sourcelive.Conn, from dclone.T) bool {
		is, err := conn.Excised(ctx, from)
		require.NoError(t, err)
		return is
	}
	transact(`[{:db/ident :x/secret :db/valueType :db.type/string :db/cardinality :db.cardinality/one}]`)
	conn := transact(`[{:db/id "e" :x/secret "gone" :db/ident :x/somebody}]`)
	require.False(t, excised(conn, 0))
	conn = transact(`[{:db/excise :x/somebody :db.excise/attrs [:x/secret]}]`)
	require.True(t, excised(conn, 0))
	require.True(t, excised(conn, conn.Basis()))
	require.False(t, excised(conn, conn.Basis()+1))
}
