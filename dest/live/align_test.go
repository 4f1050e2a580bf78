package live

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/fressian"
	"dclone/historytest/seeds"
)

func value(t testing.TB, v any) dclone.Value {
	b, err := fressian.Append(nil, v)
	require.NoError(t, err)
	return b
}

const (
	attrInstant dclone.EntityID = 50
	attrLong    dclone.EntityID = 80
	attrRef     dclone.EntityID = 81
	attrTuple   dclone.EntityID = 82
)

// A transactor is a trivial model of one: it gives ids to tempids, and leaves out what holds already.
type transactor struct {
	t     testing.TB
	next  dclone.EntityID
	held  map[string]bool
	bound binding
	log   []dclone.Tx
}

func (m *transactor) transact(f *frame) {
	tx := dclone.Tx{T: dclone.T(100 + len(m.log))}
	m.bound[self] = dclone.TxID(tx.T)
	for _, e := range f.tempids() {
		if m.bound.of(e) < 0 {
			m.bound[e] = m.next
			m.next++
		}
	}
	for _, x := range f.forms {
		x, open, err := x.resolve(m.bound)
		require.NoError(m.t, err)
		require.False(m.t, open, "a tempid that is no entity")
		d := dclone.Datom{E: x.e, A: x.a, V: x.v, Tx: dclone.TxID(tx.T), Added: x.added}
		x.added = true
		if k := key(x); m.held[k] != d.Added {
			m.held[k] = d.Added
			tx.Datoms = append(tx.Datoms, d)
		}
	}
	delete(m.bound, self)
	m.bound.tx(f, tx.T)
	m.log = append(m.log, tx)
}

// randomGroup makes frames as a Translator does: tempids are bound by the frame that asserts something of them.
func randomGroup(t testing.TB, r *rand.Rand) (group []*frame) {
	var known []dclone.EntityID
	src := dclone.EntityID(1000)
	for i := range 1 + r.IntN(5) {
		f := &frame{}
		if r.IntN(2) == 0 {
			f.binds = dclone.EntityID(500_000 + i)
		}
		f.forms = append(f.forms, form{added: true, e: self, a: attrInstant, v: value(t, dclone.Instant(1000))})
		var fresh []dclone.EntityID
		for range r.IntN(4) {
			src++
			fresh = append(fresh, -src)
			f.forms = append(f.forms, form{added: true, e: -src, a: attrLong, v: value(t, int64(r.IntN(2)))})
		}
		all := append(slices.Clone(known), fresh...)
		for range r.IntN(6) {
			if len(all) == 0 {
				break
			}
			some := func() int64 { return int64(all[r.IntN(len(all))]) }
			e := dclone.EntityID(some())
			switch r.IntN(4) {
			case 0:
				f.forms = append(f.forms, form{added: true, e: e, a: attrRef, v: value(t, some()), tempids: dclone.WholeRef})
			case 1:
				f.forms = append(f.forms, form{added: true, e: e, a: attrRef, v: value(t, int64(self)), tempids: dclone.WholeRef})
			case 2:
				f.forms = append(f.forms, form{added: true, e: e, a: attrLong, v: value(t, int64(r.IntN(3)))})
			case 3:
				if len(known) > 0 {
					tuple := []any{int64(known[r.IntN(len(known))]), nil, int64(-5)}
					f.forms = append(f.forms, form{added: true, e: e, a: attrTuple, v: value(t, tuple), tempids: 1})
				}
			}
		}
		f.forms = unique(f.forms)
		group = append(group, f)
		known = all
	}
	return group
}

// unique leaves out forms that are there twice.
func unique(forms []form) (out []form) {
	seen := map[string]bool{}
	for _, x := range forms {
		if k := fmt.Sprint(x.e, x.a, x.v); !seen[k] {
			seen[k] = true
			out = append(out, x)
		}
	}
	return out
}

func newAligner(group []*frame, log []dclone.Tx) *aligner {
	return &aligner{frames: group[:len(log)], txs: log, instant: attrInstant, derives: map[dclone.EntityID]bool{13: true},
		taken: func(e dclone.EntityID) bool { return e < 10_000 }, bound: binding{}}
}

