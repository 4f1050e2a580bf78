package backup

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/datomic/segment"
	"dclone/store"
)

var errDisk = errors.New("input/output error")

// troubled are files of which some cannot be read, though they are there.
type troubled struct {
	*memFiles
	unreadable func(key string) bool
}

func (f *troubled) Get(ctx context.Context, key string) ([]byte, error) {
	if f.unreadable(key) {
		return nil, errDisk
	}
	return f.memFiles.Get(ctx, key)
}

// TestTroubles tells a disk that is bad in places from a store that is not there any more.
func TestTroubles(t *testing.T) {
	real := realFiles(t, "alltypes")
	nodes := samples(t, real, 5619)
	var bad []string
	for _, at := range []place{treeLeaf, searchChunk, logLeaf} {
		bad = append(bad, nodes[at].id)
	}
	slices.Sort(bad)
	few := &troubled{real, func(key string) bool { return slices.Contains(bad, idOf(key)) }}
	r, err := Verify(t.Context(), store.NewBackup(few), Options{ReadAll: true})
	require.NoError(t, err)
	require.Empty(t, r.Missing)
	require.Equal(t, bad, idsOf(r.Unreadable))
	for _, b := range r.Unreadable {
		require.Contains(t, b.Why, errDisk.Error())
	}

	var reads atomic.Int64
	gone := &troubled{real, func(string) bool { return reads.Add(1) > 100 }}
	r, err = Verify(t.Context(), store.NewBackup(gone), Options{ReadAll: true})
	require.ErrorIs(t, err, errDisk)
	require.NoError(t, wrong(r))

	_, err = Copy(t.Context(), store.NewBackup(few), store.NewBackup(newMemFiles()), Options{})
	require.ErrorIs(t, err, errDisk)
}

// TestCancel ends soon when it is told to, and says so.
func TestCancel(t *testing.T) {
	b := store.NewBackup(realFiles(t, "mbrainz"))
	for _, readAll := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		opt := Options{ReadAll: readAll, Progress: func(r Report) {
			if r.Total == 20 {
				cancel()
			}
		}}
		r, err := Verify(ctx, b, opt)
		require.ErrorIs(t, err, context.Canceled)
		require.Less(t, r.Total, int64(60))
		require.NoError(t, wrong(r))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStop)
	_, err := Copy(ctx, b, store.NewBackup(newMemFiles()), Options{})
	require.Error(t, err)
	_, err = Verify(ctx, b, Options{})
	require.Error(t, err)
}

// TestRandomDamage flips bits anywhere. What Verify does not find is in the head of the gzip, and harms nothing.
func TestRandomDamage(t *testing.T) {
	real := realFiles(t, "excised")
	keys := slices.DeleteFunc(slices.Sorted(maps.Keys(real.files)), func(key string) bool { return idOf(key) == "" })
	found := 0
	for seed := range uint64(400) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		m, harmed := real.clone(), map[string]bool{}
		for range 1 + rnd.IntN(3) {
			key := keys[rnd.IntN(len(keys))]
			b := bytes.Clone(m.files[key])
			b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
			m.files[key] = b
			was, err := segment.Unpack(nil, real.files[key], segment.MaxSize)
			require.NoError(t, err)
			is, err := segment.Unpack(nil, b, segment.MaxSize)
			harmed[idOf(key)] = err != nil || !bytes.Equal(was, is)
		}
		r, err := Verify(t.Context(), store.NewBackup(m), Options{ReadAll: true})
		require.NoError(t, err)
		require.Empty(t, r.Missing)
		for _, id := range idsOf(r.Unreadable) {
			require.True(t, harmed[id], "seed %d: %s is not harmed", seed, id)
			found++
		}
		if len(r.Unreadable) == 0 {
			for id, is := range harmed {
				require.False(t, is, "seed %d: %s is harmed", seed, id)
			}
		}
	}
	require.Greater(t, found, 300)
}

// TestLitter lets files be that are none of a backup's.
func TestLitter(t *testing.T) {
	m := realFiles(t, "excised")
	for _, key := range []string{"roots/.DS_Store", "roots/1039~", "values/.DS_Store", "roots/1039 (copy)", "roots/01039"} {
		m.files[key] = []byte(strings.Repeat("x", 100))
	}
	r, err := Verify(t.Context(), store.NewBackup(m), Options{ReadAll: true})
	require.NoError(t, err)
	require.NoError(t, wrong(r))
	p, err := Points(t.Context(), store.NewBackup(m))
	require.NoError(t, err)
	require.Len(t, p, 1)
}
