package fressian_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"dclone"
	"dclone/fressian"

	"github.com/stretchr/testify/require"
)

// edges returns the ints around every power of two, from both sides of zero.
func edges() (vs []int64) {
	for k := range 64 {
		p := int64(1) << k
		vs = append(vs, p-2, p-1, p, p+1, -p-2, -p-1, -p, -p+1)
	}
	return append(vs, math.MinInt64, math.MaxInt64)
}

func TestIntRoundTrip(t *testing.T) {
	vs := edges()
	for range 100_000 {
		vs = append(vs, int64(rand.Uint64())>>rand.IntN(64))
	}
	for _, v := range vs {
		b := fressian.AppendInt(nil, v)
		require.Equal(t, fressian.SizeInt(v), len(b), "%d", v)
		for _, input := range [][]byte{b, append(b[:len(b):len(b)], "and more"...)} {
			got, n, ok := fressian.Int(input)
			if !ok || got != v || n != len(b) {
				t.Fatalf("Int(%X) = %d, %d, %t for %d", input, got, n, ok, v)
			}
		}
		for n := range b {
			_, _, ok := fressian.Int(b[:n])
			require.False(t, ok, "%X of %X", b[:n], b)
		}
	}
}

func TestIntVectors(t *testing.T) {
	for _, v := range vectors(t, "bytes", "reads") {
		all := values(parseForms(v.value, true))
		if len(all) == 0 {
			continue // only footers
		}
		want, isInt := all[0].(int64)
		got, n, ok := fressian.Int(v.bytes)
		if !ok {
			require.True(t, !isInt || v.bytes[0] == 0xCD || v.bytes[0] == 0xFE || v.bytes[0] == 0xCF, v.name)
			continue
		}
		require.True(t, isInt, v.name)
		require.Equal(t, want, got, v.name)
		skipped, err := fressian.Skip(v.bytes)
		require.NoError(t, err, v.name)
		require.Equal(t, skipped, n, v.name)
	}
}

func TestIntRefuses(t *testing.T) {
	for c := 0x80; c < 0xFF; c++ {
		if c != 0xF8 {
			_, n, ok := fressian.Int([]byte{byte(c), 0, 0, 0, 0, 0, 0, 0, 0, 0})
			require.False(t, ok, "%02X", c)
			require.Zero(t, n)
		}
	}
	_, _, ok := fressian.Int(nil)
	require.False(t, ok)
}

func TestHotPathsAllocateNothing(t *testing.T) {
	encoded, err := fressian.Append(nil, []any{nil, "text", dclone.Kw("db", "ident"), dclone.Instant(1), []any{1.5}})
	require.NoError(t, err)
	buf := make([]byte, 0, 16)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		buf = fressian.AppendInt(buf[:0], 17<<42+5)
		_, _, _ = fressian.Int(buf)
		_, _ = fressian.Skip(encoded)
	}))
}
