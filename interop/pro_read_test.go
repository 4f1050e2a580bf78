package interop_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	"dclone/interop"
	"dclone/source"
	"dclone/source/pro"
	"dclone/store"
	"dclone/store/kvs"
)

// A proReading is what dclone reads of a Datomic Pro database, to be held against what a peer does.
type proReading struct {
	born, basis dclone.T
	log         []interop.Tx
	ids         map[int64]string
	instants    map[int64]int64
	current     []dclone.Datom // by attribute
	history     []dclone.Datom
	counts      map[dclone.EntityID][2]int64 // by attribute: datoms of its history, and their number as the snapshot tells
}

// saysAs returns what fails t unless dclone reads, of an open database, what a peer said.
func saysAs(t testing.TB, want interop.ProDumps, what string) func(*pro.Conn) {
	return func(conn *pro.Conn) {
		t.Helper()
		r := newProReading(t, conn)
		r.sameLog(t, want, what)
		r.sameCurrent(t, want, what)
		r.sameHistory(t, want, what)
	}
}

func newProReading(t testing.TB, conn *pro.Conn) *proReading {
	t.Helper()
	ctx := context.Background()
	r := &proReading{born: conn.Born(), basis: conn.Basis(), ids: map[int64]string{}, instants: map[int64]int64{},
		counts: map[dclone.EntityID][2]int64{}}
	for tx, err := range conn.Txs(ctx, r.born+1) {
		require.NoError(t, err)
		r.log = append(r.log, interop.Tx{T: int64(tx.T), Datoms: notedAll(t, tx.Datoms)})
		r.ids[int64(tx.T)], r.instants[int64(tx.T)] = uuid.UUID(tx.ID).String(), int64(tx.Instant)
	}
	snap, err := conn.Snapshot(ctx, r.basis, source.Options{Jobs: 2, MaxMemory: 64 << 20, TempDir: t.TempDir()})
	require.NoError(t, err)
	defer func() { require.NoError(t, snap.Close()) }()
	for _, a := range snap.Attributes() {
		for ds, err := range snap.Current(ctx, a.A) {
			require.NoError(t, err)
			r.current = appendKept(r.current, ds)
		}
		n := len(r.history)
		for ds, err := range snap.History(ctx, a.A) {
			require.NoError(t, err)
			r.history = appendKept(r.history, ds)
		}
		r.counts[a.A] = [2]int64{int64(len(r.history) - n), a.Count}
	}
	return r
}

// appendKept appends datoms that are good until the next are asked for.
func appendKept(to, ds []dclone.Datom) []dclone.Datom {
	for _, d := range ds {
		d.V = slices.Clone(d.V)
		to = append(to, d)
	}
	return to
}

func (r *proReading) sameLog(t testing.TB, want interop.ProDumps, what string) {
	t.Helper()
	require.Equal(t, len(want.Log), len(r.log), "%s: transactions", what)
	for i, w := range want.Log {
		require.Equal(t, w.T, r.log[i].T, what)
		require.Equal(t, want.IDs[w.T], r.ids[w.T], "%s: id of t %d", what, w.T)
		require.Equal(t, instantOf(t, w), r.instants[w.T], "%s: instant of t %d", what, w.T)
		requireDatoms(t, w.Datoms, r.log[i].Datoms, fmt.Sprintf("%s: t %d", what, w.T))
	}
	if n := len(want.Log); n > 0 {
		require.EqualValues(t, want.Log[n-1].T, r.basis, what)
	}
}

