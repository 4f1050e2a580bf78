package session_test

import (
	"math"
	"math/big"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/historytest"
	"dclone/session"
	"dclone/state"
)

// Builtin value types, by their entities.
const (
	typeRef    = 20
	typeString = 23
	typeDouble = 58
	typeURI    = 60
	typeBigdec = 62
)

type edge struct {
	pair
	h *historytest.History
}

func newEdge(t *testing.T) *edge {
	dir := t.TempDir()
	p := pair{filepath.Join(dir, "source"), filepath.Join(dir, "clone")}
	return &edge{p, historytest.New(t, p.src, 1)}
}

func user(eidx int64) dclone.EntityID { return dclone.MakeEntityID(17, eidx) }

func dec(unscaled int64, scale int32) dclone.Decimal {
	return dclone.Decimal{Unscaled: big.NewInt(unscaled), Scale: scale}
}

const (
	assert  = true
	retract = false
)

// A decimal said again with another scale is another datom; a retraction ends all that are equal.
func TestDecimalScales(t *testing.T) {
	for _, copyAt := range []int{1, 2, 3, 4, 5, 6} {
		s := newEdge(t)
		one := s.h.Attribute("one", typeBigdec, false)
		many := s.h.Attribute("many", typeBigdec, true)
		txs := [][]dclone.Datom{
			{historytest.Datom(user(100), one, dec(10, 1), assert), historytest.Datom(user(100), many, dec(10, 1), assert)},
			{historytest.Datom(user(100), one, dec(100, 2), assert), historytest.Datom(user(100), one, dec(10, 1), retract),
				historytest.Datom(user(100), many, dec(100, 2), assert)},
			{historytest.Datom(user(100), many, dec(1, 0), assert)},
			{historytest.Datom(user(100), many, dec(1, 0), retract)},
			{historytest.Datom(user(100), many, dec(10, 1), assert)},
		}
		for i, tx := range txs {
			if i+1 == copyAt {
				s.must(t, session.Options{})
				s.check(t)
			}
			s.h.Commit(tx...)
		}
		s.must(t, session.Options{})
		s.check(t)
	}
}

// A retraction need not spell a URI as the assertion did.
func TestURISpelling(t *testing.T) {
	s := newEdge(t)
	a := s.h.Attribute("uri", typeURI, true)
	s.h.Commit(historytest.Datom(user(100), a, dclone.URI("http://a/%4a"), assert), historytest.Datom(user(101), a, dclone.URI("http://a/x"), assert))
	s.h.Commit(historytest.Datom(user(100), a, dclone.URI("HTTP://A/%4A"), retract))
	s.must(t, session.Options{})
	s.check(t)
}

// Datomic Local takes NaN for equal to every number: its retraction ends them all.
func TestNaN(t *testing.T) {
	s := newEdge(t)
	a := s.h.Attribute("double", typeDouble, true)
	s.h.Commit(historytest.Datom(user(100), a, 1.5, assert), historytest.Datom(user(100), a, 2.5, assert), historytest.Datom(user(101), a, math.NaN(), assert))
	s.h.Commit(historytest.Datom(user(100), a, math.NaN(), retract))
	s.h.Commit(historytest.Datom(user(100), a, 3.5, assert))
	s.must(t, session.Options{})
	log := historytest.Read(t, s.dst)
	doubles := 0
	for f := range log.Facts() {
		if log.Name[f.A] == dclone.Kw("test", "double") {
			doubles++
		}
	}
	require.Equal(t, 2, doubles, "3.5 of one entity, NaN of the other")
}

// Datomic Local accepts a ref to a number that becomes a transaction only later.
func TestRefToFutureTx(t *testing.T) {
	for copyAt := range 4 {
		s := newEdge(t)
		a := s.h.Attribute("ref", typeRef, true)
		sync := func(i int) {
			if i == copyAt {
				s.must(t, session.Options{})
			}
		}
		sync(0)
		for i := dclone.T(1); i < 200; i++ {
			s.h.Commit(historytest.Datom(user(100), a, int64(dclone.TxID(s.h.Basis()+2+i%3)), assert))
			if i == 60 {
				sync(1)
			}
		}
		sync(2)
		r, err := s.sync(session.Options{})
		require.NoError(t, err, "copied at %d", copyAt)
		require.EqualValues(t, s.h.Basis(), r.Position.Source.T)
		s.check(t)
	}
}

