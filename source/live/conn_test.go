package live_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	"dclone/interop"
	"dclone/source"
	sourcelive "dclone/source/live"
)

// What a Conn says of transactions, what it does not see before it is told to, and how it is left.
func TestConn(t *testing.T) {
	c := child(t, interop.Classpath(t))
	load(t, c, "interop", "random")
	dir := t.TempDir()
	created, err := c.Create(ctx, live.ClientAPI, localArg(dir, "dev"), "random")
	require.NoError(t, err)
	require.True(t, created)
	db, err := c.Connect(ctx, live.ClientAPI, localArg(dir, "dev"), "random")
	require.NoError(t, err)
	more := `(let [c (interop/conn ` + interop.Str(dir) + ` "dev" "random")] `

	key := dclone.DigestKey("key")
	conn := open(t, db, sourcelive.Options{})
	require.EqualValues(t, 5, conn.Basis())
	first, err := conn.First(key)
	require.NoError(t, err)
	require.Zero(t, first)

	require.NoError(t, c.Load(ctx, "more.clj", more+`(random/schema! c) (random/txs! c 3 60))`))
	_, err = conn.Fingerprint(key, 6)
	require.ErrorIs(t, err, source.ErrNoTx)
	require.Len(t, allTxs(t, conn, 0), 6)
	changed, err := conn.Refresh(ctx)
	require.NoError(t, err)
	require.True(t, changed)
	changed, err = conn.Refresh(ctx)
	require.NoError(t, err)
	require.False(t, changed)
	first, err = conn.First(key)
	require.NoError(t, err)
	require.NotZero(t, first)

	digests := map[dclone.Digest]bool{}
	txs := allTxs(t, conn, -1)
	for _, tx := range txs {
		f, err := conn.Fingerprint(key, tx.T)
		require.NoError(t, err)
		require.Equal(t, tx.T, f.T)
		require.Equal(t, tx.Instant, f.Instant)
		require.False(t, digests[f.Digest])
		digests[f.Digest] = true
	}
	for _, at := range []dclone.T{-1, conn.Basis() + 1} {
		_, err = conn.Fingerprint(key, at)
		require.ErrorIs(t, err, source.ErrNoTx)
		_, err = conn.Snapshot(ctx, at, source.Options{})
		require.ErrorIs(t, err, source.ErrNoTx)
	}
	require.Empty(t, allTxs(t, conn, conn.Basis()+1))
	require.Equal(t, txs[8:], allTxs(t, conn, txs[8].T))

	canceled, cancel := context.WithCancel(ctx)
	defer cancel()
	var last error
	n := 0
	for _, err := range conn.Txs(canceled, 0) {
		if n++; n == 9 {
			cancel()
		}
		last = err
	}
	require.ErrorIs(t, last, context.Canceled)

	slow := open(t, db, sourcelive.Options{Rate: 1000})
	began, datoms := time.Now(), 0
	for tx, err := range slow.Txs(ctx, 6) {
		require.NoError(t, err)
		datoms += len(tx.Datoms)
	}
	require.Greater(t, time.Since(began), time.Duration(datoms-50)*time.Millisecond)
}