// What a transactor has bound is what the log says.
func TestRandomAlignments(t *testing.T) {
	for _, seed := range seeds.Of(t, 300) {
		r := rand.New(rand.NewPCG(seed, 3))
		group := randomGroup(t, r)
		m := &transactor{t: t, next: 10_000, held: map[string]bool{}, bound: binding{}}
		sent := r.IntN(len(group) + 1)
		for _, f := range group[:sent] {
			b, err := appendFrame(nil, f)
			require.NoError(t, err)
			again, err := readFrame(b)
			require.NoError(t, err)
			require.Equal(t, f, again)
			m.transact(again)
		}
		a := newAligner(group, m.log)
		require.True(t, a.align(), "seed %d", seed)
		delete(a.bound, self)
		want := binding{}
		for e, id := range m.bound {
			if !id.IsTx() {
				want[e] = id
			}
		}
		require.Equal(t, want, a.bound, "seed %d", seed)

		// In another order too something consistent is found: what is sent with it becomes what is there.
		for _, tx := range m.log {
			r.Shuffle(len(tx.Datoms), func(i, j int) { tx.Datoms[i], tx.Datoms[j] = tx.Datoms[j], tx.Datoms[i] })
		}
		a = newAligner(group, m.log)
		if !a.align() {
			require.Greater(t, a.tried, patience, "seed %d: nothing found", seed)
		}

		// A transaction that is no frame's.
		if sent > 0 {
			tx := &m.log[r.IntN(sent)]
			d := dclone.Datom{E: 77, A: attrLong, V: value(t, int64(7)), Added: true}
			tx.Datoms = slices.Insert(tx.Datoms, r.IntN(len(tx.Datoms)+1), d)
			require.False(t, newAligner(group, m.log).align(), "seed %d: another's datom was taken for ours", seed)
		}
	}
}

// What Datomic adds by itself is expected, wherever it stands.
func TestDerivedDatoms(t *testing.T) {
	instant := form{added: true, e: self, a: attrInstant, v: value(t, dclone.Instant(5))}
	f := &frame{forms: []form{instant, {added: true, e: -1000, a: attrLong, v: value(t, int64(1))},
		{added: true, e: 20_000, a: attrLong, v: value(t, int64(2))}}}
	tx := dclone.TxID(9)
	base := []dclone.Datom{{E: tx, A: attrInstant, V: value(t, dclone.Instant(5)), Added: true},
		{E: 10_000, A: attrLong, V: value(t, int64(1)), Added: true}, {E: 20_000, A: attrLong, V: value(t, int64(2)), Added: true}}
	cases := []struct {
		name  string
		datom dclone.Datom
		ok    bool
	}{
		{"implied retraction", dclone.Datom{E: 20_000, A: attrLong, V: value(t, int64(1))}, true},
		{"composite of a new entity", dclone.Datom{E: 10_000, A: 90, V: value(t, []any{int64(1), nil}), Added: true}, true},
		{"install", dclone.Datom{E: 0, A: 13, V: value(t, int64(90)), Added: true}, true},
		{"retraction of something else", dclone.Datom{E: 20_001, A: attrLong, V: value(t, int64(1))}, false},
		{"composite of something else", dclone.Datom{E: 20_001, A: 90, V: value(t, []any{int64(1), nil}), Added: true}, false},
		{"another instant", dclone.Datom{E: tx, A: attrInstant, V: value(t, dclone.Instant(6)), Added: true}, false},
		{"another datom", dclone.Datom{E: 20_000, A: 91, V: value(t, int64(1)), Added: true}, false},
	}
	for _, c := range cases {
		for i := range len(base) + 1 {
			txs := []dclone.Tx{{T: 9, Datoms: slices.Insert(slices.Clone(base), i, c.datom)}}
			require.Equal(t, c.ok, newAligner([]*frame{f}, txs).align(), "%s at %d", c.name, i)
		}
	}
	require.False(t, newAligner([]*frame{f}, []dclone.Tx{{T: 9, Datoms: base[1:]}}).align(), "no instant")
	require.False(t, newAligner([]*frame{f}, []dclone.Tx{{T: 9, Datoms: base[:1]}}).align(), "a new entity without its datom")
	a := newAligner([]*frame{f}, []dclone.Tx{{T: 9, Datoms: base[:2]}})
	require.True(t, a.align())
	require.Len(t, a.missing, 1, "what may have held before")
}

func FuzzFrame(f *testing.F) {
	for seed := range uint64(5) {
		for _, x := range randomGroup(f, rand.New(rand.NewPCG(seed, 1))) {
			b, err := appendFrame(nil, x)
			require.NoError(f, err)
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := readFrame(b)
		if err != nil {
			return
		}
		again, err := appendFrame(nil, x)
		require.NoError(t, err)
		y, err := readFrame(again)
		require.NoError(t, err)
		require.Equal(t, len(x.forms), len(y.forms))
		if _, err := x.txData(binding{}); err == nil {
			x.tempids()
		}
	})
}
