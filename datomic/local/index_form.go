package local

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"

	"dclone"
	"dclone/fressian"
)

const (
	signBit = 1 << 63

	// chunkBytes is how much of a form goes into a key; the key's last byte tells how many of
	// them the form had left, moreChunks where it goes on.
	chunkBytes = 7
	moreChunks = chunkBytes + 1
)

// An OrderError says why no index can be written: it is not certain where Datomic Local puts
// some value among others. Without index files it makes its own, and finds them right.
type OrderError struct {
	A      dclone.EntityID // the attribute
	Reason string
}

func (e *OrderError) Error() string {
	return fmt.Sprintf("order values of attribute %d: %s", e.A, e.Reason)
}

// A keyer turns the values of one attribute into what sorts as they do: numbers into keys of 8
// bytes, others into forms. A form is a string of bytes; forms compare bytewise as compareValues
// compares their values, and are equal where that finds those equal.
type keyer struct {
	a    dclone.EntityID
	kind valueKind // of all values; kindNil before the first
	buf  []byte

	small, capital bool // letters of these cases were met in escapes of URIs
}

// item takes v apart. It fails where the place of v among the others is not certain.
func (k *keyer) item(v dclone.Value) (it item, elements itemReader, err error) {
	elements = itemReader{b: v}
	it = elements.next()
	if k.kind == kindNil {
		k.kind = it.kind
	}
	switch {
	case it.kind != k.kind || it.kind == kindNil:
		err = &OrderError{k.a, "its values are not of one type"}
	case !it.certain() || it.kind != kindTuple && elements.off != len(v):
		err = &OrderError{k.a, "a value's place among others is not certain"}
	case it.kind == kindURI:
		err = k.escapes(&it)
	}
	return it, elements, err
}

// escapes notes the letters in the escapes of a URI. It fails where small and capital ones occur
// among the attribute's values: some Javas tell them apart.
func (k *keyer) escapes(it *item) error {
	small, capital := escapeCases(it.text.join())
	k.small, k.capital = k.small || small, k.capital || capital
	if k.small && k.capital {
		return &OrderError{k.a, "escapes of its URIs have small and capital letters"}
	}
	return nil
}

// numbers reports whether all that there is to the attribute's values is in their keys.
func (k *keyer) numbers() bool {
	switch k.kind {
	case kindLong, kindInstant, kindBoolean, kindFloat, kindDouble:
		return true
	}
	return false
}

// number returns the key of v, a number.
func (k *keyer) number(v dclone.Value) (uint64, error) {
	if x, n, ok := fressian.Int(v); ok && n == len(v) && k.kind == kindLong {
		return uint64(x) ^ signBit, nil
	}
	it, _, err := k.item(v)
	return it.number(), err
}

func (it *item) number() uint64 {
	if it.kind != kindFloat && it.kind != kindDouble {
		return uint64(it.num) ^ signBit
	}
	switch b := math.Float64bits(it.float); {
	case math.IsNaN(it.float):
		return 0
	case it.float == 0:
		return signBit // -0.0 too
	case b&signBit != 0:
		return ^b
	default:
		return b | signBit
	}
}

// chunkKey returns the key of what a form holds from an offset on.
func chunkKey(form []byte, offset int) uint64 {
	rest := form[min(offset, len(form)):]
	if len(rest) > chunkBytes {
		return binary.BigEndian.Uint64(rest)&^0xff | moreChunks
	}
	var b [8]byte
	copy(b[:], rest)
	b[chunkBytes] = byte(len(rest))
	return binary.BigEndian.Uint64(b[:])
}

// form returns the form of v. It is good until the next call, or as long as v.
func (k *keyer) form(v dclone.Value) ([]byte, error) {
	it, elements, err := k.item(v)
	if err != nil {
		return nil, err
	}
	if it.kind == kindString {
		return it.text.join(), nil
	}
	k.buf = it.appendForm(k.buf[:0])
	if it.kind == kindTuple {
		for range it.num {
			element := elements.next()
			k.buf = element.appendForm(append(k.buf, 1+byte(element.kind)))
			if !element.certain() || element.kind == kindTuple {
				return nil, &OrderError{k.a, "the place of a tuple's element among others is not certain"}
			}
			if element.kind == kindURI {
				if err := k.escapes(&element); err != nil {
					return nil, err
				}
			}
		}
		if elements.off != len(v) {
			return nil, &OrderError{k.a, "a tuple is malformed"}
		}
		k.buf = append(k.buf, 0) // the shorter first, even where the longer goes on with nil
	}
	return k.buf, nil
}

