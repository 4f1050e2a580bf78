package verify

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	"dclone/datomic/local"
	"dclone/historytest"
	"dclone/historytest/seeds"
	loop "dclone/replay"
	"dclone/session"
)

// TestLiveRandomHistories verifies clones of random databases that Datomic Local writes, cut off at random places, as they
// are and damaged.
func TestLiveRandomHistories(t *testing.T) {
	done := 0
	for _, seed := range seeds.Of(t, 6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { done += liveRandomHistory(t, seed) })
	}
	require.NotZero(t, done)
}

var errCut = errors.New("cut off")

// liveRandomHistory returns how many runs were proven. The source was written natively, and what transact refuses may be
// in it: there it ends.
func liveRandomHistory(t *testing.T, seed uint64) (done int) {
	src := filepath.Join(t.TempDir(), "source")
	r := rand.New(rand.NewPCG(seed, 7))
	h := historytest.New(t, src, seed)
	l := newLiveDB(t)
	opt := session.Options{MaxBatchSize: []int{1, 7, 500}[r.IntN(3)], TxEntities: []string{"used", "all", "none"}[r.IntN(3)]}
	for range 4 {
		h.Step(r.IntN(20))
		opt.At = func(loop.Point) error {
			if r.IntN(40) == 0 {
				return errCut
			}
			return nil
		}
		_, err := l.trySync(src, opt)
		for errors.Is(err, errCut) {
			_, err = l.trySync(src, opt)
		}
		var refused *live.Refused
		if errors.As(err, &refused) || errors.Is(err, live.ErrUnknownOutcome) { // or Datomic stumbles over it
			t.Logf("refused: %v", err)
			return done
		}
		require.NoError(t, err)
		for _, level := range levels {
			requireSame(t, verifyClone(t, src, l.dir(), Options{Level: level}))
		}
		done++
		l.spoilSome(src, r)
	}
	return done
}

// spoilSome damages a datom of the clone here and there. Not one may go unnoticed, unless it makes no difference.
func (l *liveDB) spoilSome(src string, r *rand.Rand) {
	intact, damaged := readLog(l.t, l.dir()), copyDir(l.t, l.dir())
	for range 6 {
		log := &cloneLog{t: l.t, txs: slices.Clone(intact.txs)}
		i := r.IntN(len(log.txs))
		tx := intact.txs[i]
		k, way := r.IntN(len(tx.Datoms)), append(ways, "removed")[r.IntN(len(ways)+1)]
		if tx.T <= local.BootstrapT || len(tx.Datoms) == 1 && way == "removed" || harmless(tx, tx.Datoms[k], way) {
			continue
		}
		if log.spoil(i, k, way); slices.EqualFunc(log.txs[i].Datoms, tx.Datoms, sameDatom) {
			continue
		}
		log.write(damaged)
		rep, err := tryVerify(l.t, src, damaged, Options{Level: []Level{Checksum, Full}[r.IntN(2)]})
		require.True(l.t, err != nil || rep.Status == Failed, "%s, t %d, datom %d, %v: not found", way, tx.T, k, tx.Datoms[k])
	}
}

// TestLiveParts replays transactions that are too large to be one, with entities that need an id before.
func TestLiveParts(t *testing.T) {
	const number, name, next dclone.EntityID = 73, 74, 75
	d := newDB(t)
	d.tx(append(append(attr(number, kw("n", "n"), typeLong, one), attr(name, kw("n", "name"), typeString, one, add(name, attrUnique, identity))...),
		attr(next, kw("n", "next"), typeRef, many)...)...)
	src, l := d.flush(), newLiveDB(t)
	l.sync(src, session.Options{})
	e := func(i int) dclone.EntityID { return dclone.MakeEntityID(17, int64(100+i)) }
	big := []dclone.Datom{add(thisTx, next, e(1)), add(thisTx, attrDoc, "large")}
	for i := range 3000 {
		big = append(big, add(e(i), number, i), add(e(i), name, fmt.Sprint(i)), add(e(i), next, e(i+1)))
	}
	d.tx(big...)
	d.tx(add(e(1), number, 2), retract(e(1), number, 1), add(e(7), next, e(9000)))
	d.flush()
	l.sync(src, session.Options{})
	loaded, end := position(t, l.dir()).Loaded, position(t, l.dir()).Clone.T
	require.Greater(t, end-loaded, dclone.T(6), "helpers and parts")
	for _, level := range levels {
		requireOK(t, verifyClone(t, src, l.dir(), Options{Level: level}))
	}
	intact := readLog(t, l.dir())
	for _, way := range append(ways, "removed") {
		damaged := copyDir(t, l.dir())
		log := &cloneLog{t: t, txs: slices.Clone(intact.txs)}
		i := len(log.txs) - 6 // a part
		require.Greater(t, len(log.txs[i].Datoms), 3000)
		log.spoil(i, 1000, way)
		log.write(damaged)
		requireFound(t, verifyClone(t, src, damaged, Options{Level: Checksum}), []Kind{KindTransaction}, "source t 7")
	}
	t.Run("part empty", func(t *testing.T) {
		damaged := copyDir(t, l.dir())
		log := &cloneLog{t: t, txs: slices.Clone(intact.txs)}
		i := len(log.txs) - 6
		log.txs[i-1].Datoms = append(slices.Clone(log.txs[i-1].Datoms), log.txs[i].Datoms[1:]...)
		log.txs[i].Datoms = log.txs[i].Datoms[:1]
		log.write(damaged)
		requireFound(t, verifyClone(t, src, damaged, Options{Level: Checksum}), []Kind{KindTransaction}, "is no transaction of the source")
	})
}
