package pro_test

import (
	"bufio"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/fressian"
	"dclone/realdata"
)

// canonDatom writes a datom as the dumps of the peer have it.
func canonDatom(d dclone.Datom) string {
	v, rest, err := fressian.Decode(d.V)
	if err != nil || len(rest) > 0 {
		return fmt.Sprintf("%v: value % X: %v", d.E, d.V, err)
	}
	sign := "-"
	if d.Added {
		sign = "+"
	}
	return fmt.Sprintf("%d %d %s %d %s", d.E, d.A, canonValue(v, d.V), d.Tx, sign)
}

func canonValue(v any, raw dclone.Value) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return "s" + quote(v)
	case dclone.Keyword:
		return "k" + quote(v.String()[1:])
	case dclone.Symbol:
		return "y" + quote(v.String())
	case int64:
		return fmt.Sprint("i", v)
	case *big.Int:
		return fmt.Sprint("n", v)
	case bool:
		return fmt.Sprint("b", v)
	case float64:
		if len(raw) == 9 {
			return "d" + hex.EncodeToString(raw[1:])
		}
		return fmt.Sprintf("d%016x", math.Float64bits(v))
	case float32:
		return fmt.Sprintf("f%08x", math.Float32bits(v))
	case dclone.Decimal:
		return fmt.Sprintf("m%v/%d", v.Unscaled, v.Scale)
	case dclone.Instant:
		return fmt.Sprintf("t%d", int64(v))
	case uuid.UUID:
		return "u" + v.String()
	case dclone.URI:
		return "r" + quote(string(v))
	case []byte:
		return "x" + hex.EncodeToString(v)
	case []any:
		return "[" + join(v, func(e any) string { return canonValue(e, nil) }) + "]"
	case fressian.Tagged:
		return canonFunction(v)
	}
	return fmt.Sprintf("?%T", v)
}

func canonFunction(v fressian.Tagged) string {
	field := map[string]any{}
	for _, e := range v.Fields[0].(fressian.Map) {
		field[e.Key.(dclone.Keyword).Name] = e.Value
	}
	s := "F" + quote(fmt.Sprint(field["lang"])) + quote(fmt.Sprint(field["code"]))
	for _, name := range []string{"params", "requires", "imports"} {
		all, _ := field[name].([]any)
		s += "[" + join(all, str) + "]"
	}
	return s
}

// str is Clojure's.
func str(v any) string {
	switch v := v.(type) {
	case []any:
		return "[" + join(v, str) + "]"
	case fressian.Tagged:
		return str(v.Fields[0])
	}
	return fmt.Sprint(v)
}

func join(all []any, f func(any) string) string {
	var parts []string
	for _, e := range all {
		parts = append(parts, f(e))
	}
	return strings.Join(parts, " ")
}

// quote escapes each UTF-16 unit that is not printable ASCII.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
			i++
		case c < 0x80 && c >= 32 && c < 127:
			b.WriteByte(c)
			i++
		case c < 0x80:
			fmt.Fprintf(&b, `\u%04x`, c)
			i++
		case c < 0xE0:
			fmt.Fprintf(&b, `\u%04x`, rune(c&0x1F)<<6|rune(s[i+1]&0x3F))
			i += 2
		case c < 0xF0:
			fmt.Fprintf(&b, `\u%04x`, rune(c&0xF)<<12|rune(s[i+1]&0x3F)<<6|rune(s[i+2]&0x3F))
			i += 3
		default:
			r := rune(c&7)<<18 | rune(s[i+1]&0x3F)<<12 | rune(s[i+2]&0x3F)<<6 | rune(s[i+3]&0x3F)
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
			i += 4
		}
	}
	b.WriteByte('"')
	return b.String()
}

// dump reads a dump of the peer.
func dump(t testing.TB, name string) (lines []string) {
	f, err := os.Open(realdata.File(t, "pro", "expected", name+".gz"))
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	s := bufio.NewScanner(z)
	s.Buffer(nil, 1<<26)
	for s.Scan() {
		lines = append(lines, s.Text())
	}
	require.NoError(t, s.Err())
	require.NotEmpty(t, lines)
	return lines
}