// sameCurrent compares all four indexes with orders made of AEVT's and the schema. Attributes to which :db/index was given, or
// from which it was taken, come to AVET and go with the next index job.
func (r *proReading) sameCurrent(t testing.TB, want interop.ProDumps, what string) {
	t.Helper()
	requireDatoms := func(t testing.TB, want, got []interop.Datom, what string) {
		t.Helper()
		requireDatoms(t, uncontradicted(inOneOrder(alteredOnce(want))), uncontradicted(inOneOrder(alteredOnce(got))), what)
	}
	requireDatoms(t, want.Current.AEVT, notedAll(t, r.current), what+": aevt")
	eavt := slices.Clone(r.current)
	slices.SortStableFunc(eavt, func(a, b dclone.Datom) int { return cmp.Compare(a.E, b.E) })
	requireDatoms(t, want.Current.EAVT, notedAll(t, eavt), what+": eavt")

	indexed, refs := r.indexed(t)
	shown := map[dclone.EntityID]bool{}
	for _, d := range want.Current.AVET {
		shown[dclone.EntityID(d.A)] = true
	}
	avet := slices.DeleteFunc(slices.Clone(r.current), func(d dclone.Datom) bool { return !indexed[d.A] || !shown[d.A] })
	slices.SortStableFunc(avet, func(a, b dclone.Datom) int {
		return cmp.Or(cmp.Compare(a.A, b.A), local.CompareValues(a.V, b.V), cmp.Compare(a.E, b.E))
	})
	settled := slices.DeleteFunc(slices.Clone(want.Current.AVET), func(d interop.Datom) bool { return !indexed[dclone.EntityID(d.A)] })
	requireDatoms(t, settled, notedAll(t, avet), what+": avet")
	vaet := slices.DeleteFunc(slices.Clone(r.current), func(d dclone.Datom) bool { return !refs[d.A] })
	slices.SortStableFunc(vaet, func(a, b dclone.Datom) int {
		return cmp.Or(local.CompareValues(a.V, b.V), cmp.Compare(a.A, b.A), cmp.Compare(a.E, b.E))
	})
	requireDatoms(t, want.Current.VAET, notedAll(t, vaet), what+": vaet")
}

// alteredOnce leaves of equal assertions that an attribute was altered one, without its transaction. The log has one for each
// alteration; a peer shows all of those its index job has not come to, and of the others the first.
func alteredOnce(ds []interop.Datom) []interop.Datom {
	ds = slices.Clone(ds)
	for i := range ds {
		if ds[i].A == idAlter {
			ds[i].Tx = 0
		}
	}
	return slices.Compact(ds)
}

// inOneOrder orders values of an entity that compare equal, 1.0M and 1.00M: a peer has the newest first.
func inOneOrder(ds []interop.Datom) []interop.Datom {
	for i := 0; i < len(ds); {
		n := 1
		for i+n < len(ds) && ds[i+n].E == ds[i].E && ds[i+n].A == ds[i].A && canonical(ds[i+n].V) == canonical(ds[i].V) {
			n++
		}
		slices.SortFunc(ds[i:i+n], func(a, b interop.Datom) int { return cmp.Compare(a.V, b.V) })
		i += n
	}
	return ds
}

// indexed returns the attributes that AVET has, and those that VAET has.
func (r *proReading) indexed(t testing.TB) (avet, vaet map[dclone.EntityID]bool) {
	t.Helper()
	avet, vaet = map[dclone.EntityID]bool{}, map[dclone.EntityID]bool{}
	for _, d := range r.current {
		v := notedValue(decoded(t, d.V))
		switch {
		case d.A == proUnique, d.A == proIndex && v == "Btrue":
			avet[d.E] = true
		case d.A == idValueType && v == fmt.Sprint("L", idTypeRef):
			vaet[d.E] = true
		}
	}
	return avet, vaet
}

// sameHistory compares AEVT of all time. Within an entity, Datomic orders by value, and dclone by t.
func (r *proReading) sameHistory(t testing.TB, want interop.ProDumps, what string) {
	t.Helper()
	require.True(t, slices.IsSortedFunc(r.history, func(a, b dclone.Datom) int {
		return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.E, b.E), cmp.Compare(a.Tx, b.Tx))
	}), "%s: order of the history", what)
	for a, n := range r.counts {
		// A log may have a retraction twice, once said and once implied; indexes have it once.
		assert.InDelta(t, n[0], n[1], 1, "%s: datoms of %d", what, a)
	}
	history, wanted := notedAll(t, r.history), slices.Clone(want.History.AEVT)
	slices.SortFunc(history, compareNoted)
	slices.SortFunc(wanted, compareNoted)
	requireDatoms(t, wanted, history, what+": history")
}

func compareNoted(a, b interop.Datom) int {
	added := func(d interop.Datom) int {
		if d.Added {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.E, b.E), cmp.Compare(a.Tx, b.Tx), cmp.Compare(added(a), added(b)), cmp.Compare(a.V, b.V))
}

func notedAll(t testing.TB, ds []dclone.Datom) []interop.Datom {
	t.Helper()
	all := make([]interop.Datom, len(ds))
	for i, d := range ds {
		all[i] = noted(t, d)
	}
	return all
}

// uncontradicted leaves out the one thing of which a peer tells one index otherwise than another: what holds after
// 2.0M, 2.00M and 2.000M were asserted, and the second retracted, depends on which tier an index job has put them in.
func uncontradicted(ds []interop.Datom) []interop.Datom {
	return slices.DeleteFunc(slices.Clone(ds), func(d interop.Datom) bool {
		return slices.Contains([]string{"M20e1", "M200e2", "M2000e3"}, d.V)
	})
}

