package backup

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/segment"
	"dclone/store"
)

// realBackups are backups that Datomic made, oldest restore point first.
var realBackups = []struct {
	name    string
	points  []dclone.T
	copied  []int64 // what Datomic's backup-db copied, and skipped, for each, where that is known
	skipped []int64
}{
	{"mbrainz", []dclone.T{83157, 83207}, []int64{670, 122}, []int64{0, 396}},
	{"alltypes", []dclone.T{1493, 5619}, nil, nil},
	{"midindex", []dclone.T{3041}, nil, nil},
	{"small", []dclone.T{3041}, nil, nil},
	{"excised", []dclone.T{1039}, nil, nil},
}

// TestCopy copies real backups, restore point by restore point.
func TestCopy(t *testing.T) {
	for _, c := range realBackups {
		t.Run(c.name, func(t *testing.T) {
			real, copied := realFiles(t, c.name), newMemFiles()
			from, to := store.NewBackup(real), store.NewBackup(copied)
			for i, point := range c.points {
				r, err := Copy(t.Context(), from, to, Options{T: point})
				require.NoError(t, err)
				require.Equal(t, point, r.T)
				require.False(t, r.Unchanged)
				if c.copied != nil {
					require.Equal(t, c.copied[i], r.Copied)
					require.Equal(t, c.skipped[i], r.Skipped)
				}
				r, err = Copy(t.Context(), from, to, Options{T: point})
				require.NoError(t, err)
				require.Zero(t, r.Copied)
				require.Equal(t, int64(2), r.Skipped)
				require.True(t, r.Unchanged)
			}
			requireSame(t, real.files, copied.files)
		})
	}
}

// TestVerifyReal finds nothing bad in real backups.
func TestVerifyReal(t *testing.T) {
	totals := map[dclone.T]int64{83157: 670, 83207: 710} // what Datomic's verify-backup counts
	for _, c := range realBackups {
		t.Run(c.name, func(t *testing.T) {
			b := store.NewBackup(realFiles(t, c.name))
			for _, point := range c.points {
				for _, readAll := range []bool{false, true} {
					r, err := Verify(context.Background(), b, Options{T: point, ReadAll: readAll})
					require.NoError(t, err)
					require.Empty(t, r.Missing)
					require.Empty(t, r.Unreadable)
					if n := totals[point]; n > 0 {
						require.Equal(t, n, r.Total)
					}
				}
			}
		})
	}
}

// TestPoints knows when restore points were.
func TestPoints(t *testing.T) {
	p, err := Points(t.Context(), store.NewBackup(realFiles(t, "mbrainz")))
	require.NoError(t, err)
	require.Len(t, p, 2)
	require.Equal(t, []dclone.T{83207, 83157}, []dclone.T{p[0].T, p[1].T})
	require.Equal(t, "2026-11-21T05:46:36.532Z", p[0].Instant.String())
	require.Equal(t, "2026-11-21T05:46:28.851Z", p[1].Instant.String())

	for _, c := range realBackups {
		p, err := Points(t.Context(), store.NewBackup(realFiles(t, c.name)))
		require.NoError(t, err)
		require.Len(t, p, len(c.points))
		for _, point := range p {
			require.Positive(t, point.Instant)
		}
	}

	m := realFiles(t, "mbrainz")
	m.files["roots/83207"] = []byte("garbage")
	p, err = Points(t.Context(), store.NewBackup(m))
	require.ErrorContains(t, err, "roots/83207")
	require.Len(t, p, 2)
	require.Zero(t, p[0].Instant)
	require.Positive(t, p[1].Instant)
}

// TestClaim copies into no backup of another database.
func TestClaim(t *testing.T) {
	to := newMemFiles()
	_, err := Copy(t.Context(), store.NewBackup(realFiles(t, "excised")), store.NewBackup(to), Options{})
	require.NoError(t, err)
	before := to.clone()
	_, err = Copy(t.Context(), store.NewBackup(realFiles(t, "small")), store.NewBackup(to), Options{})
	var claim *store.ClaimError
	require.ErrorAs(t, err, &claim)
	require.ErrorContains(t, err, ":backup/claim-failed Backup storage already used by "+claim.Owner)
	requireSame(t, before.files, to.files)
}

