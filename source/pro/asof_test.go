package pro_test

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	"dclone/schema"
	"dclone/source"
	"dclone/source/pro"
)

// A model is a database value as the trivial fold of the log has it.
type model struct {
	basis   dclone.T
	instant dclone.Instant
	current holding
	history map[dclone.EntityID][]dclone.Datom // by attribute
	schema  schema.Schema
}

// log reads all transactions, those of the bootstrap too.
func log(t testing.TB, c *pro.Conn) (txs []dclone.Tx) {
	t.Helper()
	for tx, err := range c.Txs(ctx, 0) {
		require.NoError(t, err)
		kept := *tx
		kept.Datoms = nil
		for _, d := range tx.Datoms {
			d.V = slices.Clone(d.V)
			kept.Datoms = append(kept.Datoms, d)
		}
		txs = append(txs, kept)
	}
	return txs
}

func newModel() *model {
	return &model{instant: -1 << 63, current: holding{}, history: map[dclone.EntityID][]dclone.Datom{}}
}

func equal(x, y dclone.Value) bool {
	return local.CompareValues(x, y) == 0 && (len(x) == 0 || x[0] != 0xEF || string(x) == string(y))
}

func (m *model) add(t testing.TB, tx dclone.Tx) {
	require.NoError(t, m.schema.Apply(tx.Datoms))
	m.basis, m.instant = tx.T, max(m.instant, tx.Instant)
	late := slices.Clone(tx.Datoms)
	slices.SortStableFunc(late, func(x, y dclone.Datom) int { return map[bool]int{true: 1}[x.Added] - map[bool]int{true: 1}[y.Added] })
	for _, d := range late {
		m.current.add(d)
		m.history[d.A] = append(m.history[d.A], d)
	}
}

// A holding is the datoms that hold, by attribute and entity.
type holding map[[2]dclone.EntityID][]dclone.Datom

// add reports whether d changes what holds.
func (h holding) add(d dclone.Datom) bool {
	key := [2]dclone.EntityID{d.A, d.E}
	i := slices.IndexFunc(h[key], func(x dclone.Datom) bool { return equal(x.V, d.V) })
	if d.Added == (i >= 0) {
		return false
	}
	if d.Added {
		h[key] = append(h[key], d)
	} else {
		h[key] = slices.Delete(h[key], i, i+1)
	}
	return true
}

// check compares a snapshot with the model. History is not compared of attributes in dropped.
func (m *model) check(t testing.TB, s source.Snapshot, dropped map[dclone.EntityID]bool) {
	t.Helper()
	require.Equal(t, m.basis, s.Basis())
	require.Equal(t, m.instant, s.MaxInstant())
	require.Equal(t, slices.Collect(m.schema.Attributes()), slices.Collect(s.Schema().Attributes()))
	var again schema.Schema
	for from, all := 0, s.SchemaDatoms(); from < len(all); from++ {
		end := from
		for end+1 < len(all) && all[end+1].Tx == all[from].Tx {
			end++
		}
		require.NoError(t, again.Apply(all[from:end+1]))
		from = end
	}
	require.Equal(t, slices.Collect(m.schema.Attributes()), slices.Collect(again.Attributes()), "from what it was built of")
	counts := map[dclone.EntityID]int64{}
	for _, a := range s.Attributes() {
		counts[a.A] = a.Count
	}
	for a, want := range m.history {
		require.Positive(t, counts[a], "attribute %d", a)
		if !dropped[a] {
			got, err := collect(s.History, a)
			require.NoError(t, err)
			require.True(t, slices.IsSortedFunc(got, func(x, y dclone.Datom) int {
				return cmp.Or(cmp.Compare(x.E, y.E), cmp.Compare(x.Tx, y.Tx))
			}))
			requireDatoms(t, news(want), news(got), "history", a)
		}
	}
	current := map[dclone.EntityID][]dclone.Datom{}
	for key, all := range m.current {
		current[key[0]] = append(current[key[0]], all...)
	}
	for a := range counts {
		got, err := collect(s.Current, a)
		require.NoError(t, err)
		require.True(t, slices.IsSortedFunc(got, func(x, y dclone.Datom) int {
			return cmp.Or(cmp.Compare(x.E, y.E), local.CompareValues(x.V, y.V))
		}))
		requireDatoms(t, current[a], got, "current", a)
	}
}

// news leaves out assertions of what holds already, which an index need not have.
func news(all []dclone.Datom) (kept []dclone.Datom) {
	h := holding{}
	for _, d := range all {
		if h.add(d) || !d.Added {
			kept = append(kept, d)
		}
	}
	return kept
}

func requireDatoms(t testing.TB, want, got []dclone.Datom, what string, a dclone.EntityID) {
	t.Helper()
	order := func(x, y dclone.Datom) int {
		return cmp.Or(cmp.Compare(x.E, y.E), local.CompareValues(x.V, y.V), slices.Compare(x.V, y.V), cmp.Compare(x.Tx, y.Tx))
	}
	want, got = slices.SortedFunc(slices.Values(want), order), slices.SortedFunc(slices.Values(got), order)
	for i := range min(len(want), len(got)) {
		w, g := want[i], got[i]
		if w.E != g.E || w.A != g.A || w.Tx != g.Tx || w.Added != g.Added || string(w.V) != string(g.V) {
			t.Fatalf("%s of attribute %d, datom %d:\nwant %.200s\ngot  %.200s", what, a, i, canonDatom(w), canonDatom(g))
		}
	}
	require.Equal(t, len(want), len(got), "%s of attribute %d", what, a)
}

// droppers returns the attributes whose history the indexes do not keep.
func droppers(txs []dclone.Tx) map[dclone.EntityID]bool {
	const noHistory, yes = 45, 0xF5
	dropped := map[dclone.EntityID]bool{}
	for _, tx := range txs {
		for _, d := range tx.Datoms {
			if d.A == noHistory && d.V[0] == yes {
				dropped[d.E] = true
			}
		}
	}
	return dropped
}

// A snapshot at any t has what the trivial fold of the log has.
func TestRealAsOf(t *testing.T) {
	eachReal(t, func(t *testing.T, i int, c *pro.Conn) {
		checkAsOf(t, c, max(1, len(log(t, c))/map[bool]int{true: 2, false: 15}[real[i].backup == "mbrainz"]))
	})
}

// checkAsOf compares snapshots at every so many ts.
func checkAsOf(t testing.TB, c *pro.Conn, step int) {
	t.Helper()
	txs := log(t, c)
	dropped := droppers(txs)
	r := rand.New(rand.NewPCG(uint64(len(txs)), 0))
	m := newModel()
	for i, tx := range txs {
		m.add(t, tx)
		if r.IntN(step) > 0 && i < len(txs)-2 {
			continue
		}
		s, err := c.Snapshot(ctx, tx.T, source.Options{Jobs: 2, MaxMemory: []int64{0, 1, 5000}[r.IntN(3)], TempDir: t.(interface{ TempDir() string }).TempDir()})
		require.NoError(t, err, "t %d", tx.T)
		m.check(t, s, dropped)
		require.NoError(t, s.Close())
		if i+1 < len(txs) && txs[i+1].T > tx.T+1 {
			_, err := c.Snapshot(ctx, tx.T+1, source.Options{})
			require.ErrorIs(t, err, source.ErrNoTx)
			_, err = c.Fingerprint(nil, tx.T+1)
			require.ErrorIs(t, err, source.ErrNoTx)
		}
	}
	_, err := c.Snapshot(context.Background(), txs[len(txs)-1].T+1, source.Options{})
	require.ErrorIs(t, err, source.ErrNoTx, "beyond the basis")
}
