package session_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"dclone/historytest/seeds"
	"dclone/interop"
	"dclone/session"
)

// Random histories that the real Datomic Local has accepted: a first copy somewhere, and catch-ups.
func TestLiveRandom(t *testing.T) {
	s := newLiveServer(t)
	s.jvm.Load(t, "random")
	for _, seed := range seeds.Of(t, fewer(3)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 5))
			dir := t.TempDir()
			db := interop.Str(dir) + ` "dev" "random"`
			s.jvm.Eval(t, `(let [c (create `+db+`)] (random/schema! c) (release `+db+`))`)
			p := s.pair(t, filepath.Join(dir, "dev", "random"))
			opt := session.Options{MaxBatchSize: []int{1, 7, 500}[r.IntN(3)], TxEntities: []string{"used", "all", "none"}[r.IntN(3)]}
			for i := range 3 {
				s.jvm.Eval(t, fmt.Sprintf(`(let [c (reopen %s)] (random/txs! c %d %d) (release %s))`, db, seed+uint64(i)*1000, r.IntN(80), db))
				result := p.must(t, opt)
				t.Logf("run %d with %+v: %s, t %d, %d datoms in %v", i, opt.MaxBatchSize, result.Status, result.Position.Source.T, result.Datoms, result.Duration)
				p.check(t)
			}
		})
	}
}
