package edn

import (
	"io"
	"math"
	"math/big"
	"strings"
	"testing"

	"dclone"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func kw(ns, name string) dclone.Keyword   { return dclone.Kw(ns, name) }
func sym(ns, name string) dclone.Symbol   { return dclone.Symbol(dclone.Kw(ns, name)) }
func bigint(s string) *big.Int            { z, _ := new(big.Int).SetString(s, 10); return z }
func dec(u int64, s int32) dclone.Decimal { return dclone.Decimal{Unscaled: big.NewInt(u), Scale: s} }

// texts are forms and what they read as. They seed the fuzzers too.
var texts = []struct {
	text string
	want any
}{
	{"nil", nil},
	{"true", true},
	{"false", false},
	{" ,\t\n1, ", int64(1)},
	{"\uFEFF1", int64(1)},
	{"\u20031", int64(1)},

	{"42", int64(42)},
	{"-7", int64(-7)},
	{"+7", int64(7)},
	{"-0", int64(0)},
	{"0x2a", int64(42)},
	{"-0X2A", int64(-42)},
	{"052", int64(42)},
	{"2r101010", int64(42)},
	{"36rZz", int64(1295)},
	{"36rN", int64(23)},
	{"42N", bigint("42")},
	{"0N", bigint("0")},
	{"0x10N", bigint("16")},
	{"9223372036854775807", int64(math.MaxInt64)},
	{"-9223372036854775808", int64(math.MinInt64)},
	{"9223372036854775808", bigint("9223372036854775808")},
	{"-123456789012345678901234567890", bigint("-123456789012345678901234567890")},

	{"1.5", 1.5},
	{"1.", 1.0},
	{"08.5", 8.5},
	{"1e10", 1e10},
	{"-1.5E-3", -1.5e-3},
	{"-0.0", math.Copysign(0, -1)},
	{"1e-400", 0.0},
	{"##NaN", math.NaN()},
	{"##Inf", math.Inf(1)},
	{"##-Inf", math.Inf(-1)},
	{"1.50M", dec(150, 2)},
	{"1M", dec(1, 0)},
	{"08M", dec(8, 0)},
	{"1.M", dec(1, 0)},
	{"-1.5E+10M", dec(-15, -9)},
	{"1E-7M", dec(1, 7)},

	{`""`, ""},
	{`"a\tb\r\n\\\"\b\f"`, "a\tb\r\n\\\"\b\f"},
	{"\"two\nlines\"", "two\nlines"},
	{`"é日\u00e9\u0000"`, "é日é\x00"},
	{`"\uD83D\uDE00😀"`, "😀😀"},
	{`"\uD83D"`, "\xed\xa0\xbd"},
	{`"\uDE00\uD83Dx"`, "\xed\xb8\x80\xed\xa0\xbdx"},
	{`"\uD83D\uD83D\uDE00"`, "\xed\xa0\xbd😀"},
	{`"\uD83D\n"`, "\xed\xa0\xbd\n"},

	{`\a`, Char('a')},
	{`\u`, Char('u')},
	{`\newline`, Char('\n')},
	{`\space`, Char(' ')},
	{`\u00e9`, Char('é')},
	{`\日`, Char('日')},
	{`\(`, Char('(')},
	{`\\`, Char('\\')},
	{`[\a\b]`, Vector{Char('a'), Char('b')}},

	{"foo", sym("", "foo")},
	{"ns.a/foo", sym("ns.a", "foo")},
	{"/", sym("", "/")},
	{"ns//", sym("ns", "/")},
	{"a/b/c", sym("a", "b/c")},
	{"-", sym("", "-")},
	{"+a", sym("", "+a")},
	{"a'#b", sym("", "a'#b")},
	{"nil?", sym("", "nil?")},
	{":a", kw("", "a")},
	{":db/id", kw("db", "id")},
	{":1", kw("", "1")},
	{":1/a", kw("1", "a")},
	{":/", kw("", "/")},
	{":a:b", kw("", "a:b")},
	{":ü/é", kw("ü", "é")},
	{":nil", kw("", "nil")},

	{"()", List{}},
	{"[]", Vector{}},
	{"{}", Map{}},
	{"#{}", Set{}},
	{"(1 (2))", List{int64(1), List{int64(2)}}},
	{`[1"a"[nil]:b]`, Vector{int64(1), "a", Vector{nil}, kw("", "b")}},
	{"#{2 1 1.0}", Set{int64(2), int64(1), 1.0}},
	{"{:b 1, :a 2}", Map{{kw("", "b"), int64(1)}, {kw("", "a"), int64(2)}}},
	{"{[1] 2}", Map{{Vector{int64(1)}, int64(2)}}},
	{"#:n{:a 1 :_/b 2 :x/c 3 d 4 \"e\" 5}", Map{
		{kw("n", "a"), int64(1)}, {kw("", "b"), int64(2)}, {kw("x", "c"), int64(3)},
		{sym("n", "d"), int64(4)}, {"e", int64(5)}}},
	{"#:n ,{}", Map{}},

	{`#inst "2024-02-29T12:34:56.789-00:00"`, dclone.Instant(1709210096789)},
	{`#inst"+10000-01-01"`, dclone.Instant(253402300800000)},
	{`#uuid "01234567-89AB-cdef-0123-456789abcdef"`, uuid.MustParse("01234567-89ab-cdef-0123-456789abcdef")},
	{`#uri "http://例え.jp/ü"`, dclone.URI("http://例え.jp/ü")},
	{`#bytes "00fF"`, []byte{0, 0xff}},
	{"#foo bar", Tagged{sym("", "foo"), sym("", "bar")}},
	{"#foo/bar #baz [1]", Tagged{sym("foo", "bar"), Tagged{sym("", "baz"), Vector{int64(1)}}}},

	{"; all\n1 ; this\r; not", int64(1)},
	{"[1 #_2 #_ #_ 3 4 #_[5 #_6]]", Vector{int64(1)}},
	{"#_1 {:a #_2 3 #_4}", Map{{kw("", "a"), int64(3)}}},
	{"#foo #_1 2", Tagged{sym("", "foo"), int64(2)}},
}

func TestParse(t *testing.T) {
	for _, c := range texts {
		got, err := Parse([]byte(c.text))
		require.NoError(t, err, c.text)
		require.Equal(t, dump(c.want), dump(got), c.text)
	}
}

// badTexts are what is refused, and why.
var badTexts = []struct{ text, problem string }{
	{"", "1:1: no form in the text"},
	{" #_1 ;x", "1:8: no form in the text"},
	{"1 2", "1:3: a second form, where only one may be"},
	{"1 ]", "1:3: a second form, where only one may be"},
	{"[1\n é (2]", "2:6: ] closes no list"},
	{")", "1:1: ) closes nothing"},
	{"[1\n[2]", "1:1: vector is not closed"},
	{" {:a", "1:2: map is not closed"},
	{"#{1", "1:2: set is not closed"},
	{"\"é\n", "1:1: string is not closed"},
	{`"\x"`, "1:2: unknown escape in a string"},
	{`"\7"`, "1:2: unknown escape in a string"},
	{`"é\u12"`, `1:3: \u is not followed by four hexadecimal digits`},
	{`"\u+123"`, `1:2: \u is not followed by four hexadecimal digits`},
	{"\"\xff\"", "1:2: byte 0xff is not UTF-8"},
	{"\"\xed\xa0\xbd\"", "1:2: byte 0xed is not UTF-8"},
	{`\`, "1:1: no character after a backslash"},
	{`\ab`, "1:1: no such character"},
	{`\ud83d`, "1:1: no such character"},
	{`\o101`, "1:1: no such character"},
	{"08", "1:1: an integer that begins with 0 is octal"},
	{"1a", "1:1: not a number"},
	{"1_0", "1:1: not a number"},
	{"0x", "1:1: not a number"},
	{"0x+5", "1:1: not a number"},
	{"2r2", "1:1: a digit is not of the radix"},
	{"37r1", "1:1: radix is not within 2 and 36"},
	{"1/2", "1:1: ratios are not EDN"},
	{".5", "1:1: a number needs a digit before its point"},
	{"1e400", "1:1: number is too large for a float"},
	{"1e3000000000M", "1:1: exponent is too large"},
	{"1e99999999999999999999M", "1:1: exponent is too large"},
	{strings.Repeat("1", maxNumber+1), "1:1: number is too long"},
	{"a/", "1:1: not a symbol"},
	{"a/1", "1:1: not a symbol"},
	{"a:", "1:1: not a symbol"},
	{":", "1:1: : is not a keyword"},
	{"::a", "1:1: ::a is not a keyword"},
	{":/a", "1:1: :/a is not a keyword"},
	{":a//b/", "1:1: :a//b/ is not a keyword"},
	{"[a@b]", "1:3: '@' is in no EDN token"},
	{"'a`b", "1:3: '`' is in no EDN token"},
	{"^:a []", "1:1: metadata is not EDN"},
	{"{:a}", "1:1: map has a key without a value"},
	{"{:a 1 :b 2 :a 3}", "1:12: key :a is in the map twice"},
	{"#:n{:a 1\n:n/a 2}", "2:1: key :n/a is in the map twice"},
	{"{1 2 1N 3}", "1:6: key is in the map twice"},
	{"{[1] 2 (1) 3}", "1:8: key is in the map twice"},
	{"#{1.0M 1.00M}", "1:8: element is in the set twice"},
	{"#{#{1 2} #{2 1}}", "1:10: element is in the set twice"},
	{"#{{:a 1 :b 2} {:b 2 :a 1}}", "1:15: element is in the set twice"},
	{"#:n{:a 1 :0 2}", "1:10: key cannot be in namespace n"},
	{"#:n{_/nil 1}", "1:5: key cannot be in namespace n"},
	{"#:@{}", "1:3: '@' is in no EDN token"},
	{"#:n", "1:1: no map after #:n"},
	{"#:n #foo", "1:1: no map after #:n"},
	{"\uFEFF\uFEFF", `1:1: '\ufeff' is in no EDN token`},
	{"##@", "1:3: '@' is in no EDN token"},
	{"#a@", "1:3: '@' is in no EDN token"},
	{"\\a@", "1:3: '@' is in no EDN token"},
	{"[#_)]", "1:4: ) closes nothing"},
	{"1 #_)", "1:5: ) closes nothing"},
	{"#:n/m{}", "1:1: #:n/m names no namespace for a map"},
	{"#::n{}", "1:1: #::n names no namespace for a map"},
	{"#:n []", "1:1: no map after #:n"},
	{"##Infinity", "1:1: ##Infinity is none of ##NaN, ##Inf, ##-Inf"},
	{"#", "1:1: # begins nothing"},
	{"#(inc 1)", "1:1: #( is Clojure, but not EDN"},
	{"#1 2", "1:1: #1 is not a tag"},
	{"#foo", "1:1: no form after #foo"},
	{"[#foo]", "1:6: ] closes nothing"},
	{"#_", "1:1: no form after #_"},
	{"#inst 5", "1:1: #inst is not followed by a string"},
	{`#inst "24"`, "1:1: #inst: not of the form 2006-01-02T15:04:05.000-00:00"},
	{`#inst "2023-02-29"`, "1:1: #inst: no such day"},
	{`#inst "+292278994-08-17T07:12:55.808"`, "1:1: #inst: year is out of range"},
	{`#inst "-999999999"`, "1:1: #inst: year is out of range"},
	{`#uuid "1-2-3-4-5"`, "1:1: #uuid: not of the form 00000000-0000-0000-0000-000000000000"},
	{`#uuid "{01234567-89ab-cdef-0123-456789abcdef}"`, "1:1: #uuid: not of the form 00000000-0000-0000-0000-000000000000"},
	{`#bytes "abc"`, "1:1: #bytes: not pairs of hexadecimal digits"},
	{strings.Repeat("[", MaxDepth+1), "1:513: forms lie deeper than 512"},
	{strings.Repeat("#_", MaxDepth+1), "1:1025: forms lie deeper than 512"},
	{strings.Repeat("#a ", MaxDepth+1), "1:1537: forms lie deeper than 512"},
}

func TestParseError(t *testing.T) {
	for _, c := range badTexts {
		_, err := Parse([]byte(c.text))
		require.IsType(t, &SyntaxError{}, err, "%.40q", c.text)
		require.EqualError(t, err, c.problem, "%.40q", c.text)
	}
	_, err := Parse(make([]byte, MaxInput+1))
	require.EqualError(t, err, "text of 67108865 bytes is longer than 67108864")
}

func TestDepth(t *testing.T) {
	text := strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)
	_, err := Parse([]byte(text))
	require.NoError(t, err)
}

func TestReader(t *testing.T) {
	r := NewReader([]byte("1 :a[2];x\n#_3"))
	for _, want := range []any{int64(1), kw("", "a"), Vector{int64(2)}} {
		got, err := r.Next()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for range 2 {
		_, err := r.Next()
		require.Equal(t, io.EOF, err)
	}

	r = NewReader([]byte("1 ) 2"))
	_, err := r.Next()
	require.NoError(t, err)
	for range 2 {
		_, err = r.Next()
		require.EqualError(t, err, "1:3: ) closes nothing")
	}
}
