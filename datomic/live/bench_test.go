//go:build linux

package live_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/datomic/live"
	"dclone/interop"
)

// What comes through the pipe in a second, of Datomic Local.
func BenchmarkRead(b *testing.B) {
	const entities = 250_000
	c := child(b, interop.Classpath(b))
	db, n := fill(b, place{c, live.ClientAPI, localArg(b.TempDir()), "bench"}, entities)
	b.Run("datoms", func(b *testing.B) {
		before := processorTime(c)
		for b.Loop() {
			count := 0
			for _, a := range []live.Range{{Attr: n, At: db.Basis()}, {Attr: n + 1, At: db.Basis()}} {
				for datoms, err := range db.Datoms(b.Context(), a) {
					require.NoError(b, err)
					count += len(datoms)
				}
			}
			require.Equal(b, 2*entities, count)
		}
		report(b, c, before, 2*entities)
	})
	b.Run("log", func(b *testing.B) {
		before := processorTime(c)
		for b.Loop() {
			count := 0
			for tx, err := range db.TxRange(b.Context(), 7, db.Basis()+1, 0) {
				require.NoError(b, err)
				count += len(tx.Datoms) - 1
			}
			require.Equal(b, 2*entities, count)
		}
		report(b, c, before, 2*entities)
	})
}

// processorTime returns how long dclone and its child have kept a processor busy.
func processorTime(c *live.Child) [2]time.Duration {
	var self syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &self)
	var ticks [2]int64
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.PID()))
	_, fields, _ := strings.Cut(string(stat), ") ")
	if f := strings.Fields(fields); len(f) > 12 {
		fmt.Sscan(f[11], &ticks[0])
		fmt.Sscan(f[12], &ticks[1])
	}
	return [2]time.Duration{time.Duration(self.Utime.Nano() + self.Stime.Nano()), time.Duration(ticks[0]+ticks[1]) * 10 * time.Millisecond}
}

func report(b *testing.B, c *live.Child, before [2]time.Duration, datoms int) {
	after, n := processorTime(c), float64(datoms*b.N)
	b.ReportMetric(n/b.Elapsed().Seconds(), "datoms/s")
	b.ReportMetric(float64(after[0]-before[0])/n, "cpu-ns/datom")
	b.ReportMetric(float64(after[1]-before[1])/n, "jvm-cpu-ns/datom")
}
