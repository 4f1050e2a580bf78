package live_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	"dclone/datomic/local"
	"dclone/interop"
	"dclone/source"
	sourcelive "dclone/source/live"
	"dclone/source/pro"
	"dclone/store"
	"dclone/store/kvs"
	"dclone/store/pgtest"
)

// load has a child load scripts of package interop.
func load(t testing.TB, c *live.Child, names ...string) {
	t.Helper()
	for _, name := range names {
		require.NoError(t, c.Load(ctx, name+".clj", interop.Script(t, name)))
	}
}

// A database in memory is nowhere else to be read. What the log says is held against what the indexes say.
func TestMem(t *testing.T) {
	c := child(t, interop.ProClasspath(t))
	load(t, c, "interop", "peer", "random")
	const uri = "datomic:mem://random"
	created, err := c.Create(ctx, live.PeerAPI, uri, "")
	require.NoError(t, err)
	require.True(t, created)
	require.NoError(t, c.Load(ctx, "fill.clj", `(let [c (peer/wrap (datomic.api/connect "`+uri+`"))] (random/schema! c) (random/txs! c 6 120))`))
	db, err := c.Connect(ctx, live.PeerAPI, uri, "")
	require.NoError(t, err)
	for _, opt := range []sourcelive.Options{{}, {Chunk: 5}} {
		conn := open(t, db, opt)
		require.NotEmpty(t, conn.DatabaseID())
		txs := allTxs(t, conn, 0)
		require.Equal(t, txs[len(txs)-1].T, conn.Basis())
		require.Greater(t, conn.Basis(), dclone.T(1050))
		require.Less(t, conn.Born(), dclone.T(1000))
		for _, at := range []int{len(txs) / 2, len(txs) - 1} {
			s, err := conn.Snapshot(ctx, txs[at].T, source.Options{})
			require.NoError(t, err)
			explained(t, txs[:at+1], s)
		}
	}
}

// explained holds what a snapshot says against the transactions up to it.
func explained(t *testing.T, txs []dclone.Tx, s source.Snapshot) {
	t.Helper()
	history := map[dclone.EntityID][]dclone.Datom{}
	for _, tx := range txs {
		for _, d := range tx.Datoms {
			history[d.A] = append(history[d.A], d)
		}
	}
	require.Equal(t, len(history), len(s.Attributes()))
	for a, all := range history {
		if attr := s.Schema().Attribute(a); attr.NoHistory {
			continue
		}
		require.Equal(t, once(inOrder(slices.Clone(all))), inOrder(collect(t, s.History, a)), "all datoms of %v", s.Schema().Ident(a))
		var holds []dclone.Datom
		for i, d := range all {
			ended := slices.ContainsFunc(all[i+1:], func(r dclone.Datom) bool {
				return r.E == d.E && !r.Added && local.CompareValues(r.V, d.V) == 0 && r.Tx >= d.Tx
			})
			held := slices.ContainsFunc(holds, func(h dclone.Datom) bool { return h.E == d.E && string(h.V) == string(d.V) })
			if d.Added && !ended && !held {
				holds = append(holds, d)
			}
		}
		require.Equal(t, inOrder(holds), inOrder(collect(t, s.Current, a)), "current datoms of %v", s.Schema().Ident(a))
	}
}

// once leaves out datoms that are there twice: the log has a retraction that is asked for and implied, too, twice.
func once(all []dclone.Datom) []dclone.Datom {
	return slices.CompactFunc(all, func(x, y dclone.Datom) bool {
		return x.E == y.E && x.Tx == y.Tx && x.Added == y.Added && string(x.V) == string(y.V)
	})
}

// Datomic Pro in PostgreSQL, read natively and through the peer library.
func TestPostgres(t *testing.T) {
	jdbc, _ := pgtest.Start(t).Database(t)
	c := child(t, interop.ProClasspath(t), "-Xmx1g")
	load(t, c, "interop", "transactor", "fsbackup", "peer", "pro", "features", "profeatures")
	uri := "datomic:sql://full?" + jdbc
	require.NoError(t, c.Load(ctx, "fill.clj", `
		(let [uri `+interop.Str(uri)+` c (pro/create uri)]
		  (doseq [i (range (count features/waves))] (features/run-wave! c (inc i)))
		  (pro/index! uri)
		  (doseq [i (range (count profeatures/waves))] (profeatures/run-wave! c (inc i)))
		  (pro/reopen uri))`))
	stored, err := kvs.Open(ctx, jdbc, "full")
	require.NoError(t, err)
	native, err := pro.Open(ctx, stored, store.Newest)
	require.NoError(t, err)
	defer native.Close()
	db, err := c.Connect(ctx, live.PeerAPI, uri, "")
	require.NoError(t, err)
	require.NotContains(t, db.String(), "password=datomic")
	conn := open(t, db, sourcelive.Options{})
	same(t, native, conn)
	want, err := native.Fingerprint(nil, native.Basis())
	require.NoError(t, err)
	got, err := conn.Fingerprint(nil, conn.Basis())
	require.NoError(t, err)
	want.ID = ""
	require.Equal(t, want, got)
}
