package verify

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	"dclone/session"
	"dclone/state"
)

// builtin returns the builtin of a name.
func builtin(t testing.TB, ident dclone.Keyword) (e dclone.EntityID) {
	e = -1
	local.EachBootstrapDatom(func(d dclone.Datom) {
		if d.A == dclone.AttrIdent && string(d.V) == string(value(ident)) {
			e = d.E
		}
	})
	require.GreaterOrEqual(t, e, dclone.EntityID(0))
	return e
}

// TestLiveNotCarried verifies clones without what Datomic does not take, and with a sidecar that does not say so.
func TestLiveNotCarried(t *testing.T) {
	const name, triple, note dclone.EntityID = 73, 74, 75
	preds, card := builtin(t, kw("db.attr", "preds")), builtin(t, kw("db.cardinality", "one"))
	lacks := func(d *db, i int) {
		e := dclone.MakeEntityID(17, int64(100+i))
		d.tx(add(e, name, strings.Repeat("long", 2000)), add(e, note, "short"),
			add(thisTx, triple, []any{int64(i), int64(dclone.TxID(d.at + 1)), nil}), add(thisTx, note, "of the transaction"))
		d.tx(add(card, attrDoc, []string{"one at a time", "only one"}[i]))
		d.tx(add(note, preds, dclone.Symbol(kw("nobody", []string{"knows?", "has?"}[i]))))
		d.tx(retract(e, name, strings.Repeat("long", 2000)), add(e, name, strings.Repeat("longer", 2000)))
	}
	d := newDB(t)
	d.tx(append(append(attr(name, kw("n", "name"), typeString, one), attr(note, kw("n", "note"), typeString, one)...),
		attr(triple, kw("n", "triple"), typeTuple, one,
			add(triple, attrTupleTypes, []any{kw("db.type", "long"), kw("db.type", "ref"), kw("db.type", "string")}))...)...)
	lacks(d, 0)
	d.tx(add(card, attrDoc, "none"), retract(card, attrDoc, "one at a time"))
	src, dir := liveCloneOf(t, d, func(d *db) *db {
		d.tx(retract(card, attrDoc, "none"))
		lacks(d, 1)
		return d
	}, session.Options{})
	st := openSidecar(t, dir)
	s, err := st.Session()
	require.NoError(t, err)
	require.NoError(t, st.Close())
	for _, n := range s.NotCarried {
		t.Logf("not carried: %v", n)
	}
	for _, l := range levels {
		requireOK(t, verifyClone(t, src, dir, Options{Level: l}))
	}
	for _, c := range []struct {
		attribute string
		kinds     []Kind
	}{
		{":n/name", []Kind{KindMissing, KindTransaction}},
		{":n/triple", []Kind{KindMissing, KindTransaction}},
		{":n/note", []Kind{KindMissing, KindTransaction}},
		{":db/doc", []Kind{KindMissing, KindTransaction}},
	} {
		t.Run(c.attribute, func(t *testing.T) {
			damaged := copyDir(t, dir)
			st := openSidecar(t, damaged)
			had := len(s.NotCarried)
			less := s
			less.NotCarried = slices.DeleteFunc(slices.Clone(s.NotCarried), func(n dclone.NotCarried) bool { return n.Attribute == c.attribute })
			require.Less(t, len(less.NotCarried), had)
			require.NoError(t, st.Update(func(tx *state.Tx) error { return tx.SetSession(less) }))
			require.NoError(t, st.Close())
			requireFound(t, verifyClone(t, src, damaged, Options{Level: Counts}), []Kind{KindMissing}, "")
			requireFound(t, verifyClone(t, src, damaged, Options{Level: Checksum}), c.kinds, "")
			requireFound(t, verifyClone(t, src, damaged, Options{Level: Full}), c.kinds, "")
		})
	}
}
