package live

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/dest"
	"dclone/historytest/seeds"
	"dclone/state"
)

// randomLoad makes frames as a first copy has them: most are free, and of new entities or of those of earlier frames.
func randomLoad(t testing.TB, r *rand.Rand, src *dclone.EntityID) (group []*frame) {
	var known []dclone.EntityID
	number := int64(100)
	for range 1 + r.IntN(30) {
		f := &frame{binds: beside}
		if r.IntN(8) == 0 {
			f.binds = 0
		}
		f.forms = append(f.forms, form{added: true, e: self, a: attrInstant, v: value(t, dclone.Instant(1000))})
		add := func(e, a dclone.EntityID, v int64, refs dclone.Refs) {
			f.forms = append(f.forms, form{added: true, e: e, a: a, v: value(t, v), tempids: refs})
		}
		var fresh []dclone.EntityID
		for range r.IntN(4) {
			*src++
			fresh = append(fresh, -*src)
			add(-*src, attrLong, int64(r.IntN(2)), dclone.NoRefs)
		}
		all := append(slices.Clone(known), fresh...)
		some := func() dclone.EntityID { return all[r.IntN(len(all))] }
		for range 1 + r.IntN(3) {
			if number++; len(known) == 0 || r.IntN(2) == 0 {
				add(dclone.EntityID(20_000_000+r.IntN(5)), attrLong, number, dclone.NoRefs)
			} else if r.IntN(2) == 0 {
				add(some(), attrLong, number, dclone.NoRefs)
			} else {
				add(some(), attrRef, int64(some()), dclone.WholeRef)
			}
		}
		f.forms = unique(f.forms)
		group, known = append(group, f), all
	}
	return group
}

// A load is a first copy to a model, in groups that are each written whole or taken up again.
type load struct {
	model *model
	opt   Options
	clone *Clone
	mark  dclone.Mark
	cuts  int
}

func newLoad(t testing.TB, m *model, window int) *load {
	l := &load{model: m, opt: Options{Connect: m.connect, Window: window}}
	l.open(t)
	var err error
	l.mark, err = l.clone.Mark()
	require.NoError(t, err)
	return l
}

func (l *load) open(t testing.TB) {
	var err error
	l.clone, err = Open(context.Background(), l.opt)
	require.NoError(t, err)
	l.clone.SetKey([]byte("key"))
}

// write writes a group, in as many runs as it takes, and returns what it has bound.
func (l *load) write(t testing.TB, group []*frame) (binding, error) {
	var sent []byte
	var lengths []int
	intent := &state.Intent{}
	for _, f := range group {
		b, err := appendFrame(nil, f)
		require.NoError(t, err)
		intent.Frames = append(intent.Frames, state.Frame{Length: int64(len(b)), Digest: dclone.DigestKey("key").Of(b)})
		sent, lengths = append(sent, b...), append(lengths, len(b))
	}
	intent.Sent = sent
	err := l.clone.Append(sent, lengths)
	for errors.Is(err, errCut) {
		l.cuts++
		l.open(t)
		var adopted bool
		if adopted, err = l.clone.Recover(l.mark, intent); err == nil && !adopted {
			err = l.clone.Append(sent, lengths)
		}
	}
	if err != nil {
		return nil, err
	}
	l.mark, err = l.clone.Mark()
	require.NoError(t, err)
	b := binding{}
	for _, run := range l.clone.Bound() {
		for i := range dclone.EntityID(run.N) {
			b[-(run.Src + i)] = run.Clone + i
		}
	}
	return b, nil
}

// check fails t unless the log has all frames once, and each that is not free behind all that came before it.
func check(t testing.TB, group []*frame, log []dclone.Tx, b binding) (inOrder bool) {
	stands := map[dclone.EntityID]dclone.EntityID{}
	for e, id := range b {
		_, twice := stands[id]
		require.False(t, twice, "entity %d stands for two", id)
		stands[id] = e
	}
	places := map[string][]int{}
	for i, tx := range log {
		stands[dclone.TxID(tx.T)] = self
		var forms []form
		for _, d := range tx.Datoms {
			forms = append(forms, form{added: d.Added, e: d.E, a: d.A, v: d.V})
		}
		k := text(forms, func(e dclone.EntityID) dclone.EntityID {
			if src, ok := stands[e]; ok {
				return src
			}
			return e
		})
		places[k] = append(places[k], i)
	}
	require.Len(t, log, len(group))
	inOrder = true
	for i, f := range group {
		k := text(f.forms, func(e dclone.EntityID) dclone.EntityID { return e })
		require.NotEmpty(t, places[k], "frame %d is not in the log as it was: %s", i, k)
		at := places[k][0]
		places[k] = places[k][1:]
		inOrder = inOrder && at == i
		if !f.free() {
			require.Equal(t, i, at, "a frame that is not free")
		}
	}
	return inOrder
}

