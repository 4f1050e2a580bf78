package session_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	destlive "dclone/dest/live"
	"dclone/historytest"
	"dclone/historytest/seeds"
	"dclone/replay"
	"dclone/session"
)

// largest returns how many datoms the largest of a database's transactions has that no bootstrap has.
func largest(db *historytest.Database) (n int) {
	for _, tx := range db.Txs[6:] {
		n = max(n, len(tx.Datoms))
	}
	return n
}

// instants returns those of the transactions behind t, each once.
func instants(db *historytest.Database, t dclone.T) (all []dclone.Instant) {
	for _, tx := range db.Txs {
		if tx.T > t {
			all = append(all, tx.Instant)
		}
	}
	return slices.Compact(all)
}

// A transaction that is larger than the destination takes comes in parts, all of its instant; the position moves after the
// last. A run that is cut between two goes on with the one that is missing.
func TestLiveSplit(t *testing.T) {
	s := newLiveServer(t)
	sources := featureSources(t, s.jvm, 3, 6)
	var want []dclone.T
	for _, most := range []int{2, 5, 20} {
		p := s.pair(t, "")
		p.opt.MaxDatoms, p.opt.Settle = most, time.Millisecond
		for i := range sources {
			p.src = sources[i]
			result := p.must(t, session.Options{})
			want = append(want, result.Position.Clone.T)
			p.check(t)
			if i > 0 {
				require.Equal(t, instants(historytest.Read(t, p.src), result.Position.Basis),
					instants(historytest.Read(t, p.dir()), result.Position.Loaded))
			}
		}
		require.Greater(t, largest(historytest.Read(t, p.src)), 2*most)
	}
	for i, most := range []int{2, 5, 20} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(most)))
			lost, cuts := 0, 0
			p := s.pair(t, "")
			p.opt.MaxDatoms, p.opt.Settle = most, time.Millisecond
			connect := p.opt.Connect
			p.opt.Connect = func(ctx context.Context) (*destlive.Connection, error) {
				c, err := connect(ctx)
				if err == nil {
					c.DB = &flaky{DB: c.DB, r: r, rate: 20, lost: &lost}
				}
				return c, err
			}
			for j, src := range sources {
				p.src = src
				for {
					result, err := p.sync(session.Options{})
					if errors.Is(err, errPlug) {
						cuts++
						continue
					}
					require.NoError(t, err)
					require.Equal(t, want[2*i+j], result.Position.Clone.T, "transactions of the clone")
					break
				}
				p.check(t)
			}
			t.Logf("%d answers lost, %d runs cut", lost, cuts)
			require.NotZero(t, lost)
			require.NotZero(t, cuts)
		})
	}
}

// The same with random histories.
func TestLiveSplitHistories(t *testing.T) {
	s := newLiveServer(t)
	done := 0
	for _, seed := range seeds.Of(t, 4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 9))
			p := s.pair(t, filepath.Join(t.TempDir(), "source"))
			p.opt.MaxDatoms, p.opt.Settle = 2+r.IntN(6), time.Millisecond
			h := historytest.New(t, p.src, seed)
			for range 4 {
				h.Step(r.IntN(20))
				left := 5
				for again := true; again; {
					_, err := p.sync(session.Options{At: func(replay.Point) error {
						if left > 0 && r.IntN(4) == 0 {
							left--
							return errPlug
						}
						return nil
					}})
					var refused *live.Refused
					if errors.As(err, &refused) || err != nil && strings.Contains(err.Error(), "Named.getNamespace()") {
						t.Logf("refused: %v", err)
						return
					}
					if again = errors.Is(err, errPlug); !again {
						require.NoError(t, err)
					}
				}
				p.check(t)
				done++
			}
		})
	}
	require.NotZero(t, done)
}
