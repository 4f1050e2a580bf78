package local

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/fressian"
)

// requireAlike makes sure that the forms, or the keys, of two values compare as the values do. It
// returns false where the values are refused.
func requireAlike(t *testing.T, a, b dclone.Value) bool {
	k, other := &keyer{}, &keyer{}
	x, err := k.form(a)
	if err != nil {
		return false
	}
	other.kind = k.kind
	y, err := other.form(b)
	if err != nil {
		return false
	}
	want := compareValues(a, b)
	require.Equal(t, cmp.Compare(want, 0), bytes.Compare(x, y), "forms %x and %x of %x and %x", x, y, a, b)
	if k.numbers() {
		m, err := k.number(a)
		require.NoError(t, err)
		n, err := k.number(b)
		require.NoError(t, err)
		require.Equal(t, cmp.Compare(want, 0), cmp.Compare(m, n), "keys of %x and %x", a, b)
		return true
	}
	for offset := 0; ; offset += chunkBytes {
		m, n := chunkKey(x, offset), chunkKey(y, offset)
		if m != n {
			require.Equal(t, want < 0, m < n, "chunks of %x and %x", a, b)
			return true
		}
		if m&0xff != moreChunks {
			require.Zero(t, want)
			return true
		}
	}
}

func TestForms(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	encode := func(v any) dclone.Value {
		raw, err := fressian.Append(nil, v)
		require.NoError(t, err)
		return raw
	}
	for _, vt := range valueTypes {
		var values []dclone.Value
		for range 80 {
			values = append(values, encode(vt.gen(r)))
		}
		for _, a := range values {
			for _, b := range values {
				require.True(t, requireAlike(t, a, b))
			}
		}
	}
	for _, id := range tupleTypes {
		for range 2000 {
			require.True(t, requireAlike(t, encode(genTuple(r, id)), encode(genTuple(r, id))))
		}
	}
	mixed := func() (tuple []any) {
		for _, vt := range valueTypes {
			tuple = append(tuple, vt.gen(r))
		}
		return tuple
	}
	for range 1000 {
		a, b := mixed(), mixed()
		copy(b, a[:r.IntN(len(a))])
		require.True(t, requireAlike(t, encode(a), encode(b)))
	}
}

func TestFormsOfEdges(t *testing.T) {
	decimal := func(unscaled string, scale int32) dclone.Decimal {
		x, ok := new(big.Int).SetString(unscaled, 10)
		require.True(t, ok)
		return dclone.Decimal{Unscaled: x, Scale: scale}
	}
	for _, values := range [][]any{
		{decimal("0", 0), decimal("0", 100), decimal("0", -100), decimal("1", 0), decimal("10", 1), decimal("-1", 0),
			decimal("-100", 2), decimal("1", math.MaxInt32), decimal("1", math.MinInt32), decimal("-1", math.MinInt32),
			decimal("123456789012345678901234567890", 29), decimal("12", 1), decimal("-12", 1), decimal("-123", 2)},
		{float32(0), float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(1), float32(-1)},
		{[]any{nil}, []any{}, []any{nil, nil}, []any{int64(-1)}, []any{int64(0)}, []any{nil, int64(1)}},
		{"", "\x00", "\x00\x00", "a", "a\x00", "abcdefg", "abcdefgh", "abcdefg\x00", "abcdefg\x00\x00"},
		{[]any{"", ""}, []any{"\x00", ""}, []any{"", "\x00"}, []any{"a", "b"}, []any{"ab"}},
		{dclone.Kw("", "a"), dclone.Keyword{Name: "a", EmptyNamespace: true}, dclone.Kw("a", ""), dclone.Kw("a", "a"), dclone.Kw("a\x00", "a")},
		{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0.0, 1.0, math.Inf(1), math.Inf(-1)},
		{big.NewInt(0), big.NewInt(-1), big.NewInt(127), big.NewInt(128), big.NewInt(-128), big.NewInt(-129), big.NewInt(math.MinInt64)},
	} {
		var raw []dclone.Value
		for _, v := range values {
			b, err := fressian.Append(nil, v)
			require.NoError(t, err)
			raw = append(raw, b)
		}
		for _, a := range raw {
			for _, b := range raw {
				require.True(t, requireAlike(t, a, b))
			}
		}
	}
}

func FuzzForms(f *testing.F) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, vt := range valueTypes {
		a, err := fressian.Append(nil, vt.gen(r))
		require.NoError(f, err)
		b, err := fressian.Append(nil, vt.gen(r))
		require.NoError(f, err)
		f.Add(a, b)
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if checkValue(a) == nil && checkValue(b) == nil && orderCertain(a) && orderCertain(b) {
			requireAlike(t, a, b)
		}
	})
}
