package backup

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/segment"
	"dclone/fressian"
	"dclone/store"
)

// vast are the files of a backup with a log of any length: dirs of a thousand leaves each, made
// when they are read. Its indexes are those of a small one.
type vast struct {
	*memFiles
	dirs int
}

const (
	vastID   = "fa570000-0000-4000-8000-%06x%06x" // number of the dir, and of the leaf
	vastRoot = 0xffffff
)

func newVast(t *testing.T, dirs int) *vast {
	v := &vast{realFiles(t, "excised"), dirs}
	r, err := segment.ParseBackupRoot(v.files["roots/1039"])
	require.NoError(t, err)
	r.Log, r.Tail = fmt.Sprintf(vastID, vastRoot, vastRoot), []byte{0xEE}
	v.files["roots/1039"] = segment.AppendBackupRoot(nil, r)
	return v
}

func (v *vast) Has(ctx context.Context, key string) (bool, error) {
	if strings.Contains(key, vastID[:8]) {
		return true, ctx.Err()
	}
	return v.memFiles.Has(ctx, key)
}

func (v *vast) Get(ctx context.Context, key string) ([]byte, error) {
	var dir, leaf int
	if n, _ := fmt.Sscanf(idOf(key), vastID, &dir, &leaf); n < 2 {
		return v.memFiles.Get(ctx, key)
	}
	e := fressian.NewEncoder(nil)
	if leaf != vastRoot {
		err := appendTx(e, dir*1000+leaf)
		return e.Bytes(), err
	}
	var entries []any
	if dir == vastRoot {
		for i := range v.dirs {
			entries = append(entries, vastEntry(i, vastRoot, i*1000))
		}
	} else {
		for i := range 1000 {
			entries = append(entries, vastEntry(dir, i, dir*1000+i))
		}
	}
	err := e.Encode(entries)
	e.Footer()
	return e.Bytes(), err
}

func vastEntry(dir, leaf, t int) any {
	id := uuid.MustParse(fmt.Sprintf(vastID, dir, leaf))
	return fressian.Tagged{Tag: "log-dir", Fields: []any{int64(t), id}}
}

func appendTx(e *fressian.Encoder, t int) error {
	return e.Encode([]any{fressian.Map{
		{Key: dclone.Kw("", "id"), Value: uuid.UUID{1}},
		{Key: dclone.Kw("", "t"), Value: int64(t)},
		{Key: dclone.Kw("", "data"), Value: []any{}},
	}})
}

// A sieve keeps no segments.
type sieve struct{ *memFiles }

func (s sieve) Put(ctx context.Context, key string, data []byte) error {
	if idOf(key) != "" {
		return ctx.Err()
	}
	return s.memFiles.Put(ctx, key, data)
}

// TestFlat copies and verifies backups of which one is ten times as large as the other. A copy takes no more
// memory for it; Verify some bytes for each segment.
func TestFlat(t *testing.T) {
	const small, large = 10, 100
	for name, c := range map[string]struct {
		more uint64 // bytes
		do   func(b *store.Backup, opt Options) (Report, error)
	}{
		"copy": {3 << 20, func(b *store.Backup, opt Options) (Report, error) {
			return Copy(t.Context(), b, store.NewBackup(sieve{newMemFiles()}), opt)
		}},
		"verify": {60 * 90_000, func(b *store.Backup, opt Options) (Report, error) { return Verify(t.Context(), b, opt) }},
		"read all": {60 * 90_000, func(b *store.Backup, opt Options) (Report, error) {
			opt.ReadAll = true
			return Verify(t.Context(), b, opt)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			peak := func(dirs int) uint64 {
				var peak uint64
				r, err := c.do(store.NewBackup(newVast(t, dirs)), Options{Concurrency: 4, Progress: sample(&peak)})
				require.NoError(t, err)
				require.Greater(t, r.Copied+r.Total, int64(dirs*1000))
				require.NoError(t, wrong(r))
				return peak
			}
			few, many := peak(small), peak(large)
			t.Logf("%d kB for %d dirs, %d kB for %d", few>>10, small, many>>10, large)
			require.Less(t, many, few+c.more)
		})
	}
}

// sample looks now and then how much memory is in use.
func sample(peak *uint64) func(Report) {
	calls := 0
	return func(Report) {
		if calls++; calls%2500 > 0 {
			return
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		*peak = max(*peak, m.HeapAlloc)
	}
}
