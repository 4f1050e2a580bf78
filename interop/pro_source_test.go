package interop_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/interop"
	"dclone/source/pro"
	"dclone/store"
	"dclone/store/dir"
	"dclone/store/kvs"
	"dclone/store/pgtest"
)

// A proSource is a database of Datomic Pro in a PostgreSQL of its own.
type proSource struct {
	jvm  *interop.JVM
	jdbc string
	name string
	old  bool // born before there were tuples
}

// newProSource makes a database, and runs code, in which c is its connection and uri its address.
func newProSource(t testing.TB, jvm *interop.JVM, name, code string) proSource {
	t.Helper()
	return proSource{jvm: jvm, name: name}.create(t, "pro/create", code)
}

// newOldProSource makes one that was born before there were tuples.
func newOldProSource(t testing.TB, jvm *interop.JVM, name, code string) proSource {
	t.Helper()
	return proSource{jvm: jvm, name: name, old: true}.create(t, "pro/create-old", code)
}

func (p proSource) create(t testing.TB, create, code string) proSource {
	t.Helper()
	p.jvm.Load(t, "features", "profeatures", "random")
	p.jdbc, _ = pgtest.Start(t).Database(t)
	p.jvm.Eval(t, `(`+create+` `+interop.Str(p.uri())+`)`)
	t.Cleanup(func() { p.jvm.TryEval(`(pro/release ` + interop.Str(p.uri()) + `)`) })
	p.eval(t, code)
	return p
}

func (p proSource) uri() string { return "datomic:sql://" + p.name + "?" + p.jdbc }

// eval runs code with c the connection and uri the address.
func (p proSource) eval(t testing.TB, code string) string {
	t.Helper()
	return p.jvm.Eval(t, `(let [uri `+interop.Str(p.uri())+` c (pro/conn uri)] `+code+`)`)
}

func (p proSource) dump(t testing.TB) interop.ProDumps {
	t.Helper()
	return p.jvm.DumpPro(t, p.uri())
}

// backup has Datomic back the database up, into a new directory unless one is given.
func (p proSource) backup(t testing.TB, at string) string {
	t.Helper()
	if at == "" {
		at = filepath.Join(t.TempDir(), "backup")
	}
	p.eval(t, `(pro/backup! uri `+interop.Str("file:"+at)+`)`)
	return at
}

// read opens the database in its storage for f.
func (p proSource) read(t testing.TB, f func(*pro.Conn)) {
	t.Helper()
	db, err := kvs.Open(context.Background(), p.jdbc, p.name)
	require.NoError(t, err)
	readDatabase(t, db, store.Newest, f)
}

// readBackup opens a backup as of one of its restore points.
func readBackup(t testing.TB, at string, point dclone.T, f func(*pro.Conn)) {
	t.Helper()
	files, err := dir.Open(at)
	require.NoError(t, err)
	b, err := store.OpenBackup(context.Background(), files)
	require.NoError(t, err)
	readDatabase(t, b, point, f)
}

func readDatabase(t testing.TB, db store.Database, point dclone.T, f func(*pro.Conn)) {
	t.Helper()
	conn, err := pro.Open(context.Background(), db, point)
	if err != nil {
		db.Close()
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	f(conn)
}
