package session_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"dclone/historytest"
	"dclone/historytest/seeds"
	"dclone/session"
)

// Random histories, cut at random places: a first copy and several catch-ups.
func TestRandomHistories(t *testing.T) {
	for _, seed := range seeds.Of(t, 24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { randomHistory(t, seed) })
	}
}

func randomHistory(t *testing.T, seed uint64) {
	dir := t.TempDir()
	p := pair{filepath.Join(dir, "source"), filepath.Join(dir, "clone")}
	r := rand.New(rand.NewPCG(seed, 1))
	h := historytest.New(t, p.src, seed)
	h.Step(r.IntN(80))
	opt := session.Options{
		MaxBatchSize: []int{1, 2, 7, 500}[r.IntN(4)],
		TxEntities:   []string{"used", "all", "none"}[r.IntN(3)],
		NoIndex:      r.IntN(2) == 0,
	}
	for i := range 4 {
		opt.Jobs = []int{1, 2, 4}[r.IntN(3)]
		opt.MaxMemory = []int64{0, 1, 1 << 20}[r.IntN(3)]
		opt.EidBatch = []int{0, 1, 50}[r.IntN(3)]
		t.Logf("run %d to t %d, options %+v", i, h.Basis(), opt)
		p.must(t, opt)
		p.check(t)
		h.Step(r.IntN(60))
	}
}
