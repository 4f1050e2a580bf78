package session_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/datomic/live"
	"dclone/historytest"
	"dclone/historytest/seeds"
	"dclone/interop"
	"dclone/session"
)

// Random histories that the real Datomic Local has accepted: a first copy somewhere, and catch-ups.
func TestLiveRandom(t *testing.T) {
	s := newLiveServer(t)
	s.jvm.Load(t, "random")
	for _, seed := range seeds.Of(t, 3) {
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

// Random histories that were written natively. What transact would not do is among it; where the clone's says so, the run
// ends with its refusal, and the clone is what it was.
func TestLiveHistories(t *testing.T) {
	s := newLiveServer(t)
	done := 0
	for _, seed := range seeds.Of(t, 6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 6))
			p := s.pair(t, filepath.Join(t.TempDir(), "source"))
			h := historytest.New(t, p.src, seed)
			opt := session.Options{MaxBatchSize: []int{1, 7, 500}[r.IntN(3)], TxEntities: []string{"used", "all", "none"}[r.IntN(3)]}
			for range 4 {
				h.Step(r.IntN(20))
				result, err := p.sync(opt)
				var refused *live.Refused
				if errors.As(err, &refused) {
					t.Logf("refused: %v", err)
					return
				}
				require.NoError(t, err)
				t.Logf("%s, t %d, %v", result.Status, result.Position.Source.T, result.Session.NotCarried)
				p.check(t)
				done++
			}
		})
	}
	require.NotZero(t, done)
}
