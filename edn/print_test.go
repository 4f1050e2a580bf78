package edn

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"testing"

	"dclone"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// dump prints v with the types of all its parts, which Append does not tell.
func dump(v any) string {
	switch v := v.(type) {
	case *big.Int, dclone.Instant, uuid.UUID:
		return fmt.Sprintf("%T %v", v, v)
	case dclone.Decimal:
		return fmt.Sprintf("%T %v e %d", v, v.Unscaled, v.Scale)
	case float64:
		return fmt.Sprintf("%T %v %t", v, v, math.Signbit(v))
	}
	s := fmt.Sprintf("%T", v)
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Slice:
		for i := range rv.Len() {
			s += " " + dump(rv.Index(i).Interface())
		}
		return "(" + s + ")"
	case reflect.Struct:
		for i := range rv.NumField() {
			s += " " + dump(rv.Field(i).Interface())
		}
		return "(" + s + ")"
	}
	return fmt.Sprintf("%s %q", s, fmt.Sprint(v))
}

func TestAppend(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, "nil"},
		{true, "true"},
		{7, "7"},
		{dclone.EntityID(13194139533312), "13194139533312"},
		{dclone.T(6), "6"},
		{bigint("42"), "42N"},
		{float32(0.1), "0.1"},
		{1.0, "1.0"},
		{math.Copysign(0, -1), "-0.0"},
		{1e21, "1.0E21"},
		{math.NaN(), "##NaN"},
		{float32(math.Inf(-1)), "##-Inf"},
		{dclone.Decimal{}, "0M"},
		{dec(100, 2), "1.00M"},
		{dec(-1, 9), "-1E-9M"},
		{"a\"\\\n\x00\x7f\u0085\u2028é😀", `"a\"\\\n\u0000\u007F\u0085\u2028é😀"`},
		{"\xed\xa0\xbdx\xed\xb8\x80", `"\uD83Dx\uDE00"`},
		{"\xffa\xed\xa0", "\"\uFFFDa\uFFFD\uFFFD\""},
		{Char('a'), `\a`},
		{Char(' '), `\space`},
		{Char(','), `\,`},
		{Char(0), `\u0000`},
		{Char(0xa0), `\u00A0`},
		{kw("db", "id"), ":db/id"},
		{dclone.Keyword{EmptyNamespace: true, Name: "x"}, ":/x"},
		{kw("", "with space"), ":with space"},
		{sym("a.b", "c"), "a.b/c"},
		{dclone.Instant(1709210096789), `#inst "2024-02-29T12:34:56.789-00:00"`},
		{dclone.Instant(math.MaxInt64), `#inst "+292278994-08-17T07:12:55.807-00:00"`},
		{dclone.Instant(math.MinInt64), `#inst "-292269054-12-02T16:47:04.192-00:00"`},
		{uuid.MustParse("01234567-89ab-cdef-0123-456789abcdef"), `#uuid "01234567-89ab-cdef-0123-456789abcdef"`},
		{dclone.URI("urn:x"), `#uri "urn:x"`},
		{[]byte{0, 0xff}, `#bytes "00ff"`},
		{[]any{int64(1), nil, "x"}, `[1 nil "x"]`},
		{Vector{List{int64(1), int64(2)}, Set{kw("", "a")}}, "[(1 2) #{:a}]"},
		{Map{{kw("", "a"), int64(1)}, {"b", Map{}}}, `{:a 1, "b" {}}`},
		{Tagged{sym("my", "tag"), Vector(nil)}, "#my/tag []"},
	} {
		require.Equal(t, c.want, string(Append(nil, c.v)))
		require.Equal(t, "x"+c.want, string(Append([]byte("x"), c.v)))
	}
	require.Panics(t, func() { Append(nil, struct{}{}) })
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{nil, nil, true},
		{nil, false, false},
		{int64(1), bigint("1"), true},
		{int64(1), 1.0, false},
		{1.0, dec(1, 0), false},
		{0.0, math.Copysign(0, -1), true},
		{math.NaN(), math.NaN(), true},
		{float32(0.5), 0.5, true},
		{dec(10, 1), dec(1, 0), true},
		{dec(0, 5), dec(0, -5), true},
		{dec(1, math.MinInt32), dec(10, math.MinInt32), false},
		{kw("", "a"), sym("", "a"), false},
		{kw("", "a"), kw("", "a"), true},
		{kw("a", "b"), kw("", "a/b"), false},
		{kw("", ""), dclone.Keyword{EmptyNamespace: true}, false},
		{Vector{kw("", "a"), kw("", "b")}, Vector{kw("", "a :b")}, false},
		{Vector{kw("", "a"), kw("", "b")}, []any{kw("", "a"), kw("", "b")}, true},
		{Vector{}, List{}, true},
		{Vector{}, Set{}, false},
		{Map{}, Set{}, false},
		{Map{{"a", "b"}}, Map{{"b", "a"}}, false},
		{Map{{1, 2}, {3, 4}}, Map{{3, 4}, {1, 2}}, true},
		{Tagged{sym("", "a"), 1}, Tagged{sym("", "a"), bigint("1")}, true},
		{"a", Char('a'), false},
		{"a", dclone.URI("a"), false},
	} {
		require.Equal(t, c.want, Equal(c.a, c.b), "%v %v", c.a, c.b)
		require.Equal(t, c.want, Equal(c.b, c.a), "%v %v", c.b, c.a)
	}
}

