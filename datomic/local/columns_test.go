package local

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
)

// naiveColumns groups by attribute and sorts by E, keeping the order of the log.
func naiveColumns(t testing.TB, l *Log) (map[dclone.EntityID][]Record, []dclone.Datom, int64) {
	columns := map[dclone.EntityID][]Record{}
	var datoms []dclone.Datom
	maxEidx := int64(0)
	s := l.Scan(0, l.End())
	for s.Frame() {
		for s.Datom() {
			d := s.D
			d.V = slices.Clone(d.V)
			datoms = append(datoms, d)
			maxEidx = max(maxEidx, d.E.Eidx())
			n := s.Len
			if n > maxShort {
				n = 0
			}
			columns[d.A] = append(columns[d.A], Record{d.E, Pointer(s.Offset<<16 | int64(n))})
		}
	}
	require.NoError(t, s.Err())
	for _, r := range columns {
		slices.SortStableFunc(r, func(x, y Record) int { return int(x.E - y.E) })
	}
	return columns, datoms, maxEidx
}

func schemaDatom(d dclone.Datom) bool { return d.E.Partition() == dclone.PartDB || d.A < FirstEidx }

// manyOptions are budgets and numbers of goroutines, none of which may change a result.
func manyOptions(t testing.TB) []ColumnOptions {
	var all []ColumnOptions
	for _, jobs := range []int{1, 3} {
		for _, memory := range []int64{1, 100_000, 2_000_000, 1 << 30} {
			all = append(all, ColumnOptions{Jobs: jobs, MaxMemory: memory, TempDir: t.TempDir(), Keep: schemaDatom})
		}
	}
	return all
}

func collect(t testing.TB, c *Columns, a dclone.EntityID) (all []Record) {
	for r, err := range c.Records(context.Background(), a) {
		require.NoError(t, err)
		all = append(all, r...)
	}
	return all
}

func TestColumns(t *testing.T) {
	l, _ := genLog(t, 1, 20_000).open()
	want, datoms, maxEidx := naiveColumns(t, l)
	for _, opt := range manyOptions(t) {
		t.Run(fmt.Sprintf("%d jobs, %d bytes", opt.Jobs, opt.MaxMemory), func(t *testing.T) {
			c, err := l.Columns(context.Background(), opt)
			require.NoError(t, err)
			require.EqualValues(t, len(datoms), c.Datoms())
			require.Equal(t, maxEidx, c.MaxEidx())
			var kept []dclone.Datom
			for _, d := range datoms {
				if schemaDatom(d) {
					kept = append(kept, d)
				}
			}
			require.Equal(t, kept, c.Kept())
			require.Len(t, c.Attributes(), len(want))
			require.True(t, slices.IsSortedFunc(c.Attributes(), func(x, y AttributeCount) int { return int(x.A - y.A) }))
			var wg sync.WaitGroup
			for _, count := range c.Attributes() {
				wg.Go(func() {
					for range 2 { // it may be read again
						require.Equal(t, want[count.A], collect(t, c, count.A))
					}
					require.EqualValues(t, len(want[count.A]), count.Count)
				})
			}
			wg.Wait()
			require.Empty(t, collect(t, c, 9999))
			require.NoError(t, c.Close())
			left, err := os.ReadDir(opt.TempDir)
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

func TestColumnsStopEarly(t *testing.T) {
	l, _ := genLog(t, 2, 5_000).open()
	c, err := l.Columns(context.Background(), ColumnOptions{MaxMemory: 1, TempDir: t.TempDir()})
	require.NoError(t, err)
	defer c.Close()
	for range c.Records(context.Background(), 50) {
		break
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range c.Records(ctx, 50) {
		require.ErrorIs(t, err, context.Canceled)
	}
	_, err = l.Columns(ctx, ColumnOptions{})
	require.ErrorIs(t, err, context.Canceled)
}

// Many attributes, some of them with ids that no array should be made for.
func TestColumnsManyAttributes(t *testing.T) {
	b := newLogBuilder(t)
	for i := range 3000 {
		for j := range 3 {
			b.add(dclone.MakeEntityID(17, int64(1000-j)), dclone.EntityID(100+i*i*i%70_000), int64(i), true)
		}
		if i%100 == 0 {
			b.add(1, dclone.EntityID(1<<60+i), int64(i), true)
			b.commit()
		}
	}
	b.commit()
	l, _ := b.open()
	want, _, _ := naiveColumns(t, l)
	for _, memory := range []int64{1, 1 << 20} {
		c, err := l.Columns(context.Background(), ColumnOptions{Jobs: 3, MaxMemory: memory, TempDir: t.TempDir()})
		require.NoError(t, err)
		require.Len(t, c.Attributes(), len(want))
		for a := range want {
			require.Equal(t, want[a], collect(t, c, a))
		}
		require.NoError(t, c.Close())
	}
}

// A log.idx that leads astray is done without; a log that is damaged is not read.
func TestColumnsWrongIndex(t *testing.T) {
	b := genLog(t, 3, 40_000)
	dir := t.TempDir()
	b.write(dir)
	for k := len(b.idx) / 2 / entrySize; k < len(b.idx)/entrySize-3; k++ {
		at := b.idx[k*entrySize:]
		binary.BigEndian.PutUint64(at, binary.BigEndian.Uint64(at)+5)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, idxName), b.idx, 0o666))
	l, err := OpenLog(dir)
	require.NoError(t, err)
	defer l.Close()
	require.True(t, l.Trusts())
	want, _, _ := naiveColumns(t, l)
	c, err := l.Columns(context.Background(), ColumnOptions{Keep: schemaDatom})
	require.NoError(t, err)
	defer c.Close()
	require.False(t, l.Trusts())
	for a := range want {
		require.Equal(t, want[a], collect(t, c, a))
	}
}

func TestColumnsDamage(t *testing.T) {
	for name, value := range map[string]dclone.Value{
		"cut":     {0xE3, 0x50, 0x20, 'x'},
		"trailer": {0x01, 0x02},
		"unknown": {0xCE},
	} {
		b := genLog(t, 4, 1000)
		b.add(b.entity(), 62, value, true)
		b.commit()
		b.commit()
		l, _ := b.open()
		_, err := l.Columns(context.Background(), ColumnOptions{})
		var damage *DamageError
		require.ErrorAs(t, err, &damage, name)
		require.Greater(t, damage.Offset, int64(len(Bootstrap())))
	}
}

// The log is read only up to its End, and what was cut off since is an error, not a fault.
func TestColumnsShortened(t *testing.T) {
	l, dir := genLog(t, 5, 20_000).open()
	c, err := l.Columns(context.Background(), ColumnOptions{})
	require.NoError(t, err)
	defer c.Close()
	records := collect(t, c, 50)
	require.NoError(t, os.Truncate(filepath.Join(dir, logName), l.End()/2))
	_, err = l.Reader().Datom(records[len(records)-1].P)
	require.Error(t, err)
	_, err = l.Columns(context.Background(), ColumnOptions{})
	require.Error(t, err)
}
