package live_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	"dclone/interop"
	"dclone/source"
	sourcelive "dclone/source/live"
	sourcelocal "dclone/source/local"
)

var ctx = context.Background()

func TestMain(m *testing.M) { os.Exit(interop.Main(m)) }

func child(t testing.TB, cp string, opts ...string) *live.Child {
	t.Helper()
	c, err := live.Start(ctx, live.Options{Classpath: cp, JVMOpts: opts, Log: func(line string) { t.Log(line) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func localArg(dir, system string) string {
	return fmt.Sprintf(`{:server-type :datomic-local :storage-dir %q :system %q}`, dir, system)
}

func open(t testing.TB, db *live.DB, opt sourcelive.Options) *sourcelive.Conn {
	t.Helper()
	conn, err := sourcelive.Open(ctx, db, opt)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

func TestLocal(t *testing.T) {
	jvm, dir := interop.Start(t), t.TempDir()
	jvm.Load(t, "features", "random")
	db := interop.Str(dir) + ` "dev" "features"`
	jvm.Eval(t, `(let [c (create `+db+`)] (dotimes [i (count features/waves)] (features/run-wave! (reopen `+db+`) (inc i))))`)
	jvm.Eval(t, `(let [c (create `+interop.Str(dir)+` "dev" "random")] (random/schema! c) (random/txs! c 5 150))`)
	jvm.Eval(t, `(release `+db+`) (release `+interop.Str(dir)+` "dev" "random")`)
	c := child(t, interop.Classpath(t))
	cloneNatively(t, filepath.Join(dir, "dev", "features"), filepath.Join(dir, "dev", "native"))
	cloneLive(t, filepath.Join(dir, "dev", "features"), c, localArg(dir, "dev"), "live")
	for _, name := range []string{"features", "random", "native", "live"} {
		t.Run(name, func(t *testing.T) {
			native, err := sourcelocal.Open(filepath.Join(dir, "dev", name))
			require.NoError(t, err)
			defer native.Close()
			d, err := c.Connect(ctx, live.ClientAPI, localArg(dir, "dev"), name)
			require.NoError(t, err)
			for _, opt := range []sourcelive.Options{{}, {Chunk: 7}} {
				same(t, native, open(t, d, opt))
			}
			sameFingerprints(t, native, open(t, d, sourcelive.Options{}))
		})
	}
}

func same(t *testing.T, native, conn source.Conn) {
	t.Helper()
	require.Equal(t, native.DatabaseID(), conn.DatabaseID())
	require.Equal(t, native.Born(), conn.Born())
	require.Equal(t, native.Basis(), conn.Basis())
	txs := allTxs(t, native, 0)
	got := allTxs(t, conn, 0)
	require.Equal(t, len(txs), len(got))
	for i := range txs {
		txs[i].ID = [16]byte{} // a peer does not always know it
		require.Equal(t, txs[i], got[i], "t %d", txs[i].T)
	}
	for _, at := range []dclone.T{native.Basis(), txs[(len(txs)+9)/2].T} {
		want, err := native.Snapshot(ctx, at, source.Options{Jobs: 1})
		require.NoError(t, err)
		s, err := conn.Snapshot(ctx, at, source.Options{})
		require.NoError(t, err)
		sameSnapshot(t, want, s)
		require.NoError(t, s.Close())
		require.NoError(t, want.Close())
	}
}
