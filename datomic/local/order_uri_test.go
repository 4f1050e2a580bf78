package local

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// A uriVector is a line that testdata/UriOrder.java recorded.
type uriVector struct {
	text  []byte // as stored
	parts string
	signs string
}

func readURIs(t testing.TB) (valid, invalid []uriVector) {
	recorded, err := os.ReadFile("testdata/uri-order.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(recorded)) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		require.Len(t, parts, 3)
		v := uriVector{[]byte(unescapeUnits(t, parts[0])), unescapeUnits(t, parts[1]), parts[2]}
		if v.parts == "invalid" {
			invalid = append(invalid, v)
		} else {
			valid = append(valid, v)
		}
	}
	require.NotEmpty(t, valid)
	require.NotEmpty(t, invalid)
	return valid, invalid
}

// unescapeUnits puts CESU-8 in place of escapes.
func unescapeUnits(t testing.TB, s string) string {
	first, rest, escaped := strings.Cut(s, `\u`)
	if !escaped {
		return s
	}
	unit, err := strconv.ParseUint(rest[:4], 16, 16)
	require.NoError(t, err)
	char := utf8.AppendRune(nil, rune(unit))
	if utf16.IsSurrogate(rune(unit)) {
		char = []byte{0xe0 | byte(unit>>12), 0x80 | byte(unit>>6)&0x3f, 0x80 | byte(unit)&0x3f}
	}
	return first + string(char) + unescapeUnits(t, rest[4:])
}

func TestURIOrder(t *testing.T) {
	valid, invalid := readURIs(t)
	for _, a := range valid {
		require.Equal(t, a.parts, uriParts(t, a.text), "%q", a.text)
		require.Len(t, a.signs, len(valid))
		for i, b := range valid {
			if a.signs[i:i+1] != sign(compareURI(a.text, b.text)) {
				t.Fatalf("%q %s %q", a.text, a.signs[i:i+1], b.text)
			}
		}
		for _, b := range invalid {
			if _, ok := parseURI(b.text); !ok {
				require.Equal(t, "<", sign(compareURI(a.text, b.text)))
				require.Equal(t, ">", sign(compareURI(b.text, a.text)))
			}
		}
	}
}

func uriParts(t *testing.T, text []byte) string {
	u, ok := parseURI(text)
	require.True(t, ok, "%q", text)
	switch {
	case u.opaque != nil:
		return "opaque"
	case u.host != nil && u.userInfo != nil:
		return fmt.Sprintf("%s %s %d", u.userInfo, u.host, u.port)
	case u.host != nil:
		return fmt.Sprintf("null %s %d", u.host, u.port)
	case u.authority != nil:
		return "registry"
	}
	return "none"
}

func TestURICertain(t *testing.T) {
	valid, invalid := readURIs(t)
	for _, v := range invalid {
		require.False(t, uriCertain(v.text), "%q", v.text)
	}
	for _, v := range valid {
		if v.parts == "registry" {
			require.False(t, uriCertain(v.text), "%q", v.text)
		}
	}
	for _, c := range []struct {
		text string
		want bool
	}{
		{"", true},
		{"http://example.com:80/a?b#c", true},
		{"urn:isbn:0451450523", true},
		{"/a%C3%A9", true},
		{"/a%c3%A9", true},
		{"http://a_b/", false},
		{"http://例え.jp/", false},
		{"http://a/例", true},
		{"//a:2147483647", false},
		{"//a:2147483646", true},
		{"//[::1]", true},
		{"//[::1%25]", false},
		{"//[::ffff:1.2.3.4]", true},
		{"//[1.2.3.4]", false},
		{"//[::12345]", false},
		{"a b", false},
		{"a:", false},
		{"a_:b", false},
	} {
		require.Equal(t, c.want, uriCertain([]byte(c.text)), c.text)
	}
}

func TestEscapeCases(t *testing.T) {
	for _, c := range []struct {
		text           string
		small, capital bool
	}{
		{"", false, false}, {"/aB", false, false}, {"/%20", false, false},
		{"/%c3", true, false}, {"/%2C", false, true}, {"/%aB", true, true}, {"/%c3/%C3", true, true},
		{"/%", false, false}, {"/%a", false, false},
	} {
		small, capital := escapeCases([]byte(c.text))
		require.Equal(t, []bool{c.small, c.capital}, []bool{small, capital}, c.text)
	}
}

// TestURIOrderIsOne sees that among certain URIs the order is one.
func TestURIOrderIsOne(t *testing.T) {
	valid, _ := readURIs(t)
	var certain [][]byte
	for _, v := range valid {
		if uriCertain(v.text) {
			certain = append(certain, v.text)
		}
	}
	require.Greater(t, len(certain), 100)
	for _, a := range certain {
		for _, b := range certain {
			for _, c := range certain {
				if compareURI(a, b) <= 0 && compareURI(b, c) <= 0 && compareURI(a, c) > 0 {
					t.Fatalf("%q %q %q", a, b, c)
				}
			}
		}
	}
}

func FuzzCompareURI(f *testing.F) {
	valid, invalid := readURIs(f)
	for i, v := range append(valid, invalid...) {
		f.Add(v.text, valid[i*7%len(valid)].text)
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		require.Zero(t, compareURI(a, a))
		require.Equal(t, compareURI(a, b), -compareURI(b, a))
		uriCertain(a)
	})
}