// TestNewer tells of restore points that the source has not come to, or no longer.
func TestNewer(t *testing.T) {
	real, to := realFiles(t, "alltypes"), newMemFiles()
	for _, c := range []struct {
		point dclone.T
		newer []dclone.T
	}{{5619, nil}, {1493, []dclone.T{5619}}, {0, nil}} {
		r, err := Copy(t.Context(), store.NewBackup(real), store.NewBackup(to), Options{T: c.point})
		require.NoError(t, err)
		require.Equal(t, c.newer, r.Newer)
	}
}

// TestFull mends a backup: what is missing, what is damaged, and what is there without what is below it.
func TestFull(t *testing.T) {
	real := realFiles(t, "alltypes")
	for name, harm := range map[string]func(m *memFiles, key string){
		"missing":   func(m *memFiles, key string) { delete(m.files, key) },
		"truncated": func(m *memFiles, key string) { m.files[key] = m.files[key][:len(m.files[key])/2] },
		"empty":     func(m *memFiles, key string) { m.files[key] = nil },
	} {
		t.Run(name, func(t *testing.T) {
			to, harmed := real.clone(), int64(0)
			for i, key := range slices.Sorted(maps.Keys(reachable(t, real, "roots/5619"))) {
				if i%3 == 0 && idOf(key) != "" {
					harm(to, key)
					harmed++
				}
			}
			to.before = whole(to)
			r, err := Copy(t.Context(), store.NewBackup(real), store.NewBackup(to), Options{Full: true})
			require.NoError(t, err)
			require.Equal(t, harmed, r.Copied)
			require.Equal(t, int64(216), r.Copied+r.Skipped)
			requireSame(t, real.files, to.files)
		})
	}
}

// TestRepacked takes a segment that is there, packed otherwise, for what it is.
func TestRepacked(t *testing.T) {
	real := realFiles(t, "excised")
	to := real.clone()
	for key, data := range to.files {
		if idOf(key) != "" {
			raw, err := segment.Unpack(nil, data, segment.MaxSize)
			require.NoError(t, err)
			to.files[key] = segment.Pack(nil, raw)
		}
	}
	r, err := Copy(t.Context(), store.NewBackup(real), store.NewBackup(to), Options{Full: true})
	require.NoError(t, err)
	require.Zero(t, r.Copied)
	require.True(t, r.Unchanged)
}

// TestPace takes at least the time that the pace asks for.
func TestPace(t *testing.T) {
	begin := time.Now()
	r, err := Copy(t.Context(), store.NewBackup(realFiles(t, "excised")), store.NewBackup(newMemFiles()),
		Options{Pace: 5 * time.Millisecond, Concurrency: 2})
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(begin), time.Duration(r.Copied)*5*time.Millisecond/2)
}

// TestProgress is told of every segment.
func TestProgress(t *testing.T) {
	b := store.NewBackup(realFiles(t, "small"))
	var told []Report
	opt := Options{Progress: func(r Report) { told = append(told, r) }, Concurrency: 4}
	r, err := Copy(t.Context(), b, store.NewBackup(newMemFiles()), opt)
	require.NoError(t, err)
	require.Len(t, told, 150)
	require.Equal(t, r, told[149])
	told = nil
	_, err = Verify(t.Context(), b, opt)
	require.NoError(t, err)
	require.Len(t, told, 150)
}

// TestHistory keeps a restore point that was reached by other transactions, and mends one that is damaged.
func TestHistory(t *testing.T) {
	real := realFiles(t, "alltypes")
	from := store.NewBackup(real)
	root, err := from.Root(t.Context(), 5619)
	require.NoError(t, err)
	p, err := lastTx(root.Tail, true)
	require.NoError(t, err)
	at := bytes.Index(root.Tail, p.ID[:])
	require.Positive(t, at)
	root.Tail[at] ^= 1
	to := real.clone()
	require.NoError(t, store.NewBackup(to).PutRoot(t.Context(), root))
	before := to.clone()
	_, err = Copy(t.Context(), from, store.NewBackup(to), Options{Full: true})
	var history *HistoryError
	require.ErrorAs(t, err, &history)
	require.Equal(t, dclone.T(5619), history.T)
	requireSame(t, before.files, to.files)
	to.files["roots/5619"] = []byte("garbage")
	_, err = Copy(t.Context(), from, store.NewBackup(to), Options{})
	var damage *segment.DamageError
	require.ErrorAs(t, err, &damage)
	require.Equal(t, "garbage", string(to.files["roots/5619"]))
	_, err = Copy(t.Context(), from, store.NewBackup(to), Options{Full: true})
	require.NoError(t, err)
	requireSame(t, real.files, to.files)
}
