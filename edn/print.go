package edn

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"

	"dclone"

	"github.com/google/uuid"
)

// Append appends the text of v to dst. v is nil, one of the Go types of a [dclone.Value], an
// entity id or t, or one of the types of this package; elements of a collection are such values.
// Anything else is a mistake in the program, and Append panics.
//
// A keyword or symbol that no text denotes is printed too, and does not read back.
func Append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "nil"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return appendString(dst, v)
	case Char:
		return appendChar(dst, v)
	case dclone.Keyword:
		return append(dst, v.String()...)
	case dclone.Symbol:
		return append(dst, v.String()...)
	case dclone.Instant:
		return appendInst(dst, v)
	case uuid.UUID:
		return appendTagged(dst, "uuid", v.String())
	case dclone.URI:
		return appendTagged(dst, "uri", string(v))
	case []byte:
		return appendTagged(dst, "bytes", hex.EncodeToString(v))
	case int, int64, dclone.EntityID, dclone.T, *big.Int, float32, float64, dclone.Decimal:
		return appendNumber(dst, v)
	}
	return appendColl(dst, v)
}

func appendTagged(dst []byte, tag, text string) []byte {
	dst = append(append(dst, '#'), tag...)
	return appendString(append(dst, ' '), text)
}

func appendNumber(dst []byte, v any) []byte {
	switch v := v.(type) {
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case dclone.EntityID:
		return strconv.AppendInt(dst, int64(v), 10)
	case dclone.T:
		return strconv.AppendInt(dst, int64(v), 10)
	case float32:
		return appendFloat(dst, float64(v), 32)
	case float64:
		return appendFloat(dst, v, 64)
	case *big.Int:
		return append(v.Append(dst, 10), 'N')
	}
	return appendDecimal(dst, v.(dclone.Decimal))
}

func appendColl(dst []byte, v any) []byte {
	switch v := v.(type) {
	case []any:
		return appendElems(append(dst, '['), v, ']')
	case Vector:
		return appendElems(append(dst, '['), v, ']')
	case List:
		return appendElems(append(dst, '('), v, ')')
	case Set:
		return appendElems(append(dst, "#{"...), v, '}')
	case Map:
		return appendMap(dst, v)
	case Tagged:
		dst = append(append(dst, '#'), v.Tag.String()...)
		return Append(append(dst, ' '), v.Value)
	}
	panic(fmt.Sprintf("edn: a %T has no notation", v))
}

func appendElems(dst []byte, elems []any, closing byte) []byte {
	for i, e := range elems {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = Append(dst, e)
	}
	return append(dst, closing)
}

func appendMap(dst []byte, m Map) []byte {
	dst = append(dst, '{')
	for i, e := range m {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(Append(dst, e.Key), ' ')
		dst = Append(dst, e.Value)
	}
	return append(dst, '}')
}