// appendForm appends the form of it, which is never the beginning of another.
func (it *item) appendForm(dst []byte) []byte {
	switch it.kind {
	case kindNil, kindTuple:
		return dst
	case kindString, kindBytes, kindMalformed:
		return appendText(dst, it.text.join())
	case kindKeyword, kindSymbol:
		if !it.qualified {
			return appendText(append(dst, 0), it.text.join())
		}
		return appendText(appendText(append(dst, 1), it.namespace.join()), it.text.join())
	case kindBigInt:
		return appendBigInt(dst, trimSign(it.text.join()))
	case kindBigDec:
		return appendBigDec(dst, signed(it.text.join()), it.num)
	case kindUUID:
		dst = binary.BigEndian.AppendUint64(dst, uint64(it.num)^signBit)
		return binary.BigEndian.AppendUint64(dst, uint64(it.low)^signBit)
	case kindURI:
		u, _ := parseURI(it.text.join())
		return u.appendForm(dst)
	}
	return binary.BigEndian.AppendUint64(dst, it.number())
}

// appendText appends a text and an end that comes before all that could go on.
func appendText(dst, text []byte) []byte {
	for _, c := range text {
		if dst = append(dst, c); c == 0 {
			dst = append(dst, 0xff)
		}
	}
	return append(dst, 0, 0)
}

// appendBigInt appends a number in two's complement without superfluous bytes. Of two numbers
// with one sign the longer is farther from zero.
func appendBigInt(dst, b []byte) []byte {
	n := int64(len(b))
	if n > 0 && b[0] >= 0x80 {
		n = -n
	}
	return append(binary.BigEndian.AppendUint64(dst, uint64(n)^signBit), b...)
}

// appendBigDec appends a decimal as its sign, the exponent of its first digit, and its digits
// without the zeros at their end. It never makes the number as long as its scale may say.
func appendBigDec(dst []byte, unscaled *big.Int, scale int64) []byte {
	start := len(dst)
	dst = append(dst, byte(1+unscaled.Sign()))
	if unscaled.Sign() == 0 {
		return dst
	}
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	head := len(dst)
	dst = new(big.Int).Abs(unscaled).Append(dst, 10)
	exponent := int64(len(dst)-head) - scale
	binary.BigEndian.PutUint64(dst[start+1:], uint64(exponent)^signBit)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	dst = append(dst, 0)
	if unscaled.Sign() < 0 {
		for i := start + 1; i < len(dst); i++ {
			dst[i] = ^dst[i]
		}
	}
	return dst
}

// appendForm appends the form of a URI that uriCertain holds for.
func (u *uri) appendForm(dst []byte) []byte {
	dst = appendPart(dst, u.scheme, foldCase)
	dst = appendPart(dst, u.opaque, foldEscapes)
	if u.authority == nil {
		dst = append(dst, 0)
	} else {
		dst = appendPart(append(dst, 1), u.userInfo, foldEscapes)
		dst = appendPart(dst, u.host, foldCase)
		dst = binary.BigEndian.AppendUint64(dst, uint64(u.port)^signBit)
	}
	dst = appendPart(dst, u.path, foldEscapes)
	dst = appendPart(dst, u.query, foldEscapes)
	return appendPart(dst, u.fragment, foldEscapes)
}

// appendPart appends a part of a URI, which comes after an absent one even if it is empty.
func appendPart(dst, part []byte, fold folding) []byte {
	if part == nil {
		return append(dst, 0)
	}
	start := len(dst) + 1
	dst = appendText(append(dst, 1), part)
	folded := 0
	for i := start; i < len(dst); i++ {
		if fold == foldCase || folded > 0 {
			folded--
			dst[i] = toLower(dst[i])
		}
		if dst[i] == '%' {
			folded = 2
		}
	}
	return dst
}