// Whatever order transactions under way get in, whatever answers are lost and wherever the run is cut: the log has all
// frames once, and what tempids stand for is what it says.
func TestRandomWindows(t *testing.T) {
	mishaps, cuts, shuffled := 0, 0, 0
	all := seeds.Of(t, 150)
	for _, seed := range all {
		r := rand.New(rand.NewPCG(seed, 4))
		m := newModel(t, rand.New(rand.NewPCG(seed, 5)))
		window := 1 + r.IntN(6)
		m.rate = []int{0, 10, 30}[r.IntN(3)]
		l, src := newLoad(t, m, window), dclone.EntityID(1000)
		for range 1 + r.IntN(3) {
			group, from := randomLoad(t, r, &src), len(m.log)
			b, err := l.write(t, group)
			require.NoError(t, err, "seed %d", seed)
			if !check(t, group, m.log[from:], b) {
				shuffled++
				require.Greater(t, window, 1)
			}
		}
		require.LessOrEqual(t, m.most, window, "seed %d", seed)
		mishaps, cuts = mishaps+m.mishaps, cuts+l.cuts
	}
	t.Logf("%d mishaps, %d runs cut, %d groups in another order", mishaps, cuts, shuffled)
	if len(all) < 50 {
		return // so few may have been lucky
	}
	require.NotZero(t, mishaps)
	require.NotZero(t, cuts)
	require.NotZero(t, shuffled)
}

// Somebody else's transaction among those under way is found, in the run or in the next.
func TestForeignInWindow(t *testing.T) {
	for _, seed := range seeds.Of(t, 60) {
		r := rand.New(rand.NewPCG(seed, 4))
		m := newModel(t, rand.New(rand.NewPCG(seed, 5)))
		m.rate = []int{0, 10}[r.IntN(2)]
		l, src := newLoad(t, m, 4), dclone.EntityID(1000)
		group := randomLoad(t, r, &src)
		m.foreign = 1 + r.IntN(len(group))
		_, err := l.write(t, group)
		var drift *dest.DriftError
		require.ErrorAs(t, err, &drift, "seed %d", seed)
	}
}

// Frames with other instants, and those that need what others bring, wait.
func TestWindowAdmits(t *testing.T) {
	at := func(instant int64, binds dclone.EntityID, forms ...form) *frame {
		return &frame{binds: binds, forms: append([]form{{added: true, e: self, a: attrInstant, v: value(t, dclone.Instant(instant))}}, forms...)}
	}
	ref := func(e, v dclone.EntityID) form {
		return form{added: true, e: e, a: attrRef, v: value(t, int64(v)), tempids: dclone.WholeRef}
	}
	first := at(1000, beside, ref(-7, -7))
	for _, c := range []struct {
		name  string
		frame *frame
		ok    bool
	}{
		{"another entity", at(1000, beside, ref(-8, -8)), true},
		{"the same entity", at(1000, beside, ref(-7, 9)), false},
		{"a value", at(1000, beside, ref(-8, -7)), false},
		{"an attribute", at(1000, beside, form{e: -8, a: -7, v: value(t, int64(1))}), false},
		{"another instant", at(1001, beside, ref(-8, -8)), false},
		{"not free", at(1000, 0, ref(-8, -8)), false},
		{"a transaction of the source", at(1000, 500, ref(-8, -8)), false},
	} {
		w := newWindow(&Clone{opt: Options{Window: 2}, bound: binding{}})
		require.True(t, w.admits(first))
		w.open[first], w.brings[-7] = true, true
		require.Equal(t, c.ok, w.admits(c.frame), c.name)
		w.open[at(1000, beside)] = true
		require.False(t, w.admits(at(1000, beside, ref(-8, -8))), "the window is full")
	}
	w := newWindow(&Clone{opt: Options{Window: 2}, bound: binding{}})
	w.open[at(1000, 500)] = true
	require.False(t, w.admits(first), "beside one that is not free")
}

// Transactions that are nearly the same are told apart without a search through all orders of what they say.
func TestNearlyTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var group []*frame
	for i := range 20 {
		f := &frame{binds: beside, forms: []form{{added: true, e: self, a: attrInstant, v: value(t, dclone.Instant(1000))}}}
		for k, n := range r.Perm(500) {
			f.forms = append(f.forms, form{added: true, e: dclone.EntityID(-1000 - 500*i - k), a: attrLong, v: value(t, int64(n%2))})
		}
		group = append(group, f)
	}
	m := &transactor{t: t, next: 10_000, held: map[string]bool{}, bound: binding{}}
	order := []int{1, 0, 2, 5, 4, 7, 8, 6, 10, 9, 12}
	for _, i := range order {
		m.transact(group[i])
	}
	a := newAligner(group, m.log)
	a.frames = group
	require.True(t, a.align())
	require.Equal(t, order, a.became)
	require.Less(t, a.tried, 20_000)
	delete(a.bound, self)
	require.True(t, maps.Equal(m.bound, a.bound))
	require.Len(t, a.rest(), 9)

	// What is like no frame is told in the end.
	m.log[3].Datoms[7].V = value(t, int64(2))
	a = newAligner(group, m.log)
	a.frames = group
	require.False(t, a.align())
}
