package edn

import (
	"bytes"
	"math/big"
	"slices"

	"dclone"
)

// Equal reports whether Clojure's = holds between a and b: integers are equal by value whatever
// holds them, and so are decimals whatever their scale; lists and vectors are equal by their
// elements, sets and maps without regard to order; an integer never equals a float or a decimal.
// Unlike there, NaN equals itself.
func Equal(a, b any) bool {
	if ka, ok := a.(dclone.Keyword); ok {
		kb, ok := b.(dclone.Keyword)
		return ok && ka == kb
	}
	return bytes.Equal(appendCanonical(nil, a), appendCanonical(nil, b))
}

// appendCanonical appends a text that two values share if, and only if, they are Equal. Every
// element is followed by a byte no text of an element can hold, since Append escapes it, so that
// [:a :b] is not taken for a vector of one strange keyword.
func appendCanonical(dst []byte, v any) []byte {
	switch v := v.(type) {
	case *big.Int:
		return v.Append(dst, 10)
	case float32:
		return appendCanonical(dst, float64(v))
	case float64:
		return appendFloat(dst, v+0, 64) // -0.0 + 0 is 0.0
	case dclone.Decimal:
		return appendDecimal(dst, stripZeros(v))
	case dclone.Keyword:
		return appendCanonicalName(append(dst, ':'), v)
	case dclone.Symbol:
		return appendCanonicalName(append(dst, '\''), dclone.Keyword(v))
	case Vector:
		return appendCanonicalSeq(append(dst, '['), v)
	case List:
		return appendCanonicalSeq(append(dst, '['), v)
	case []any:
		return appendCanonicalSeq(append(dst, '['), v)
	case Set:
		return appendCanonicalSet(append(dst, "#{"...), len(v), func(dst []byte, i int) []byte {
			return appendCanonical(dst, v[i])
		})
	case Map:
		return appendCanonicalSet(append(dst, '{'), len(v), func(dst []byte, i int) []byte {
			dst = append(appendCanonical(dst, v[i].Key), canonicalEnd)
			return appendCanonical(dst, v[i].Value)
		})
	case Tagged:
		dst = appendCanonicalName(append(dst, '#'), dclone.Keyword(v.Tag))
		return appendCanonical(append(dst, canonicalEnd), v.Value)
	}
	return Append(dst, v)
}

const canonicalEnd = 0

// appendCanonicalName quotes both parts, as either may hold anything.
func appendCanonicalName(dst []byte, k dclone.Keyword) []byte {
	if k.Namespace != "" || k.EmptyNamespace {
		dst = append(appendString(dst, k.Namespace), '/')
	}
	return appendString(dst, k.Name)
}

func appendCanonicalSeq(dst []byte, elems []any) []byte {
	for _, e := range elems {
		dst = append(appendCanonical(dst, e), canonicalEnd)
	}
	return append(dst, ']')
}

func appendCanonicalSet(dst []byte, n int, appendElem func(dst []byte, i int) []byte) []byte {
	elems := make([][]byte, n)
	for i := range elems {
		elems[i] = appendElem(nil, i)
	}
	slices.SortFunc(elems, bytes.Compare)
	for _, e := range elems {
		dst = append(append(dst, e...), canonicalEnd)
	}
	return append(dst, '}')
}

// firstDuplicate returns the index of the first element that is Equal to one before it, or -1.
func firstDuplicate(elems []any) int {
	if len(elems) < 2 {
		return -1
	}
	seen := make(map[string]struct{}, len(elems))
	var key []byte
	for i, e := range elems {
		key = appendCanonical(key[:0], e)
		if _, ok := seen[string(key)]; ok {
			return i
		}
		seen[string(key)] = struct{}{}
	}
	return -1
}
