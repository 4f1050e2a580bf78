package pro_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/source"
	"dclone/source/pro"
	"dclone/store"
)

// later is a storage at one restore point of alltypes. After so many reads it is at another, and has
// only the segments that one needs.
func later(t testing.TB, reads int, from, to dclone.T) *memory {
	m := realBackup(t, "alltypes")
	for _, at := range []dclone.T{from, to} {
		r := m.roots[at]
		r.T = store.Newest
		m.roots[at] = r
	}
	m.roots[store.Newest] = m.roots[to]
	keep := used(t, m)
	m.roots[store.Newest] = m.roots[from]
	m.read = 0
	m.before = func(string) {
		if m.read != reads {
			return
		}
		m.roots[store.Newest] = m.roots[to]
		kept := map[string][]byte{}
		for _, id := range keep {
			kept[id] = m.segments[id]
		}
		m.segments = kept
	}
	return m
}

// readAt reads the transactions, and what holds, of a Conn that is open.
func readAt(c *pro.Conn, basis dclone.T) (digest []uint64, err error) {
	dropped := map[dclone.EntityID]bool{}
	for tx, err := range c.Txs(ctx, 0) {
		if err != nil {
			return nil, err
		}
		maps.Copy(dropped, droppers([]dclone.Tx{*tx}))
		for _, d := range tx.Datoms {
			digest = append(digest, sum(d))
		}
	}
	s, err := c.Snapshot(ctx, basis, source.Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for a := range dclone.EntityID(130) {
		for _, read := range []reader{s.Current, s.History} {
			if dropped[a] {
				read = s.Current
			}
			datoms, err := collect(read, a)
			if err != nil {
				return nil, err
			}
			for _, d := range news(datoms) {
				digest = append(digest, sum(d))
			}
		}
	}
	return digest, nil
}

// Segments that vanish while they are being read, because the storage has newer ones, make no
// difference.
func TestVanishing(t *testing.T) {
	base := later(t, -1, 1493, 5619)
	c := open(t, base, store.Newest)
	want, err := readAt(c, 1493)
	require.NoError(t, err)
	total := base.read
	for reads := 0; reads <= total; reads += 1 + total/40 {
		m := later(t, reads, 1493, 5619)
		c, err := pro.Open(ctx, m, store.Newest)
		require.NoError(t, err, "after %d reads", reads)
		if c.Basis() != 1493 {
			continue // it was so early that it is the new one that is read
		}
		got, err := readAt(c, 1493)
		require.NoError(t, err, "after %d reads", reads)
		require.Equal(t, want, got, "after %d reads", reads)
	}
}

// Where the storage went back to an older t, the reader does not go on.
func TestWentBack(t *testing.T) {
	base := later(t, -1, 5619, 1493)
	_, err := readAt(open(t, base, store.Newest), 5619)
	require.NoError(t, err)
	failed := 0
	for reads := 10; reads <= base.read; reads += 1 + base.read/30 {
		c, err := pro.Open(ctx, later(t, reads, 5619, 1493), store.Newest)
		if err == nil && c.Basis() == 5619 {
			if _, err = readAt(c, 5619); err != nil {
				failed++
				require.ErrorContains(t, err, "history", "after %d reads", reads)
			}
		}
	}
	require.Greater(t, failed, 5)
}

// A following is a storage that tells whether it has changed.
type following struct {
	*memory
	changed bool
	asked   int
}

func (f *following) Changed(context.Context) (bool, error) { f.asked++; return f.changed, nil }

func TestRefresh(t *testing.T) {
	f := &following{memory: later(t, -1, 1493, 5619)}
	c := open(t, f, store.Newest)
	f.read = 0
	f.memory.roots[store.Newest] = f.memory.roots[5619]
	changed, err := c.Refresh(ctx)
	require.NoError(t, err)
	require.False(t, changed)
	require.Zero(t, f.read)
	f.changed = true
	changed, err = c.Refresh(ctx)
	require.NoError(t, err)
	require.True(t, changed)
	require.EqualValues(t, 5619, c.Basis())
	require.LessOrEqual(t, f.read, 2)
	changed, err = c.Refresh(ctx)
	require.NoError(t, err)
	require.False(t, changed, "nothing new")
	n := 0
	for tx, err := range c.Txs(ctx, 1494) {
		require.NoError(t, err)
		require.Greater(t, tx.T, dclone.T(1493))
		n++
	}
	require.Equal(t, 45, n)

	f.read = 0
	for tx, err := range c.Txs(ctx, 5600) { // all in the tail
		require.NoError(t, err)
		require.GreaterOrEqual(t, tx.T, dclone.T(5600))
	}
	_, err = c.Excised(ctx, 5600)
	require.NoError(t, err)
	require.Zero(t, f.read, "segments read for what the tail has")

	c = open(t, f, 1493) // a storage has no restore points: it stays where it is
	changed, err = c.Refresh(ctx)
	require.NoError(t, err)
	require.False(t, changed)

	c = open(t, f, store.Newest)
	f.changed = false
	f.memory.roots[store.Newest] = f.memory.roots[1493]
	changed, err = c.Refresh(ctx)
	require.NoError(t, err)
	require.False(t, changed, "the store says so")
	f.changed = true
	changed, err = c.Refresh(ctx)
	require.NoError(t, err)
	require.True(t, changed)
	require.EqualValues(t, 1493, c.Basis(), "an older t was restored")

	other := f.memory.roots[5619]
	other.DatabaseID = "other"
	f.memory.roots[store.Newest] = other
	_, err = c.Refresh(ctx)
	require.ErrorContains(t, err, "other")

	still := open(t, realBackup(t, "alltypes"), 1493)
	changed, err = still.Refresh(ctx)
	require.NoError(t, err)
	require.False(t, changed)
}

// News that a reader met when it took up newer roots is there for the next Refresh, though the
// store has nothing newer to tell.
func TestRefreshAfterVanishing(t *testing.T) {
	m := later(t, 40, 1493, 5619)
	f := &following{memory: m}
	c := open(t, f, store.Newest)
	require.EqualValues(t, 1493, c.Basis())
	_, err := readAt(c, 1493)
	require.NoError(t, err)
	require.EqualValues(t, 1493, c.Basis())
	changed, err := c.Refresh(ctx)
	require.NoError(t, err)
	require.True(t, changed)
	require.EqualValues(t, 5619, c.Basis())
}

// Reading can be left at any place, by break, by the context, or because the store fails; no
// goroutine is left.
func TestLeave(t *testing.T) {
	m := realBackup(t, "small")
	before := runtime.NumGoroutine()
	c := open(t, m, store.Newest)
	for n := range 30 {
		for range c.Txs(ctx, 0) {
			if n--; n < 0 {
				break
			}
		}
		canceled, cancel := context.WithCancel(ctx)
		left, last := n, error(nil)
		for _, err := range c.Txs(canceled, 0) {
			if left--; left < 0 {
				cancel()
			}
			last = err
		}
		cancel()
		require.ErrorIs(t, last, context.Canceled)
	}
	s, err := c.Snapshot(ctx, c.Basis(), source.Options{})
	require.NoError(t, err)
	defer s.Close()
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	for _, a := range s.Attributes() {
		for _, read := range []reader{s.Current, s.History, s.Holders} {
			for range read(ctx, a.A) {
				break
			}
			for _, err := range read(canceled, a.A) {
				require.ErrorIs(t, err, context.Canceled)
			}
		}
	}
	_, err = c.Snapshot(canceled, c.Basis(), source.Options{})
	require.ErrorIs(t, err, context.Canceled)
	_, err = pro.Open(canceled, m, store.Newest)
	require.ErrorIs(t, err, context.Canceled)
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "%d goroutines, %d before", runtime.NumGoroutine(), before)
	}
}

var errDisk = errors.New("the disk is gone")

// failing fails from its so many-th read on.
type failing struct {
	*memory
	left int
}

func (f *failing) Segment(ctx context.Context, id string) ([]byte, error) {
	f.mu.Lock()
	f.left--
	gone := f.left < 0
	f.mu.Unlock()
	if gone {
		return nil, errDisk
	}
	return f.memory.Segment(ctx, id)
}

// A store that fails ends what reads it with its error.
func TestFailingStore(t *testing.T) {
	m := realBackup(t, "midindex")
	for left := 0; ; left += 1 + left/8 {
		_, err := readAll(&failing{memory: m, left: left}, store.Newest)
		if err == nil {
			require.Greater(t, left, 50)
			return
		}
		require.ErrorIs(t, err, errDisk, fmt.Sprint(left))
	}
}
