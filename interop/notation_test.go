package interop_test

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/fressian"
	"dclone/interop"
)

// noted returns a datom in the notation of dumps.
func noted(t testing.TB, d dclone.Datom) interop.Datom {
	t.Helper()
	return interop.Datom{E: int64(d.E), A: int64(d.A), V: notedValue(decoded(t, d.V)), Tx: int64(d.Tx), Added: d.Added}
}

func notedValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case int64:
		return fmt.Sprint("L", v)
	case bool:
		return fmt.Sprint("B", v)
	case string:
		return "S" + notedText(v)
	case float64:
		return fmt.Sprintf("D%016x", math.Float64bits(v))
	case float32:
		return fmt.Sprintf("F%08x", math.Float32bits(v))
	case *big.Int:
		return "N" + v.String()
	case dclone.Decimal:
		return fmt.Sprintf("M%se%d", v.Unscaled, v.Scale)
	case dclone.Instant:
		return fmt.Sprint("I", int64(v))
	case uuid.UUID:
		return "U" + v.String()
	case dclone.URI:
		return "R" + notedText(string(v))
	case dclone.Keyword:
		return "K" + notedName(v)
	case dclone.Symbol:
		return "Y" + notedName(dclone.Keyword(v))
	case []byte:
		return fmt.Sprintf("X%x", v)
	case []any:
		return notedList(v)
	case fressian.Objects:
		return notedList(v)
	case fressian.Tagged:
		return notedFunction(v)
	}
	return fmt.Sprintf("?%T", v)
}

func notedList(list []any) string {
	elements := make([]string, len(list))
	for i, e := range list {
		elements[i] = notedValue(e)
	}
	return "T[" + strings.Join(elements, " ") + "]"
}

func notedFunction(f fressian.Tagged) string {
	if f.Tag == "vec" && len(f.Fields) == 1 { // of what a function requires
		return notedValue(f.Fields[0])
	}
	m, ok := f.Fields[0].(fressian.Map)
	if f.Tag != "datomic/fn" || !ok {
		return "?" + f.Tag
	}
	parts := make([]string, 5)
	for _, e := range m {
		for i, k := range []string{"lang", "params", "requires", "imports", "code"} {
			if e.Key == dclone.Kw("", k) {
				parts[i] = notedValue(e.Value)
			}
		}
	}
	return "P[" + strings.Join(parts, " ") + "]"
}

func notedName(k dclone.Keyword) string {
	part := func(s string) string {
		if strings.Contains(s, "|") {
			return units(s)
		}
		return notedText(s)
	}
	if k.EmptyNamespace {
		return `\u|` + part(k.Name)
	}
	return part(k.Namespace) + "|" + part(k.Name)
}

func notedText(s string) string {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 127 || c == '\\' {
			return units(s)
		}
	}
	return s
}

// units spells a text out in UTF-16. A lone surrogate is three bytes here, and one unit there.
func units(s string) string {
	var b strings.Builder
	b.WriteString(`\u`)
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 && len(s) >= 3 {
			r, n = rune(s[0]&0xf)<<12|rune(s[1]&0x3f)<<6|rune(s[2]&0x3f), 3
			fmt.Fprintf(&b, "%04x", r)
		} else {
			for _, u := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, "%04x", u)
			}
		}
		s = s[n:]
	}
	return b.String()
}

func decoded(t testing.TB, v dclone.Value) any {
	t.Helper()
	x, _, err := fressian.Decode(v)
	require.NoError(t, err)
	return x
}
