package fressian_test

import (
	"math/big"
	"testing"

	"dclone"
	"dclone/fressian"

	"github.com/stretchr/testify/require"
)

func TestEncoderRefuses(t *testing.T) {
	deep := any(int64(1))
	for range fressian.MaxDepth + 1 {
		deep = []any{deep}
	}
	tests := []struct {
		value any
		want  string
	}{
		{5, "int is no fressian type"},
		{struct{}{}, "struct {} is no fressian type"},
		{dclone.Value{0x05}, "dclone.Value is no fressian type"},
		{[]any{int64(1), uint8(2)}, "uint8 is no fressian type"},
		{(*big.Int)(nil), "bigint is a nil *big.Int"},
		{dclone.Decimal{}, "bigdec has a nil Unscaled"},
		{fressian.Tagged{Tag: "key"}, `struct "key": the tag is fressian's own`},
		{"a\xff", "byte 1 of a string's 2 is not WTF-8"},
		{"\xed\xa0", "byte 0 of a string's 2 is not WTF-8"},
		{dclone.Kw("a", "\x80"), "byte 0 of a string's 1 is not WTF-8"},
		{dclone.URI("\xc0\x80"), "byte 0 of a string's 2 is not WTF-8"},
		{deep, "nested deeper than 128"},
	}
	for _, test := range tests {
		before := []byte("before")
		b, err := fressian.Append(before, test.value)
		require.EqualError(t, err, "write fressian: "+test.want)
		require.Equal(t, before, b)
	}
}

// A value that cannot be written leaves no trace, in the caches least of all.
func TestEncoderForgetsWhatFails(t *testing.T) {
	fails := []any{dclone.Kw("new", "name"), fressian.Tagged{Tag: "new", Fields: []any{nil}}, fressian.Cached{Value: "x"}, 5}
	works := []any{dclone.Kw("a", "b"), fressian.Tagged{Tag: "t", Fields: []any{nil}}, fressian.Cached{Value: []any{"x"}}}
	for range 20 { // beyond where a cache has an index
		fails = append([]any{dclone.Kw("ns", "name")}, fails...)
		works = append(works, fressian.Cached{Value: "w" + string(rune('a'+len(works)))})
	}
	want, got := fressian.NewEncoder(nil), fressian.NewEncoder(nil)
	for _, v := range append(works, works...) {
		require.NoError(t, want.Encode(v))
		require.Error(t, got.Encode(fails))
		require.NoError(t, got.Encode(v))
	}
	require.Equal(t, want.Bytes(), got.Bytes())
}

func TestEncoderLists(t *testing.T) {
	e := fressian.NewEncoder([]byte("before"))
	require.EqualError(t, e.EndList(), "write fressian: end of a list that was not begun")
	require.NoError(t, e.Encode(int64(1)))
	require.EqualError(t, e.BeginOpenList(), "write fressian: open list after other values")
	e.Footer()
	require.NoError(t, e.BeginOpenList())
	for range fressian.MaxDepth - 1 {
		require.NoError(t, e.BeginList())
	}
	require.EqualError(t, e.BeginList(), "write fressian: nested deeper than 128")
	require.EqualError(t, e.Encode([]any{}), "write fressian: nested deeper than 128")
	require.NoError(t, e.Encode("leaf"))
	for range fressian.MaxDepth {
		require.NoError(t, e.EndList())
	}
	got, err := readAll(e.Bytes()[len("before"):])
	require.NoError(t, err)
	require.Len(t, got, 2)
}

// Whatever the Encoder writes at its deepest, the Decoder reads.
func TestDeepestValues(t *testing.T) {
	leaves := []any{int64(1), "text", []byte("bytes"), true, nil}
	structs := []any{
		dclone.Kw("a", "b"), dclone.Symbol{Name: "s"}, dclone.Instant(1), big.NewInt(1), dclone.URI("u"),
		fressian.Cached{Value: dclone.Kw("a", "b")}, []int64{1}, fressian.Objects{}, fressian.Tagged{Tag: "t"}, []any{},
	}
	wrap := func(v any, levels int) any {
		for range levels {
			v = fressian.Tagged{Tag: "w", Fields: []any{v}}
		}
		return v
	}
	for _, v := range append(structs, leaves...) {
		b, err := fressian.Append(nil, wrap(v, fressian.MaxDepth-1))
		require.NoError(t, err, "%T", v)
		_, _, err = fressian.Decode(b)
		require.NoError(t, err, "%T", v)
		n, err := fressian.Skip(b)
		require.NoError(t, err, "%T", v)
		require.Equal(t, len(b), n)
	}
	for _, v := range structs {
		_, err := fressian.Append(nil, wrap(v, fressian.MaxDepth))
		require.ErrorContains(t, err, "nested deeper", "%T", v)
	}
}

// The same tag with other fields is another struct type. FressianWriter takes it for the same and
// writes what nobody can read.
func TestStructTypesDifferByFields(t *testing.T) {
	want := []any{
		fressian.Tagged{Tag: "t", Fields: []any{int64(1)}}, fressian.Tagged{Tag: "t", Fields: []any{}},
		fressian.Tagged{Tag: "t", Fields: []any{int64(2)}}, fressian.Tagged{Tag: "t", Fields: []any{}},
	}
	b, err := fressian.Append(nil, want)
	require.NoError(t, err)
	require.Equal(t, parseHex("E8EFDB740101EFDB7400A002A1"), b)
	got, _, err := fressian.Decode(b)
	require.NoError(t, err)
	require.Equal(t, any(want), got)
}

func TestCachedTwiceIsCached(t *testing.T) {
	twice := fressian.Cached{Value: fressian.Cached{Value: []any{"x"}}}
	b, err := fressian.Append(nil, []any{twice, twice})
	require.NoError(t, err)
	require.Equal(t, parseHex("E6CDE5DB7880"), b)
}
