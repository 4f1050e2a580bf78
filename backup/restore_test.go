package backup

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/realdata"
	"dclone/store"
	"dclone/store/kvs"
	"dclone/store/pgtest"
)

func storage(t *testing.T) (s *kvs.Storage, dsn string) {
	url, dsn := pgtest.Start(t).Database(t)
	s, err := kvs.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s, dsn
}

// soon is for storages that no transactor works on.
var soon = Options{AliveWait: time.Millisecond}

func (o Options) at(t dclone.T) Options { o.T = t; return o }

// requireBack requires that a database of a storage, copied into a new backup, is what a restore point
// of another is.
func requireBack(t *testing.T, s *kvs.Storage, name string, real *memFiles, point dclone.T) {
	t.Helper()
	d, err := s.Database(t.Context(), name)
	require.NoError(t, err)
	back := newMemFiles()
	r, err := Copy(t.Context(), d, store.NewBackup(back), Options{})
	require.NoError(t, err)
	require.Equal(t, point, r.T)
	want := reachable(t, real, rootFile(point))
	require.Len(t, back.files, len(want)+1)
	for key := range want {
		require.Equal(t, real.files[key], back.files[key], key)
	}
}

// TestRestore restores real backups into a real PostgreSQL, and copies them back.
func TestRestore(t *testing.T) {
	s, _ := storage(t)
	for _, c := range realBackups {
		real := realFiles(t, c.name)
		points := c.points
		if c.name == "alltypes" {
			points = append(points, points[0]) // and back
		}
		for _, point := range points {
			r, err := Restore(t.Context(), store.NewBackup(real), s, c.name, soon.at(point))
			require.NoError(t, err)
			require.Equal(t, point, r.T)
			require.Equal(t, int64(len(reachable(t, real, rootFile(point)))-1), r.Copied+r.Skipped)
			requireBack(t, s, c.name, real, point)
		}
	}
	listed, err := s.Databases(t.Context())
	require.NoError(t, err)
	require.Len(t, listed, len(realBackups))
}

// TestRestoreRules refuses what Datomic refuses, in its words.
func TestRestoreRules(t *testing.T) {
	s, dsn := storage(t)
	small, excised := store.NewBackup(realFiles(t, "small")), store.NewBackup(realFiles(t, "excised"))
	_, err := Restore(t.Context(), small, s, "a", soon)
	require.NoError(t, err)
	before := rows(t, dsn)
	for _, c := range []struct {
		from  *store.Backup
		name  string
		point dclone.T
		words string
	}{
		{excised, "a", 0, ":restore/collision The name 'a' is already in use by a different database"},
		{small, "b", 0, ":restore/collision The database already exists under the name 'a'"},
		{small, "a", 42, ":restore/roots-missing No database root for t 42"},
		{store.NewBackup(newMemFiles()), "c", 0, ":restore/no-roots No restore points available at mem:"},
	} {
		_, err := Restore(t.Context(), c.from, s, c.name, soon.at(c.point))
		require.ErrorContains(t, err, c.words)
		require.Equal(t, before, rows(t, dsn))
	}
	r, err := Restore(t.Context(), small, s, "a", soon)
	require.NoError(t, err)
	require.Zero(t, r.Copied)
	_, err = Restore(t.Context(), excised, s, "b", soon)
	require.NoError(t, err)
}

// rows are the ids that a storage has.
func rows(t *testing.T, dsn string) [][]string {
	return pgtest.Exec(t, dsn, "select id, rev, map from datomic_kvs order by id")
}

// TestRestoreStops stops restores at many instants. Nothing is seen of the database before the end, and what
// was copied is not copied again.
func TestRestoreStops(t *testing.T) {
	real := realFiles(t, "alltypes")
	s, _ := storage(t)
	stops := 0
	for n := int64(5); ; n += 20 {
		from := &failing{memFiles: real.clone()}
		from.left.Store(n)
		r, err := Restore(t.Context(), store.NewBackup(from), s, "x", soon)
		if err == nil {
			require.Less(t, r.Copied, int64(216)) // the others are there from the runs before
			require.Equal(t, int64(216), r.Copied+r.Skipped)
			break
		}
		stops++
		require.ErrorIs(t, err, errStop)
		_, err = s.Database(t.Context(), "x")
		require.ErrorIs(t, err, store.ErrNoDatabase)
	}
	require.Greater(t, stops, 5)
	requireBack(t, s, "x", real, 5619)
}

// TestRestoreKills kills the process that restores, again and again, until one comes to the end.
func TestRestoreKills(t *testing.T) {
	real := realFiles(t, "alltypes")
	from := onDisk(t, real)
	url, _ := pgtest.Start(t).Database(t)
	s, err := kvs.Connect(t.Context(), url)
	require.NoError(t, err)
	defer s.Close()
	killed := 0
	for patience := 5 * time.Millisecond; !killChild(t, "restore", from, url, patience); patience += 5 * time.Millisecond {
		killed++
		_, err := s.Database(t.Context(), "x")
		if err == nil {
			break // it had just published
		}
		require.ErrorIs(t, err, store.ErrNoDatabase)
	}
	require.Positive(t, killed)
	requireBack(t, s, "x", real, 5619)
}