func TestGet(t *testing.T) {
	m := Map{{kw("", "a"), int64(1)}, {bigint("2"), nil}}
	v, ok := m.Get(kw("", "a"))
	require.True(t, ok)
	require.Equal(t, int64(1), v)
	v, ok = m.Get(int64(2))
	require.True(t, ok)
	require.Nil(t, v)
	_, ok = m.Get("a")
	require.False(t, ok)
	require.True(t, Set{int64(2)}.Contains(bigint("2")))
	require.False(t, Set{int64(2)}.Contains(nil))
}

// TestRoundTrip prints random values and reads them back.
func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		v := randomValue(r, 3)
		text := Append(nil, v)
		got, err := Parse(text)
		require.NoError(t, err, "%s", text)
		require.Equal(t, dump(v), dump(got), "%s", text)
		require.True(t, Equal(v, got), "%s", text)
	}
}

func TestRoundTripFloat32(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		f := math.Float32frombits(r.Uint32())
		got, err := Parse(Append(nil, f))
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(f), fmt.Sprint(float32(got.(float64))))
	}
}

func randomValue(r *rand.Rand, depth int) any {
	n := 14
	if depth > 0 {
		n = 19
	}
	switch r.IntN(n) {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return int64(r.Uint64() >> r.IntN(64))
	case 3:
		return math.Float64frombits(r.Uint64())
	case 4:
		return float64(r.IntN(100000)) / 100
	case 5:
		z := new(big.Int).SetUint64(r.Uint64())
		return z.Mul(z, big.NewInt(r.Int64()-1<<62))
	case 6:
		return dclone.Decimal{Unscaled: big.NewInt(int64(r.Uint64() >> r.IntN(64))), Scale: int32(r.Uint32()) >> r.IntN(32)}
	case 7, 8:
		return randomString(r)
	case 9:
		return Char(r.IntN(0xd800))
	case 10:
		return kw([]string{"", "a", "a.b", "é", "1"}[r.IntN(5)], []string{"a", "b-c", "*!?", "日", "/"}[r.IntN(5)])
	case 11:
		return sym([]string{"", "a", "a.b", "é"}[r.IntN(4)], []string{"a", "b-c", "*!?", "日", "-", "/"}[r.IntN(6)])
	case 12:
		return dclone.Instant(int64(r.Uint64()) >> r.IntN(64))
	case 13:
		return []any{uuid.UUID{byte(r.IntN(256)), 15: 1}, dclone.URI(randomString(r)), []byte(randomString(r))}[r.IntN(3)]
	}
	elems := make([]any, r.IntN(4))
	for i := range elems {
		elems[i] = randomValue(r, depth-1)
	}
	return randomColl(r, elems)
}

func randomColl(r *rand.Rand, elems []any) any {
	if i := firstDuplicate(elems); i >= 0 {
		elems = elems[:i]
	}
	switch r.IntN(5) {
	case 0:
		return List(elems)
	case 1:
		return Set(elems)
	case 2:
		return Tagged{sym("x", "y"), Vector(elems)}
	case 3:
		m := Map{}
		for i, e := range elems {
			m = append(m, Entry{e, elems[len(elems)-1-i]})
		}
		return m
	}
	return Vector(elems)
}

func randomString(r *rand.Rand) string {
	pieces := []string{"a", "\"", "\\", "\n", "\x00", "\x1f", "\x7f", "é", "日", "😀", "\uFFFD", "\uFEFF", ";", " "}
	b := []byte{}
	for range r.IntN(8) {
		if r.IntN(6) == 0 { // a lone high surrogate; a low one behind it would make a pair
			b = append(appendUnit(b, 0xd800+rune(r.IntN(0x400))), 'x')
		}
		b = append(b, pieces[r.IntN(len(pieces))]...)
	}
	return string(b)
}
