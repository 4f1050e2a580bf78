package local

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"dclone"
	"dclone/fressian"

	"github.com/stretchr/testify/require"
)

// An orderVector is a line of a recorded file: a value of a kind, and how it compares with each
// value of the same kind.
type orderVector struct {
	kind  string
	value dclone.Value
	signs string
}

func readOrder(t testing.TB, path string) []orderVector {
	recorded, err := os.ReadFile(path)
	require.NoError(t, err)
	var vectors []orderVector
	for line := range strings.Lines(string(recorded)) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		value, err := hex.DecodeString(parts[1])
		require.NoError(t, err)
		vectors = append(vectors, orderVector{kind: parts[0], value: value, signs: strings.Join(parts[2:], "")})
	}
	require.NotEmpty(t, vectors, "no vectors in %s", path)
	return vectors
}

// byKind cuts vectors into runs of a kind.
func byKind(vectors []orderVector) map[string][]orderVector {
	kinds := map[string][]orderVector{}
	for _, v := range vectors {
		kinds[v.kind] = append(kinds[v.kind], v)
	}
	return kinds
}

func sign(c int) string { return string("<=>"[cmp.Compare(c, 0)+1]) }

// TestValueOrder compares with Clojure's compare, as testdata/ValueOrder.java recorded it.
func TestValueOrder(t *testing.T) {
	kinds := byKind(readOrder(t, "testdata/value-order.txt"))
	require.Len(t, kinds, 11)
	for kind, vectors := range kinds {
		for _, a := range vectors {
			require.Len(t, a.signs, len(vectors))
			require.True(t, orderCertain(a.value), "%s %x", kind, a.value)
			for i, b := range vectors {
				require.Equal(t, a.signs[i:i+1], sign(compareValues(a.value, b.value)), "%s %x %x", kind, a.value, b.value)
			}
		}
	}
}

// TestLocalOrder compares with the order Datomic Local has values in, as
// testdata/local-order.clj recorded it.
func TestLocalOrder(t *testing.T) {
	kinds := byKind(readOrder(t, "testdata/local-order.txt"))
	require.Len(t, kinds, 20)
	for kind, vectors := range kinds {
		for i, a := range vectors {
			for _, b := range vectors[i+1:] {
				require.LessOrEqual(t, compareValues(a.value, b.value), 0, "%s %x %x", kind, a.value, b.value)
				require.GreaterOrEqual(t, compareValues(b.value, a.value), 0, "%s %x %x", kind, b.value, a.value)
			}
		}
	}
}

// TestOrderOfChunks cuts the same texts into chunks in different ways.
func TestOrderOfChunks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func() []byte {
		b := make([]byte, r.IntN(12))
		for i := range b {
			b[i] = "ab"[r.IntN(2)]
		}
		return b
	}
	for range 20000 {
		a, b := text(), text()
		for _, c := range []struct {
			code    string
			base    byte
			compare func(a, b []byte) int
		}{
			{"", codeText, bytes.Compare},
			{"", codeBytes, compareBytes},
			{"\xc6", codeBytes, compareBigInt},
			{"\xc5", codeText, compareURI},
		} {
			va, vb := chunks(r, []byte(c.code), c.base, a), chunks(r, []byte(c.code), c.base, b)
			require.Equal(t, c.compare(a, b), compareValues(va, vb), "%x %x", va, vb)
		}
	}
}

// chunks appends text or bytes in chunks of random lengths.
func chunks(r *rand.Rand, dst []byte, base byte, content []byte) dclone.Value {
	for r.IntN(2) == 0 {
		n := r.IntN(len(content) + 1)
		dst = fressian.AppendInt(append(dst, base+codeChunk), int64(n))
		dst, content = append(dst, content[:n]...), content[n:]
	}
	if len(content) < codeChunk && r.IntN(2) == 0 {
		return append(append(dst, base+byte(len(content))), content...)
	}
	dst = fressian.AppendInt(append(dst, base+codeLast), int64(len(content)))
	return append(dst, content...)
}

func encode(t testing.TB, v any) dclone.Value {
	b, err := fressian.Append(nil, v)
	require.NoError(t, err)
	return b
}

// TestOrderOfOthers is the order Local has no say in.
func TestOrderOfOthers(t *testing.T) {
	ascending := []dclone.Value{
		encode(t, nil),
		encode(t, int64(-5)),
		encode(t, int64(5)),
		encode(t, dclone.Instant(-6)),
		encode(t, false),
		encode(t, true),
		encode(t, ""),
		encode(t, "a"),
		encode(t, dclone.Kw("", "a")),
		encode(t, dclone.Symbol(dclone.Kw("", "a"))),
		encode(t, float32(math.NaN())),
		encode(t, float32(math.Inf(-1))),
		encode(t, math.NaN()),
		encode(t, math.Inf(-1)),
		{codeBigInt, codeBytes + 1, 0xff},
		{codeBigInt, codeBytes},
		{codeBigDec, codeBytes + 1, 0xff, 0},
		{codeBigDec, codeBytes, 0},
		{codeUUID, codeBytes + codeLast, 16, 15: 0, 18: 0},
		encode(t, dclone.URI("a")),
		{codeList0},
		{codeList, 1, codeNil},
		{codeList0 + 1, 7},
		encode(t, []byte("\xff")),
		encode(t, []byte("a")),
		encode(t, []byte("b")),
		encode(t, []byte("a\x80")),
		encode(t, []byte("aa")),
		{},
		{0xc0},
	}
	for i, a := range ascending {
		for j, b := range ascending {
			require.Equal(t, cmp.Compare(i, j), compareValues(a, b), "%x %x", a, b)
		}
	}
}