// failing are files that cannot be read after some reads.
type failing struct {
	*memFiles
	left atomic.Int64
}

func (f *failing) Get(ctx context.Context, key string) ([]byte, error) {
	if f.left.Add(-1) < 0 {
		return nil, errStop
	}
	return f.memFiles.Get(ctx, key)
}

// TestRestoreMends restores over a storage in which a node is there and what is below it is not.
func TestRestoreMends(t *testing.T) {
	real := realFiles(t, "alltypes")
	s, dsn := storage(t)
	_, err := Restore(t.Context(), store.NewBackup(real), s, "x", soon)
	require.NoError(t, err)
	lost := samples(t, real, 5619)
	for _, at := range []place{treeLeaf, searchChunk, logLeaf, treeDir} {
		pgtest.Exec(t, dsn, fmt.Sprintf("delete from datomic_kvs where id = '%s'", lost[at].id))
	}
	r, err := Restore(t.Context(), store.NewBackup(real), s, "x", soon)
	require.NoError(t, err)
	require.Equal(t, int64(4), r.Copied)
	requireBack(t, s, "x", real, 5619)
}

// TestRestoreDamaged restores nothing of a backup that is damaged anywhere.
func TestRestoreDamaged(t *testing.T) {
	real := realFiles(t, "alltypes")
	for at, n := range samples(t, real, 1493) {
		s, _ := storage(t)
		m := real.clone()
		damages[2].do(m.files, keyTo(n.id), nil)
		_, err := Restore(t.Context(), store.NewBackup(m), s, "x", soon.at(1493))
		require.ErrorContains(t, err, n.id, at)
		_, err = s.Database(t.Context(), "x")
		require.ErrorIs(t, err, store.ErrNoDatabase)
	}
}

// TestAlive restores nothing where a transactor is at work.
func TestAlive(t *testing.T) {
	s, dsn := storage(t)
	from := store.NewBackup(realFiles(t, "excised"))
	pgtest.Exec(t, dsn, "insert into datomic_kvs (id, rev, map) values ('pod-coord', 7, '{}')")
	ctx, stop := context.WithCancel(t.Context())
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		for ctx.Err() == nil {
			pgtest.Exec(t, dsn, "update datomic_kvs set rev = rev + 1 where id = 'pod-coord'")
			time.Sleep(20 * time.Millisecond)
		}
	}()
	_, err := Restore(t.Context(), from, s, "x", Options{AliveWait: 2 * time.Second})
	require.ErrorIs(t, err, ErrAlive)
	_, err = s.Database(t.Context(), "x")
	require.ErrorIs(t, err, store.ErrNoDatabase)
	_, err = Restore(t.Context(), from, s, "x", Options{Force: true})
	require.NoError(t, err)
	stop()
	<-beating
	_, err = Restore(t.Context(), from, s, "x", Options{AliveWait: 700 * time.Millisecond})
	require.NoError(t, err)
}

// TestCopyStorage copies every database of a storage that real peers wrote, transaction by transaction.
func TestCopyStorage(t *testing.T) {
	url, _ := pgtest.Start(t).Load(t, realdata.File(t, "pro", "datomic_kvs-live.sql.gz"))
	s, err := kvs.Connect(t.Context(), url)
	require.NoError(t, err)
	defer s.Close()
	listed, err := s.Databases(t.Context())
	require.NoError(t, err)
	copied := 0
	for _, l := range listed {
		if l.Deleted {
			continue
		}
		d, err := s.Database(t.Context(), l.Name)
		require.NoError(t, err)
		to := newMemFiles()
		r, err := Copy(t.Context(), d, store.NewBackup(to), Options{})
		require.NoError(t, err)
		requireWhole(t, to)
		v, err := Verify(t.Context(), store.NewBackup(to), Options{ReadAll: true})
		require.NoError(t, err)
		require.Empty(t, v.Missing)
		require.Empty(t, v.Unreadable)
		require.Equal(t, r.Copied, v.Total)
		again, err := Copy(t.Context(), d, store.NewBackup(to), Options{})
		require.NoError(t, err)
		require.True(t, again.Unchanged)
		require.Zero(t, again.Copied)
		if name, _, _ := strings.Cut(l.Name, "-"); name == "mbrainz" || name == "alltypes5" {
			requireBack(t, s, l.Name, realFiles(t, strings.TrimSuffix(name, "5")), r.T)
		}
		copied++
	}
	require.Greater(t, copied, 5)
}
