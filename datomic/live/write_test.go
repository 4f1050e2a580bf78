package live_test

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	"dclone/fressian"
	"dclone/interop"
)

func TestMain(m *testing.M) { os.Exit(interop.Main(m)) }

// A place is a database to write to.
type place struct {
	child *live.Child
	api   string
	arg   string
	name  string
}

// child starts a child for t alone.
func child(t testing.TB, cp string, opts ...string) *live.Child {
	t.Helper()
	c, err := live.Start(t.Context(), live.Options{Classpath: cp, JVMOpts: opts, Log: func(line string) { fmt.Fprintln(os.Stderr, line) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// places returns an empty database of each kind that can be had here.
func places(t *testing.T) map[string]place {
	dir := t.TempDir()
	return map[string]place{
		"local": {child(t, interop.Classpath(t)), live.ClientAPI, localArg(dir), "written"},
		"mem":   {child(t, interop.ProClasspath(t)), live.PeerAPI, "datomic:mem://written", ""},
	}
}

func localArg(dir string) string {
	return fmt.Sprintf(`{:server-type :datomic-local :storage-dir %q :system "dev"}`, dir)
}

func (p place) create(t testing.TB) *live.DB {
	t.Helper()
	created, err := p.child.Create(t.Context(), p.api, p.arg, p.name)
	require.NoError(t, err)
	require.True(t, created)
	created, err = p.child.Create(t.Context(), p.api, p.arg, p.name)
	require.NoError(t, err)
	require.False(t, created)
	names, err := p.child.Databases(t.Context(), p.api, strings.Replace(p.arg, "//written", "//*", 1))
	require.NoError(t, err)
	require.Contains(t, names, cmp.Or(p.name, "written"))
	return p.connect(t)
}

func (p place) connect(t testing.TB) *live.DB {
	t.Helper()
	db, err := p.child.Connect(t.Context(), p.api, p.arg, p.name)
	require.NoError(t, err)
	return db
}

func kw(ns, name string) dclone.Keyword { return dclone.Kw(ns, name) }

// forms encodes tx-data.
func forms(t testing.TB, all ...[]any) []byte {
	t.Helper()
	list := make([]any, len(all))
	for i, f := range all {
		list[i] = f
	}
	b, err := fressian.Append(nil, list)
	require.NoError(t, err)
	return b
}

func add(e any, a dclone.Keyword, v any) []any { return []any{kw("db", "add"), e, a, v} }

// attribute is the definition of one.
func attribute(tempid string, ident dclone.Keyword, valueType, cardinality string, more ...any) [][]any {
	all := [][]any{
		add(tempid, kw("db", "ident"), ident),
		add(tempid, kw("db", "valueType"), kw("db.type", valueType)),
		add(tempid, kw("db", "cardinality"), kw("db.cardinality", cardinality)),
	}
	for i := 0; i < len(more); i += 2 {
		all = append(all, add(tempid, more[i].(dclone.Keyword), more[i+1]))
	}
	return all
}

func value(t testing.TB, v any) dclone.Value {
	t.Helper()
	b, err := fressian.Append(nil, v)
	require.NoError(t, err)
	return b
}

func TestWrite(t *testing.T) {
	for name, p := range places(t) {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			_, err := p.child.Connect(ctx, p.api, p.arg, p.name)
			require.ErrorIs(t, err, live.ErrNoDatabase)
			db := p.create(t)
			start := db.Basis()

			schema := append(attribute("id", kw("x", "id"), "string", "one", kw("db", "unique"), kw("db.unique", "identity")),
				attribute("n", kw("x", "n"), "long", "many")...)
			schema = append(schema, attribute("r", kw("x", "ref"), "ref", "one")...)
			trial, err := db.With(ctx, forms(t, schema...))
			require.NoError(t, err)
			require.Equal(t, start, db.Basis())
			r, err := db.Transact(ctx, forms(t, schema...))
			require.NoError(t, err)
			require.Equal(t, start, r.Before)
			require.Greater(t, r.After, r.Before)
			require.Equal(t, r.After, trial.After, "what a trial wrote")
			require.Len(t, r.Tempids, 3)
			require.NotZero(t, r.Instant)

			data, err := db.Transact(ctx, forms(t, add("a", kw("x", "id"), "a"), add("a", kw("x", "n"), int64(1)), add("a", kw("x", "ref"), "b"),
				add("b", kw("x", "id"), "b"), add(kw("x", "n"), kw("db", "doc"), "ident"), add("datomic.tx", kw("db", "doc"), "tx")))
			require.NoError(t, err)
			require.Equal(t, r.After, data.Before)
			a, b := data.Tempids["a"], data.Tempids["b"]
			require.Contains(t, data.Datoms, dclone.Datom{E: a, A: r.Tempids["r"], V: value(t, int64(b)), Tx: dclone.TxID(data.After), Added: true})
			require.Contains(t, data.Datoms, dclone.Datom{E: r.Tempids["n"], A: 63 - dclone.EntityID(map[string]int{"mem": 1}[name]), V: value(t, "ident"), Tx: dclone.TxID(data.After), Added: true})

			_, err = db.Transact(ctx, forms(t, []any{kw("db", "retract"), int64(a), kw("x", "n"), int64(1)}))
			require.NoError(t, err)
			require.NoError(t, db.Sync(ctx))
			require.Greater(t, db.Basis(), data.After)

			found, err := db.Lookup(ctx, r.Tempids["id"], []dclone.Value{value(t, "b"), value(t, "none"), value(t, "a")})
			require.NoError(t, err)
			require.Equal(t, []dclone.EntityID{b, 0, a}, found)
			refusals(t, db, a)
		})
	}
}

// refusals are transactions that say no.
func refusals(t *testing.T, db *live.DB, a dclone.EntityID) {
	basis, err := db.Refresh(t.Context())
	require.NoError(t, err)
	for _, c := range []struct {
		form    []any
		dbError string
		anomaly string
	}{
		{add("x", kw("x", "nope"), int64(1)), "db.error/not-an-entity", "cognitect.anomalies/incorrect"},
		{add("x", kw("x", "n"), "text"), "db.error/wrong-type-for-attribute", "cognitect.anomalies/incorrect"},
		{add("datomic.tx", kw("db", "txInstant"), dclone.Instant(1000)), "db.error/past-tx-instant", "cognitect.anomalies/incorrect"},
		{add(int64(12345678901234567), kw("x", "n"), int64(1)), "db.error/invalid-entity-id", "cognitect.anomalies/incorrect"},
		{[]any{kw("db", "cas"), int64(a), kw("x", "id"), "c", "d"}, "db.error/cas-failed", "cognitect.anomalies/conflict"},
	} {
		var refused *live.Refused
		_, err := db.Transact(t.Context(), forms(t, c.form))
		require.ErrorAs(t, err, &refused, "%v", c.form)
		require.Equal(t, c.dbError, refused.DBError)
		require.Equal(t, c.anomaly, refused.Anomaly)
		require.NotErrorIs(t, err, live.ErrUnknownOutcome)
		_, err = db.With(t.Context(), forms(t, c.form))
		require.ErrorAs(t, err, &refused, "%v", c.form)
		require.Equal(t, c.dbError, refused.DBError)
	}
	after, err := db.Refresh(t.Context())
	require.NoError(t, err)
	require.Equal(t, basis, after, "a refused transaction is there")
}
