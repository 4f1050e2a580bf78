package fressian_test

import (
	"testing"
	"unicode/utf8"

	"dclone/fressian"

	"github.com/stretchr/testify/require"
)

// addVectors seeds f with all vectors, those too that org.fressian refuses.
func addVectors(f *testing.F) {
	for _, v := range vectors(f, "bytes", "reads", "refuses") {
		f.Add(v.bytes)
	}
}

// What decodes is encoded and decoded to the same.
func FuzzDecoder(f *testing.F) {
	addVectors(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		values, err := readAll(b)
		if err != nil {
			var readError *fressian.Error
			require.ErrorAs(t, err, &readError)
			require.LessOrEqual(t, readError.Offset, len(b))
			return
		}
		e := fressian.NewEncoder(nil)
		for _, v := range values {
			require.NoError(t, e.Encode(v), "%.2000v", v)
		}
		again, err := readAll(e.Bytes())
		require.NoError(t, err)
		requireSame(t, values, again, "decoded, encoded, decoded")
	})
}

// Skip and Int agree with Decode about the value at the head of any input.
func FuzzSkip(f *testing.F) {
	addVectors(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		v, rest, err := fressian.Decode(b)
		n, skipErr := fressian.Skip(b)
		whole, size, isInt := fressian.Int(b)
		if err != nil {
			require.False(t, isInt)
			require.LessOrEqual(t, n, len(b)) // Skip may well measure what Decode refuses
			return
		}
		require.NoError(t, skipErr)
		require.Equal(t, len(b)-len(rest), n)
		if isInt {
			require.Equal(t, v, whole)
			require.Equal(t, n, size)
		} else if _, ok := v.(int64); ok {
			require.Contains(t, []byte{0xCD, 0xCF, 0xFE}, b[0], "%X", b)
		}
	})
}

// A string is encoded where it is WTF-8, and comes back as it was but for surrogates that were
// not, but could be, joined.
func FuzzText(f *testing.F) {
	for _, v := range vectors(f, "bytes") {
		for _, form := range parseForms(v.value, true) {
			if s, ok := form.(string); ok && len(s) < 1000 {
				f.Add(s)
			}
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := fressian.Append(nil, s)
		if err != nil {
			require.False(t, utf8.ValidString(s))
			return
		}
		got, rest, err := fressian.Decode(b)
		require.NoError(t, err)
		require.Empty(t, rest)
		if utf8.ValidString(s) {
			require.Equal(t, s, got)
		}
		again, err := fressian.Append(nil, got)
		require.NoError(t, err)
		require.Equal(t, b, again)
	})
}

// What a Walker makes stand alone is what a Decoder reads there.
func FuzzWalker(f *testing.F) {
	addVectors(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		got, _, err := walkAll(b)
		if err != nil {
			var readError *fressian.Error
			require.ErrorAs(t, err, &readError)
		}
		d := fressian.NewDecoder(b)
		for i := range got {
			want, err := d.Decode()
			if err != nil {
				require.ErrorContains(t, err, "references stand for more") // counted value by value
				return
			}
			requireSame(t, want, got[i], "walked")
		}
	})
}
