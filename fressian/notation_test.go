package fressian_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"dclone"
	"dclone/fressian"

	"github.com/google/uuid"
)

// The notation of testdata/record.clj, which describes it.

// An op is a call of the Encoder between two values.
type op string

// A notation is read from the front. Bad notation panics: it is ours.
type notation struct {
	rest  string
	plain bool // read (cached x) as x
}

// parseForms reads values and ops up to the end of s.
func parseForms(s string, plain bool) (forms []any) {
	n := &notation{rest: s, plain: plain}
	for n.token(); n.rest != ""; n.token() {
		forms = append(forms, n.form())
	}
	return forms
}

// token moves to the next token.
func (n *notation) token() { n.rest = strings.TrimLeft(n.rest, " ") }

func (n *notation) accept(prefix string) bool {
	n.token()
	rest, ok := strings.CutPrefix(n.rest, prefix)
	n.rest = rest
	return ok
}

// atom reads up to a space or parenthesis.
func (n *notation) atom() string {
	n.token()
	end := strings.IndexAny(n.rest+" ", " ()")
	atom := n.rest[:end]
	n.rest = n.rest[end:]
	return atom
}

func (n *notation) form() any {
	switch {
	case n.accept("("):
		return n.typed(n.atom())
	case strings.HasPrefix(n.rest, `"`):
		return wtf8(n.quoted())
	case strings.HasPrefix(n.rest, "!"):
		return op(n.atom())
	}
	switch atom := n.atom(); atom {
	case "nil":
		return nil
	case "true", "false":
		return atom == "true"
	default:
		return must(strconv.ParseInt(atom, 10, 64))
	}
}

// typed reads the rest of (name ...).
func (n *notation) typed(name string) any {
	switch name {
	case "text":
		return wtf8(repeated(n, (*notation).quoted))
	case "bytes":
		return append([]byte{}, repeated(n, (*notation).hex)...)
	case "float":
		return math.Float32frombits(uint32(n.bits()))
	case "double":
		return math.Float64frombits(n.bits())
	case "bigint":
		return number(n.last())
	case "bigdec":
		unscaled := number(n.atom())
		return dclone.Decimal{Unscaled: unscaled, Scale: int32(must(strconv.ParseInt(n.last(), 10, 32)))}
	case "inst":
		return dclone.Instant(must(strconv.ParseInt(n.last(), 10, 64)))
	case "uuid":
		return must(uuid.Parse(n.last()))
	case "floats":
		return each(n, func() float32 { return math.Float32frombits(uint32(must(strconv.ParseUint(n.atom(), 16, 32)))) })
	case "doubles":
		return each(n, func() float64 { return math.Float64frombits(must(strconv.ParseUint(n.atom(), 16, 64))) })
	}
	return n.composite(name, each(n, n.form))
}

func (n *notation) composite(name string, xs []any) any {
	switch name {
	case "list":
		return xs
	case "set":
		return fressian.Set(xs)
	case "map":
		m := fressian.Map{}
		for i := 0; i < len(xs); i += 2 {
			m = append(m, fressian.Entry{Key: xs[i], Value: xs[i+1]})
		}
		return m
	case "objects":
		return fressian.Objects(xs)
	case "tagged":
		return fressian.Tagged{Tag: xs[0].(string), Fields: xs[1:]}
	case "ints":
		return convert(xs, func(x any) int32 { return int32(x.(int64)) })
	case "longs":
		return convert(xs, func(x any) int64 { return x.(int64) })
	case "bools":
		return convert(xs, func(x any) bool { return x.(bool) })
	case "key":
		return named(xs)
	case "sym":
		return dclone.Symbol(named(xs))
	case "uri":
		return dclone.URI(xs[0].(string))
	case "regex":
		return fressian.Regex(xs[0].(string))
	case "cached":
		if n.plain {
			return xs[0]
		}
		return fressian.Cached{Value: xs[0]}
	}
	panic("no such notation: " + name)
}

func named(xs []any) dclone.Keyword {
	namespace, ok := xs[0].(string)
	return dclone.Keyword{Namespace: namespace, Name: xs[1].(string), EmptyNamespace: ok && namespace == ""}
}

func each[T any](n *notation, read func() T) []T {
	xs := []T{}
	for !n.accept(")") {
		xs = append(xs, read())
	}
	return xs
}

func convert[T any](xs []any, f func(any) T) []T {
	ts := []T{}
	for _, x := range xs {
		ts = append(ts, f(x))
	}
	return ts
}

// repeated reads parts up to a parenthesis, each of them part or (x times part).
func repeated[T any](n *notation, part func(*notation) []T) (whole []T) {
	for !n.accept(")") {
		if !n.accept("(x ") {
			whole = append(whole, part(n)...)
			continue
		}
		times := must(strconv.Atoi(n.atom()))
		n.token()
		units := part(n)
		for range times {
			whole = append(whole, units...)
		}
		n.accept(")")
	}
	return whole
}

func (n *notation) hex() []byte { return must(hex.DecodeString(n.atom())) }

func (n *notation) bits() uint64 { return must(strconv.ParseUint(n.last(), 16, 64)) }

// last reads an atom and the parenthesis after it.
func (n *notation) last() string {
	atom := n.atom()
	n.accept(")")
	return atom
}

func (n *notation) quoted() (units []uint16) {
	for i := 1; ; i++ {
		switch c := n.rest[i]; {
		case c == '"':
			n.rest = n.rest[i+1:]
			return units
		case c == '\\' && n.rest[i+1] == 'u':
			units = append(units, uint16(must(strconv.ParseUint(n.rest[i+2:i+6], 16, 16))))
			i += 5
		case c == '\\':
			i++
			units = append(units, uint16(n.rest[i]))
		default:
			units = append(units, uint16(c))
		}
	}
}

// wtf8 is written apart from the package's own, to check it.
func wtf8(units []uint16) string {
	var b []byte
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) && i+1 < len(units) {
			if pair := utf16.DecodeRune(r, rune(units[i+1])); pair != utf8.RuneError {
				r = pair
				i++
			}
		}
		if utf16.IsSurrogate(r) {
			b = append(b, byte(0xE0|r>>12), byte(0x80|r>>6&0x3F), byte(0x80|r&0x3F))
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b)
}

func number(s string) *big.Int {
	x, ok := new(big.Int).SetString(s, 10)
	if !ok {
		panic("no number: " + s)
	}
	return x
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("bad notation: %v", err))
	}
	return v
}