// An entity is first a value, then has datoms, then none, then some again; and the same in one
// transaction.
func TestValueThenEntity(t *testing.T) {
	for copyAt := range 6 {
		s := newEdge(t)
		ref, text := s.h.Attribute("ref", typeRef, true), s.h.Attribute("text", typeString, false)
		for i, tx := range [][]dclone.Datom{
			{historytest.Datom(user(100), ref, int64(user(200)), assert)},
			{historytest.Datom(user(200), text, "now it has", assert)},
			{historytest.Datom(user(200), text, "now it has", retract)},
			{historytest.Datom(user(200), text, "again", assert), historytest.Datom(user(201), ref, int64(user(202)), assert),
				historytest.Datom(user(202), ref, int64(user(201)), assert)},
			{historytest.Datom(user(100), ref, int64(user(200)), retract), historytest.Datom(user(202), ref, int64(user(202)), assert)},
		} {
			if i == copyAt {
				s.must(t, session.Options{})
				s.check(t)
			}
			s.h.Commit(tx...)
		}
		s.must(t, session.Options{})
		s.check(t)
	}
}

// A large history of one kind: an attribute with more values than a batch, batches of one datom.
func TestBatches(t *testing.T) {
	for _, size := range []int{1, 3, 500} {
		s := newEdge(t)
		many := s.h.Attribute("many", typeString, true)
		for i := range 7 {
			var tx []dclone.Datom
			for j := range 300 {
				tx = append(tx, historytest.Datom(user(int64(100+j%10)), many, string(rune(i*300+j+100)), assert))
			}
			s.h.Commit(tx...)
		}
		s.must(t, session.Options{MaxBatchSize: size})
		s.check(t)
	}
}

// A clone keeps partition 4 for entities that occur only as values: Datomic Local never gives
// out a number there. What has datoms there in the source goes elsewhere.
func TestPartitionOfValues(t *testing.T) {
	for copyAt := range 3 {
		s := newEdge(t)
		ref, text := s.h.Attribute("ref", typeRef, true), s.h.Attribute("text", typeString, false)
		four := func(eidx int64) dclone.EntityID { return dclone.MakeEntityID(dclone.PartUser, eidx) }
		for i, tx := range [][]dclone.Datom{
			{historytest.Datom(four(500), text, "lives", assert), historytest.Datom(user(501), ref, int64(four(502)), assert)},
			{historytest.Datom(four(503), text, "lives", assert), historytest.Datom(user(501), ref, int64(user(504)), assert),
				historytest.Datom(user(501), ref, int64(four(503)), assert)},
		} {
			if i == copyAt {
				s.must(t, session.Options{})
			}
			s.h.Commit(tx...)
		}
		s.must(t, session.Options{})
		s.check(t)
		for src, want := range map[dclone.EntityID]dclone.Partition{four(500): 17, four(503): 17, user(501): 17, four(502): 4, user(504): 4} {
			require.Equal(t, want, s.clone(t, src).Partition(), "copied at %d, partition of %d/%d's clone", copyAt, src.Partition(), src.Eidx())
		}
	}
}

func (p pair) clone(t testing.TB, src dclone.EntityID) (clone dclone.EntityID) {
	t.Helper()
	st, err := state.Open(p.sidecar())
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	require.NoError(t, st.View(func(tx *state.Tx) error {
		m, err := tx.Map()
		require.NoError(t, err)
		var ok bool
		clone, ok, err = m.Clone(src)
		require.True(t, ok, "entity %d has no clone", src)
		return err
	}))
	return clone
}

// One transaction renames an attribute and installs a composite that has it under its new name: in
// the clone the name comes before the composite.
func TestRenameWithComposite(t *testing.T) {
	s := newEdge(t)
	part := s.h.Attribute("old", typeRef, false)
	plain := s.h.Attribute("plain", typeString, false)
	id := plain + 1
	names := []any{dclone.Kw("test", "new"), dclone.Kw("test", "plain")}
	s.h.Commit(
		historytest.Datom(part, 10, dclone.Kw("test", "new"), assert), historytest.Datom(part, 10, dclone.Kw("test", "old"), retract),
		historytest.Datom(id, 10, dclone.Kw("test", "pair"), assert), historytest.Datom(id, 40, int64(64), assert),
		historytest.Datom(id, 41, int64(35), assert), historytest.Datom(id, 68, names, assert),
		historytest.Datom(0, 13, int64(id), assert))
	s.h.Commit(historytest.Datom(user(100), part, int64(user(101)), assert), historytest.Datom(user(100), plain, "x", assert),
		historytest.Datom(user(100), id, []any{int64(user(101)), "x"}, assert))
	s.must(t, session.Options{})
	s.check(t)
	verifyForeign(t, newForeign(t, s.src, 1), foreignOf(t, s.pair))
}

// foreignOf clones a source in foreign guise, and returns where to.
func foreignOf(t *testing.T, p pair) string {
	t.Helper()
	dst := p.dst + "-foreign"
	_, err := syncForeign(t, newForeign(t, p.src, 1), dst, session.Options{})
	require.NoError(t, err)
	return dst
}
