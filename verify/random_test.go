package verify

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/datomic/local"
	"dclone/historytest"
	"dclone/historytest/seeds"
	"dclone/session"
)

// TestRandomHistories verifies clones of random databases, as they are and damaged.
func TestRandomHistories(t *testing.T) {
	for _, seed := range seeds.Of(t, 8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { randomHistory(t, seed) })
	}
}

func randomHistory(t *testing.T, seed uint64) {
	src, dir := filepath.Join(t.TempDir(), "source"), t.TempDir()
	r := rand.New(rand.NewPCG(seed, 2))
	h := historytest.New(t, src, seed)
	h.Step(r.IntN(80))
	opt := session.Options{MaxBatchSize: []int{1, 7, 500}[r.IntN(3)], TxEntities: []string{"used", "all", "none"}[r.IntN(3)]}
	for range 3 {
		syncClone(t, src, dir, opt)
		for _, l := range levels {
			requireSame(t, verifyClone(t, src, dir, Options{Level: l, MaxMemory: []int64{0, 1}[r.IntN(2)]}))
		}
		h.Step(r.IntN(60))
	}
	intact := readLog(t, dir)
	damaged := copyDir(t, dir)
	for range 6 {
		l := &cloneLog{t: t, txs: slices.Clone(intact.txs)}
		tx := r.IntN(len(l.txs))
		i, way := r.IntN(len(l.txs[tx].Datoms)), append(ways, "removed")[r.IntN(len(ways)+1)]
		if l.txs[tx].T <= local.BootstrapT || len(l.txs[tx].Datoms) == 1 && way == "removed" {
			continue
		}
		l.spoil(tx, i, way)
		l.write(damaged)
		for _, level := range []Level{Checksum, Full} {
			rep, err := tryVerify(t, src, damaged, Options{Level: level})
			require.True(t, err != nil || rep.Status == Failed, "%s, t %d, datom %d, %v: not found at level %s",
				way, l.txs[tx].T, i, intact.txs[tx].Datoms[i], level)
		}
	}
}
