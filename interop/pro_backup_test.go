package interop_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/backup"
	"dclone/interop"
	"dclone/store"
	"dclone/store/dir"
	"dclone/store/kvs"
	"dclone/store/pgtest"
)

// proHistory makes a database of which all is something: index with tail, small and ordinary nodes, full text.
const proHistory = `(features/run-wave! c 1) (profeatures/run-wave! c 1) (features/run-wave! c 2)
	(pro/with-sizes ` + smallTrees + ` #(pro/index! uri)) (profeatures/run-wave! c 2) (features/run-wave! c 3)`

// at returns the database of the same id in another PostgreSQL, where there is none yet.
func (p proSource) at(t testing.TB) proSource {
	t.Helper()
	p.jdbc, _ = pgtest.Start(t).Database(t)
	t.Cleanup(func() { p.jvm.TryEval(`(pro/release ` + interop.Str(p.uri()) + `)`) })
	return p
}

// goOn makes sure that a restored database is one to work with: it takes transactions and index jobs.
func (p proSource) goOn(t testing.TB, what string) {
	t.Helper()
	p.eval(t, `(features/run-wave! c 4) (pro/index! uri) (features/run-wave! c 5)`)
	want := p.dump(t)
	p.read(t, saysAs(t, want, what))
	require.Equal(t, "true", p.eval(t, `(contains? (set (map first (d/q '[:find ?i :where [(fulltext $ :q/text "replaced") [[?e]]] [?e :q/id ?i]] (d/db c)))) "t1")`), what)
}

// ours opens a backup for package backup, or for a new one.
func ours(t testing.TB, at string) *store.Backup {
	t.Helper()
	files, err := dir.Open(at)
	require.NoError(t, err)
	b := store.NewBackup(files)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// copyOut backs a database up, natively.
func (p proSource) copyOut(t testing.TB, at string) backup.Report {
	t.Helper()
	db, err := kvs.Open(context.Background(), p.jdbc, p.name)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	r, err := backup.Copy(context.Background(), db, ours(t, at), backup.Options{})
	require.NoError(t, err)
	return r
}

// copyIn restores a backup, natively.
func (p proSource) copyIn(t testing.TB, at string, point dclone.T) backup.Report {
	t.Helper()
	ctx := context.Background()
	storage, err := kvs.Connect(ctx, p.jdbc)
	require.NoError(t, err)
	defer func() { require.NoError(t, storage.Close()) }()
	r, err := backup.Restore(ctx, ours(t, at), storage, p.name, backup.Options{T: point, AliveWait: time.Millisecond})
	require.NoError(t, err)
	return r
}

// requireGood has both verify a restore point.
func requireGood(t testing.TB, jvm *interop.JVM, at string, point dclone.T) {
	t.Helper()
	r, err := backup.Verify(context.Background(), ours(t, at), backup.Options{T: point, ReadAll: true})
	require.NoError(t, err)
	require.Empty(t, r.Missing)
	require.Empty(t, r.Unreadable)
	got := jvm.Eval(t, fmt.Sprintf(`((juxt :total-segments (comp count :missing-segments) (comp count :unreadable-segments)) (pro/verify %s %d))`,
		interop.Str("file:"+at), point))
	require.Equal(t, fmt.Sprintf("[%d 0 0]", r.Total), got, "Datomic's own verify")
}

// TestProBackups has dclone and Datomic make backups of one database, each verify and restore the other's, and work with
// what was restored.
func TestProBackups(t *testing.T) {
	jvm := interop.StartPro(t)
	src := newProSource(t, jvm, "backed-up", proHistory)
	first := src.dump(t)
	at := dclone.T(first.Log[len(first.Log)-1].T)
	native, theirs := filepath.Join(t.TempDir(), "native"), src.backup(t, "")
	r := src.copyOut(t, native)
	require.Equal(t, at, r.T)
	require.Equal(t, fmt.Sprint(r.Copied), jvm.Eval(t, `(:copied (pro/backup! `+interop.Str(src.uri())+` `+interop.Str("file:"+filepath.Join(t.TempDir(), "whole"))+`))`),
		"segments copied by dclone and by Datomic")
	requireGood(t, jvm, native, at)
	requireGood(t, jvm, theirs, at)

	// Each goes on in the backup the other began.
	src.eval(t, `(features/run-wave! c 4) (pro/index! uri) (features/run-wave! c 5)`)
	second := src.dump(t)
	later := dclone.T(second.Log[len(second.Log)-1].T)
	src.backup(t, native)
	src.copyOut(t, theirs)
	for _, b := range []string{native, theirs} {
		requireGood(t, jvm, b, at)
		requireGood(t, jvm, b, later)
		require.Equal(t, fmt.Sprintf("(%d %d)", later, at), jvm.Eval(t, `(:ts (pro/backups `+interop.Str("file:"+b)+`))`))
		readBackup(t, b, at, saysAs(t, first, "the older point of "+b))
		readBackup(t, b, store.Newest, saysAs(t, second, "the newest point of "+b))
	}

	t.Run("restored by Datomic", func(t *testing.T) {
		p := src.at(t)
		restore := func(point dclone.T) {
			jvm.Eval(t, fmt.Sprintf(`(pro/restore! %s %s %d)`, interop.Str("file:"+native), interop.Str(p.uri()), point))
		}
		restore(later)
		require.Equal(t, second, p.dump(t))
		jvm.Eval(t, `(pro/release `+interop.Str(p.uri())+`)`)
		restore(at)
		require.Equal(t, first, p.dump(t))
		p.goOn(t, "restored by Datomic")
	})
	t.Run("restored by dclone", func(t *testing.T) {
		p := src.at(t)
		require.Equal(t, later, p.copyIn(t, theirs, later).T)
		require.Equal(t, second, p.dump(t))
		jvm.Eval(t, `(pro/release `+interop.Str(p.uri())+`)`)
		p.copyIn(t, native, at)
		require.Equal(t, first, p.dump(t))
		p.goOn(t, "restored by dclone")
	})
}