// requireDatoms is require.Equal with a message of bearable size.
func requireDatoms(t testing.TB, want, got []interop.Datom, what string) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			require.Fail(t, "datoms differ", "%s, datom %d: want %v, got %v", what, i, short(want[i]), short(got[i]))
		}
	}
	switch {
	case len(want) > len(got):
		require.Fail(t, "datoms are missing", "%s: %d of %d, first %v", what, len(want)-len(got), len(want), short(want[len(got)]))
	case len(want) < len(got):
		require.Fail(t, "datoms too many", "%s: %d, first %v", what, len(got)-len(want), short(got[len(want)]))
	}
}

// smallTrees makes index jobs write trees that are as deep, with a mid tier, as those of large databases.
const smallTrees = `{:segment 2000 :leaf 2000 :dirs 5 :main 5000}`

// TestProReads compares what dclone reads with what a peer says, from storage and from a backup, as the database grows
// and its index does.
func TestProReads(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []string
	}{
		{"features", []string{
			`:empty`,
			`(features/run-wave! c 1) (profeatures/run-wave! c 1)`,
			`(pro/index! uri)`,
			`(doseq [w (range 2 7)] (features/run-wave! c w)) (profeatures/run-wave! c 2)`,
			`(pro/with-sizes ` + smallTrees + ` #(pro/index! uri)) (features/run-wave! c 7)`,
			`(pro/index! uri) (profeatures/excise! c) (pro/index! uri)`,
			`(pro/gc! uri) (profeatures/run-wave! c 3)`,
			`(pro/index! uri) (features/run-wave! c 8) (pro/index! uri)`, // of what wave 8 makes, a peer tells otherwise before the index job
		}},
		{"random", []string{
			`(random/schema! c) (random/txs! c 1 150)`,
			`(pro/with-sizes ` + smallTrees + ` #(pro/index! uri)) (random/txs! c 2 150)`,
			`(pro/with-sizes ` + smallTrees + ` #(do (pro/index! uri) (random/txs! c 3 20) (pro/index! uri) (random/txs! c 4 5)))`,
			`(pro/with-sizes ` + smallTrees + ` #(do (pro/index! uri) (pro/gc! uri)))`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			jvm := interop.StartPro(t)
			p := newProSource(t, jvm, c.name, `:new`)
			backup := p.backup(t, "")
			for i, step := range c.steps {
				p.eval(t, step)
				want := p.dump(t)
				p.backup(t, backup)
				p.read(t, saysAs(t, want, fmt.Sprint("storage after step ", i)))
				readBackup(t, backup, store.Newest, saysAs(t, want, fmt.Sprint("backup after step ", i)))
			}
		})
	}
}

// TestProReadsPendingExcision reads a database with excisions that no index job has done yet: what they name is not read any more.
func TestProReadsPendingExcision(t *testing.T) {
	p := newProSource(t, interop.StartPro(t), "excised", `(features/run-wave! c 1) (profeatures/run-wave! c 1) (pro/index! uri)
		(features/run-wave! c 2) (profeatures/run-wave! c 2) (profeatures/excise! c)`)
	var before *proReading
	p.read(t, func(conn *pro.Conn) { before = newProReading(t, conn) })
	p.eval(t, `(pro/index! uri)`)
	want := p.dump(t)
	before.sameLog(t, want, "before the index job")
	before.sameCurrent(t, want, "before the index job")
	p.read(t, saysAs(t, want, "after the index job"))
}

// TestProNames reads databases under the names they were given since.
func TestProNames(t *testing.T) {
	p := newProSource(t, interop.StartPro(t), "first-name", `(random/schema! c) (random/txs! c 1 10)`)
	want := p.dump(t)
	uri := interop.Str(p.uri()) // a peer keeps its connection under it, whatever the database is called then
	require.Equal(t, "true", p.jvm.Eval(t, `(pro/release `+uri+`) (pro/rename `+uri+` "second-name")`))
	was := p
	p.name = "second-name"
	p.read(t, saysAs(t, want, "renamed"))
	_, err := kvs.Open(context.Background(), was.jdbc, was.name)
	require.ErrorIs(t, err, store.ErrNoDatabase)
	p.jvm.Eval(t, `(pro/delete `+interop.Str(p.uri())+`)`)
	_, err = kvs.Open(context.Background(), p.jdbc, p.name)
	require.ErrorIs(t, err, store.ErrNoDatabase)
}