// TestOrderOfOddIntegers is of encodings Java would not make.
func TestOrderOfOddIntegers(t *testing.T) {
	for _, same := range [][2]string{
		{"\xc6\xd0", "\xc6\xd2\x00\x00"},
		{"\xc6\xd3\x00\x00\x7f", "\xc6\xd1\x7f"},
		{"\xc6\xd3\xff\xff\x80", "\xc6\xd1\x80"},
		{"\xc7\xd2\x00\x01\x00", "\xc7\xd1\x0a\x01"},
		{"\xf8\x00\x00\x00\x00\x00\x00\x00\x05", "\x05"},
		{"\xfa\x80\x00\x00\x00\x00\x00\x00\x00", "\xfb"},
	} {
		require.Zero(t, compareValues(dclone.Value(same[0]), dclone.Value(same[1])), "%x", same)
	}
}

func TestOrderCertain(t *testing.T) {
	name := "\xca\xcd\xdba\xcd\xdbb"
	for _, c := range []struct {
		value string
		want  bool
	}{
		{"\x05", true},
		{"\xf7", true},
		{"\xf9\x7f\xc0\x00\x00", false}, // NaN
		{"\xfa\x7f\xf8\x00\x00\x00\x00\x00\x01", false}, // NaN
		{"\xfa\x7f\xf0\x00\x00\x00\x00\x00\x00", true},
		{"\xd1\x00", false}, // bytes
		{"\xc5\xdba", true},
		{"\xc5\xde//a_", false},
		{"\xe6\x01\xf7", true},
		{"\xe5\xd1\x00", false},
		{"\xe5\xe5\x01", false},
		{"\xe6\x01", false},
		{"\xe5\x01\x01", false},
		{"\xec\xff", false},
		{"", false},
		{"\x05\x05", false},
		{"\xdc\x05", false},
		{"\xe3\xff", false},
		{"\xe3", false},
		{"\xe2\x01a", false},
		{"\xe2\x01a\xda", true},
		{"\xf9\x00", false},
		{"\xc3\xd1\x00", false},
		{"\xc7\xd1\x01\xf8\x00\x00\x00\x01\x00\x00\x00\x00", false},
		{name, true},
		{"\xe6" + name + "\xca\x80\x81", true},
		{"\xe6" + name + "\xca\x80\x82", false},
		{"\xca\x80\xdba", false},
		{"\xca\xf7", false},
		{"\xc0\xe4", false},
	} {
		require.Equal(t, c.want, orderCertain(dclone.Value(c.value)), "%x", c.value)
	}
}

func TestOrderAllocatesNothing(t *testing.T) {
	for _, pair := range [][2]any{
		{int64(1), int64(1000)},
		{"abc", "abd"},
		{strings.Repeat("x", 70000), strings.Repeat("x", 70001)},
		{true, false},
		{dclone.Kw("a", "b"), dclone.Kw("a", "c")},
		{1.5, 2.5},
		{dclone.Instant(1), dclone.Instant(2)},
		{dclone.URI("http://example.com/a"), dclone.URI("HTTP://example.com/b")},
		{[]any{int64(1), nil, "a"}, []any{int64(1), nil, "b"}},
	} {
		a, b := encode(t, pair[0]), encode(t, pair[1])
		require.Zero(t, testing.AllocsPerRun(10, func() { compareValues(a, b) }), "%v", pair[0])
	}
}

func FuzzCompareValues(f *testing.F) {
	vectors := append(readOrder(f, "testdata/value-order.txt"), readOrder(f, "testdata/local-order.txt")...)
	for i, v := range vectors {
		if i%16 == 0 {
			f.Add([]byte(v.value), []byte(vectors[(i+1)%len(vectors)].value))
		}
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		require.Zero(t, compareValues(a, a))
		require.Zero(t, compareValues(b, bytes.Clone(b)))
		require.Equal(t, cmp.Compare(compareValues(a, b), 0), -cmp.Compare(compareValues(b, a), 0))
		orderCertain(a)
	})
}

func BenchmarkCompareValues(b *testing.B) {
	for name, pair := range map[string][2]any{
		"long":    {int64(1 << 40), int64(1<<40 + 1)},
		"string":  {"some name", "some other"},
		"keyword": {dclone.Kw("some", "name"), dclone.Kw("some", "other")},
		"double":  {1.5, 2.5},
		"uri":     {dclone.URI("http://example.com/a"), dclone.URI("http://example.com/b")},
	} {
		b.Run(name, func(b *testing.B) {
			x, y := encode(b, pair[0]), encode(b, pair[1])
			for b.Loop() {
				compareValues(x, y)
			}
		})
	}
}
