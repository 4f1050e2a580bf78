package verify

import (
	"testing"

	"dclone"
	"dclone/session"
)

// TestOrderOfEqualValues makes sure that values which Datomic takes for equal must come in the source's order: the last of them
// is the one that it retracts.
func TestOrderOfEqualValues(t *testing.T) {
	const prices dclone.EntityID = 73
	e := dclone.MakeEntityID(17, 100)
	d := newDB(t)
	d.tx(attr(prices, kw("n", "prices"), typeBigDec, many)...)
	for scale := range int32(3) {
		d.tx(add(e, prices, decimal([]int64{1, 10, 100}[scale], scale)), add(e, prices, decimal(int64(scale), 0)))
	}
	src, dir := cloneOf(t, d, nil, session.Options{MaxBatchSize: 3})
	requireOK(t, verifyClone(t, src, dir, Options{}))
	l := readLog(t, dir)
	first, second := l.of(kw("n", "prices"), decimal(10, 1), true), l.of(kw("n", "prices"), decimal(100, 2), true)
	l.change(first, set(decimal(1000, 3)))
	l.change(second, set(decimal(10, 1)))
	l.change(l.of(kw("n", "prices"), decimal(1000, 3), true), set(decimal(100, 2)))
	l.write(dir)
	requireFound(t, verifyClone(t, src, dir, Options{}), []Kind{KindValue}, "1.00M and 1.0M, which are equal to Datomic, came in another order")
}
