package pro_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/source"
)

// A log scan of mbrainz, 449,496 datoms.
func BenchmarkTxs(b *testing.B) {
	c := open(b, realBackup(b, "mbrainz"), 83207)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for tx, err := range c.Txs(ctx, 0) {
			require.NoError(b, err)
			n += len(tx.Datoms)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "datoms/s")
}

// All datoms of mbrainz that hold, two attributes at a time.
func BenchmarkCurrent(b *testing.B) {
	c := open(b, realBackup(b, "mbrainz"), 83207)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		s, err := c.Snapshot(ctx, c.Basis(), source.Options{})
		require.NoError(b, err)
		var mu sync.Mutex
		var readers sync.WaitGroup
		work := make(chan dclone.EntityID)
		for range 2 {
			readers.Go(func() {
				for a := range work {
					for datoms, err := range s.Current(ctx, a) {
						if err != nil {
							b.Error(err)
						}
						mu.Lock()
						n += len(datoms)
						mu.Unlock()
					}
				}
			})
		}
		for _, a := range s.Attributes() {
			work <- a.A
		}
		close(work)
		readers.Wait()
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "datoms/s")
}

// What a snapshot costs before the first datom is asked for.
func BenchmarkSnapshot(b *testing.B) {
	c := open(b, realBackup(b, "mbrainz"), 83207)
	b.ReportAllocs()
	for b.Loop() {
		_, err := c.Snapshot(ctx, c.Basis(), source.Options{})
		require.NoError(b, err)
	}
}
