package local

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"dclone"
)

// benchLog makes a log of n/10 entities with ten attributes each, 500 entities a transaction:
// refs, strings of high and of low variety, a uuid, a keyword, numbers.
func benchLog(t testing.TB, n int) *Log {
	r := rand.New(rand.NewPCG(9, 9))
	b := newLogBuilder(t)
	types := []int64{23, 23, 54, 22, 20, 20, 21, 25, 58, 24}
	attributes := make([]dclone.EntityID, len(types))
	for i, vt := range types {
		attributes[i] = b.attribute(fmt.Sprint("attribute", i), vt)
	}
	b.commit()
	first := b.eidx
	for e := range n / len(types) {
		id := b.entity()
		var u uuid.UUID
		for i := range u {
			u[i] = byte(r.Uint32())
		}
		other := func() int64 { return int64(dclone.MakeEntityID(17, first+r.Int64N(int64(e+1)))) }
		for i, v := range []any{
			fmt.Sprintf("user-%07d@example.com", r.IntN(n)), fmt.Sprint("Kind of thing ", r.IntN(30)), u,
			r.Int64N(100000), other(), other(), dclone.Kw("country", fmt.Sprint("c", r.IntN(200))),
			dclone.Instant(1_500_000_000_000 + r.Int64N(1e11)), r.Float64(), r.IntN(2) == 0,
		} {
			b.add(id, attributes[i], v, true)
		}
		if e%500 == 499 {
			b.commit()
		}
	}
	b.commit()
	l, _ := b.open()
	return l
}

func BenchmarkColumns(b *testing.B) {
	for _, n := range []int{1_000_000, 4_000_000} {
		l := benchLog(b, n)
		b.Run(fmt.Sprint(n, "/make"), func(b *testing.B) {
			b.SetBytes(l.End())
			for b.Loop() {
				c, err := l.Columns(context.Background(), ColumnOptions{TempDir: b.TempDir(), Keep: schemaDatom})
				require.NoError(b, err)
				c.Close()
			}
		})
		c, err := l.Columns(context.Background(), ColumnOptions{TempDir: b.TempDir()})
		require.NoError(b, err)
		b.Run(fmt.Sprint(n, "/sort"), func(b *testing.B) {
			for b.Loop() {
				eachColumn(b, c, func(int, []Record) {})
			}
		})
		b.Run(fmt.Sprint(n, "/values"), func(b *testing.B) {
			for b.Loop() {
				readers := []*DatomReader{l.Reader(), l.Reader()}
				eachColumn(b, c, func(worker int, records []Record) {
					for _, r := range records {
						if _, err := readers[worker].Datom(r.P); err != nil {
							b.Error(err)
						}
					}
				})
			}
		})
		c.Close()
	}
}

func eachColumn(b *testing.B, c *Columns, f func(worker int, r []Record)) {
	next := make(chan dclone.EntityID)
	var wg sync.WaitGroup
	for worker := range 2 {
		wg.Go(func() {
			for a := range next {
				for r, err := range c.Records(context.Background(), a) {
					if err != nil {
						b.Error(err)
					}
					f(worker, r)
				}
			}
		})
	}
	for _, a := range c.Attributes() {
		next <- a.A
	}
	close(next)
	wg.Wait()
}

func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{1_000_000, 4_000_000} {
		l := benchLog(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := lockDir(b, filepath.Dir(l.Path()))
			for b.Loop() {
				root, err := d.BuildIndex(context.Background(), l, IndexOptions{})
				require.NoError(b, err)
				require.NoError(b, d.WriteRoot(root))
				require.NoError(b, d.DropIndex())
			}
			d.Close()
		})
	}
}
