package desttest

import (
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/historytest"
	"dclone/historytest/seeds"
	"dclone/session"
)

func decimal(unscaled int64, scale int32) dclone.Decimal {
	return dclone.Decimal{Unscaled: big.NewInt(unscaled), Scale: scale}
}

// seeds returns those of the random histories.
func (k Kind) seeds(t testing.TB) []uint64 {
	if testing.Short() {
		return seeds.Of(t, 2)
	}
	return seeds.Of(t, 8)
}

// history brings a clone to one random history's end, or to where Datomic says no. It returns how many catch-ups there were.
func (k Kind) history(t *testing.T, seed uint64) (caughtUp int) {
	r := rand.New(rand.NewPCG(seed, 6))
	p := k.pair(t, filepath.Join(t.TempDir(), "source"))
	h := historytest.New(t, p.src, seed)
	opt := session.Options{MaxBatchSize: []int{1, 7, 500}[r.IntN(3)], TxEntities: []string{"used", "all", "none"}[r.IntN(3)]}
	for i := range 4 {
		h.Step(r.IntN(20))
		result, err := p.sync(t, opt)
		if err != nil && k.Judge != nil && k.Judge(err) {
			t.Logf("after %d runs: %v", i, err)
			return caughtUp
		}
		require.NoError(t, err)
		p.check(t)
		if result.Transactions > 0 {
			caughtUp++
		}
	}
	return caughtUp
}

// testNoNews runs again where there is nothing to do.
func testNoNews(t *testing.T, k Kind) {
	p := k.pair(t, plain(t, 5))
	p.must(t, session.Options{})
	want := p.Read(t).Txs
	for range 2 {
		r := p.must(t, session.Options{})
		require.Equal(t, session.UpToDate, r.Status)
		require.Zero(t, r.Transactions)
		require.Zero(t, r.Datoms)
	}
	require.Equal(t, want, p.Read(t).Txs)
	p.check(t)
}

// plain makes a source that every kind can carry: n transactions behind its schema's.
func plain(t testing.TB, n int) string {
	g := newGrowing(t)
	g.grow(n)
	return g.h.Dir
}

// A growing is a source that every kind can carry.
type growing struct {
	h              *historytest.History
	text, refs, id dclone.EntityID
	newest         dclone.EntityID
}

func newGrowing(t testing.TB) *growing {
	h := historytest.New(t, filepath.Join(t.TempDir(), "source"), 1)
	g := &growing{h: h, text: h.Attribute("text", typeString, false), refs: h.Attribute("refs", typeRef, true), id: h.Attribute("id", typeString, false)}
	h.Commit(say(g.id, attrUnique, int64(identity)))
	return g
}

// grow appends n transactions: entities that refer to themselves, to those that have nothing and to those that had nothing
// until then, with an identity that moves on.
func (g *growing) grow(n int) {
	for range n {
		old, e := g.newest, user(1000+10*int64(g.h.Basis()))
		datoms := []dclone.Datom{say(e, g.text, "first"), say(e, g.refs, int64(e)+1), say(e+1, g.refs, int64(e)), say(e, g.refs, int64(e)+5),
			say(e, g.id, "newest"), say(dclone.TxID(g.h.Basis()+1), g.text, "by the test")}
		if old != 0 {
			datoms = append(datoms, say(e, g.refs, int64(old)), say(old+5, g.text, "born late"), unsay(old, g.id, "newest"))
		}
		g.h.Commit(datoms...)
		g.newest = e
	}
}
