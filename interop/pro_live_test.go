package interop_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/interop"
	"dclone/source"
	"dclone/source/pro"
)

// liveReads is how often a database is read while somebody writes to it.
const liveReads = 100

// liveBatch is how many entities each transaction of the live writer makes.
const liveBatch = 10

// TestProLive reads a database again and again while a writer transacts, runs index jobs and deletes their garbage. Each
// reading must be whole: of one basis, and the one before it with more behind it. One connection follows, the others are
// opened for each reading.
func TestProLive(t *testing.T) {
	jvm := interop.StartPro(t)
	p := newProSource(t, jvm, "first", `:new`)
	p.name = "live"
	jvm.Eval(t, `(pro/start-live! `+interop.Str(p.uri())+`)`)
	stopped := false
	stop := func() {
		if !stopped {
			stopped = true
			t.Logf("%s transactions were written", jvm.Eval(t, `(pro/stop-live!)`))
		}
	}
	defer stop()
	p.read(t, func(conn *pro.Conn) {
		l := &liveReader{t: t, txs: []liveTx{}}
		for i := range liveReads / 2 {
			_, err := conn.Refresh(context.Background())
			require.NoError(t, err, "reading %d", 2*i)
			l.read(conn)
			p.read(t, l.read)
		}
		require.Greater(t, l.moved, liveReads/4, "the writer was too slow")
		stop()
		_, err := conn.Refresh(context.Background())
		require.NoError(t, err)
		saysAs(t, p.dump(t), "when all was written")(conn)
		start := time.Now()
		for range 100 {
			changed, err := conn.Refresh(context.Background())
			require.NoError(t, err)
			require.False(t, changed, "nothing has happened")
		}
		t.Logf("%d of %d readings found more; to ask whether there is news takes %v", l.moved, liveReads, time.Since(start)/100)
	})
}

// A liveReader reads a database that only grows.
type liveReader struct {
	t     *testing.T
	txs   []liveTx // as read last
	moved int
}

type liveTx struct {
	t      dclone.T
	id     [16]byte
	datoms int
}

// read reads the log, and a database value of the same basis.
func (l *liveReader) read(conn *pro.Conn) {
	t, ctx := l.t, context.Background()
	t.Helper()
	basis := conn.Basis()
	var txs []liveTx
	for tx, err := range conn.Txs(ctx, conn.Born()+1) {
		require.NoError(t, err)
		if tx.T > basis {
			break // it was committed since
		}
		txs = append(txs, liveTx{tx.T, tx.ID, len(tx.Datoms)})
	}
	require.GreaterOrEqual(t, len(txs), len(l.txs), "the log has become shorter")
	require.Equal(t, l.txs, txs[:len(l.txs)], "the log has become another one")
	require.Equal(t, basis, txs[len(txs)-1].t)
	if len(txs) > len(l.txs) {
		l.moved++
	}
	l.txs = txs
	snap, err := conn.Snapshot(ctx, basis, source.Options{Jobs: 2, MaxMemory: 64 << 20, TempDir: t.TempDir()})
	require.NoError(t, err)
	defer func() { require.NoError(t, snap.Close()) }()
	require.Equal(t, basis, snap.Basis())
	l.entities(snap)
}

// entities holds the entities of a database value against the number of transactions.
func (l *liveReader) entities(snap source.Snapshot) {
	t := l.t
	t.Helper()
	want := (len(l.txs) - 1) * liveBatch
	for _, kw := range []string{"n", "s"} {
		a, ok := snap.Schema().Entity(dclone.Kw("live", kw))
		require.True(t, ok)
		got := 0
		for ds, err := range snap.Current(context.Background(), a) {
			require.NoError(t, err)
			got += len(ds)
		}
		require.Equal(t, want, got, "entities with :live/%s at t %d", kw, snap.Basis())
	}
}
