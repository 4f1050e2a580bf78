package eidmap

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/fressian"
)

func encode(t testing.TB, v any) dclone.Value {
	t.Helper()
	b, err := fressian.Append(nil, v)
	require.NoError(t, err)
	return b
}

func TestRewrite(t *testing.T) {
	plus := func(e dclone.EntityID) (dclone.EntityID, error) { return e + 1<<42, nil }
	const one, two = int64(1), int64(1 << 20)
	for _, c := range []struct {
		in   any
		refs dclone.Refs
		out  any
	}{
		{one, dclone.NoRefs, one},
		{one, dclone.WholeRef, one + 1<<42},
		{[]any{one, nil, two}, dclone.AllRefs, []any{one + 1<<42, nil, two + 1<<42}},
		{[]any{one, nil, two}, 1 << 2, []any{one, nil, two + 1<<42}},
		{[]any{nil, one, "x", one}, 1<<0 | 1<<1, []any{nil, one + 1<<42, "x", one}},
		{[]any{one, one, one, one, one, one, one, one}, 1 << 7, []any{one, one, one, one, one, one, one, one + 1<<42}},
		{[]any{"\U0001f600", dclone.Kw("a", "a"), one}, 1 << 2, []any{"\U0001f600", dclone.Kw("a", "a"), one + 1<<42}},
		{[]any{}, dclone.AllRefs, []any{}},
	} {
		got, err := Rewrite([]byte("before"), encode(t, c.in), c.refs, plus)
		require.NoError(t, err)
		require.Equal(t, append([]byte("before"), encode(t, c.out)...), got, "%v", c.in)
		var met []dclone.EntityID
		require.NoError(t, EachRef(encode(t, c.in), c.refs, func(e dclone.EntityID) { met = append(met, e) }))
	}
}

func TestRewriteRefuses(t *testing.T) {
	no := errors.New("no")
	_, err := Rewrite(nil, encode(t, int64(5)), dclone.WholeRef, func(dclone.EntityID) (dclone.EntityID, error) { return 0, no })
	require.ErrorIs(t, err, no)
	_, err = Rewrite(nil, encode(t, []any{int64(5)}), dclone.AllRefs, func(dclone.EntityID) (dclone.EntityID, error) { return 0, no })
	require.ErrorIs(t, err, no)
	none := func(e dclone.EntityID) (dclone.EntityID, error) { return e, nil }
	for _, v := range []dclone.Value{nil, {}, encode(t, "x"), encode(t, int64(-1)), append(encode(t, int64(1)), 0), {0xf8, 1}} {
		_, err := Rewrite(nil, v, dclone.WholeRef, none)
		require.Error(t, err, "% x", []byte(v))
	}
	for _, v := range []dclone.Value{nil, encode(t, int64(1)), encode(t, []any{"x"}), encode(t, []any{int64(-3)}),
		append(encode(t, []any{int64(1)}), 0), {0xe6, 1}, {0xec, 0x7f, 1, 1}, {0xec, 0xff}} {
		_, err := Rewrite(nil, v, dclone.AllRefs, none)
		require.Error(t, err, "% x", []byte(v))
	}
}

func FuzzRewrite(f *testing.F) {
	seeds := []any{int64(5), int64(1 << 45), []any{int64(1), nil, "x"}, []any{int64(1), []any{int64(2)}}, "text", nil,
		[]any{int64(1), int64(2), int64(3), int64(4), int64(5), int64(6), int64(7), int64(8)}}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		for _, refs := range []dclone.Refs{dclone.NoRefs, dclone.WholeRef, dclone.AllRefs, 5} {
			f.Add([]byte(encode(f, s)), uint64(refs))
		}
	}
	f.Fuzz(func(t *testing.T, v []byte, refs uint64) {
		var met []dclone.EntityID
		err := EachRef(v, dclone.Refs(refs), func(e dclone.EntityID) { met = append(met, e) })
		same, err2 := Rewrite(nil, v, dclone.Refs(refs), func(e dclone.EntityID) (dclone.EntityID, error) { return e, nil })
		require.Equal(t, err == nil, err2 == nil)
		if err != nil {
			return
		}
		for _, e := range met {
			require.GreaterOrEqual(t, e, dclone.EntityID(0))
		}
		n := 0
		moved, err := Rewrite(nil, v, dclone.Refs(refs), func(e dclone.EntityID) (dclone.EntityID, error) { n++; return e ^ 1, nil })
		require.NoError(t, err)
		require.Equal(t, len(met), n)
		back, err := Rewrite(nil, moved, dclone.Refs(refs), func(e dclone.EntityID) (dclone.EntityID, error) { return e ^ 1, nil })
		require.NoError(t, err)
		require.Equal(t, same, back)
	})
}
