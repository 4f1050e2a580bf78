package local

import (
	"bytes"
	"cmp"
	"math"
	"math/big"

	"dclone"
	"dclone/fressian"
)

// compareValues orders two values of one attribute as the index files of Datomic Local do. It
// returns a negative number, zero or a positive one.
//
//	long, ref, instant   by number
//	boolean              false, true
//	string               by UTF-16 unit, which is by byte of the stored text
//	keyword, symbol      those without namespace, then by namespace, then by name
//	float, double        by number; -0.0 equals 0.0; NaN first
//	bigint, bigdec       by number, whatever the scale
//	uuid                 as two signed longs
//	uri                  as java.net.URI's compareTo, see compareURI
//	tuple                by element, nil first; of two that begin alike the shorter first
//	bytes                the shorter first, then by signed byte
//
// The rule for bytes is Datomic Pro's: Local has no such type. It holds NaN equal to every number, which orders nothing: see
// orderCertain. Values of different types, which no attribute has, are in the order of valueKind,
// and what is no value comes last.
//
// No more is read of the values than order asks, and nothing is allocated for the common types.
func compareValues(a, b dclone.Value) int {
	if x, _, ok := fressian.Int(a); ok {
		if y, _, ok := fressian.Int(b); ok {
			return cmp.Compare(x, y)
		}
	}
	ra, rb := itemReader{b: a}, itemReader{b: b}
	ia, ib := ra.next(), rb.next()
	if ia.kind != kindTuple || ib.kind != kindTuple {
		return compareItems(&ia, &ib)
	}
	for range min(ia.num, ib.num) {
		ea, eb := ra.next(), rb.next()
		if c := compareItems(&ea, &eb); c != 0 || ra.failed {
			return c
		}
	}
	return cmp.Compare(ia.num, ib.num)
}

// orderCertain reports whether Local is sure to put v among other values of its attribute where
// compareValues does. It is false for NaN, bytes, some URIs (see uriCertain) and what is no
// value. An index file that holds such a value is better left out: Local makes it anew, while it
// believes one in a wrong order.
func orderCertain(v dclone.Value) bool {
	r := itemReader{b: v}
	it := r.next()
	certain := it.certain()
	if it.kind == kindTuple {
		for i := int64(0); certain && i < it.num; i++ {
			element := r.next()
			certain = element.certain() && element.kind != kindTuple
		}
	}
	return certain && r.off == len(v)
}

func (it *item) certain() bool {
	switch it.kind {
	case kindFloat, kindDouble:
		return !math.IsNaN(it.float)
	case kindURI:
		return uriCertain(it.text.join())
	}
	return it.kind != kindBytes && it.kind != kindMalformed
}

func compareItems(a, b *item) int {
	if a.kind != b.kind {
		return cmp.Compare(a.kind, b.kind)
	}
	switch a.kind {
	case kindFloat, kindDouble:
		return cmp.Compare(a.float, b.float)
	case kindBigInt:
		return compareBigInt(a.text.join(), b.text.join())
	case kindBigDec:
		return compareBigDec(a, b)
	case kindURI:
		return compareURI(a.text.join(), b.text.join())
	case kindBytes:
		return compareBytes(a.text.join(), b.text.join())
	case kindKeyword, kindSymbol:
		if a.qualified != b.qualified {
			if b.qualified {
				return -1
			}
			return 1
		}
		if c := compareChunked(a.namespace, b.namespace); c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(a.num, b.num), cmp.Compare(a.low, b.low), compareChunked(a.text, b.text))
}

// compareBytes orders bytes as Java takes them, from -128 to 127.
func compareBytes(a, b []byte) int {
	if len(a) != len(b) {
		return cmp.Compare(len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			return cmp.Compare(int8(a[i]), int8(b[i]))
		}
	}
	return 0
}

// compareBigInt orders numbers in two's complement.
func compareBigInt(a, b []byte) int {
	a, b = trimSign(a), trimSign(b)
	negative := len(a) > 0 && a[0] >= 0x80
	switch {
	case negative != (len(b) > 0 && b[0] >= 0x80):
		if negative {
			return -1
		}
		return 1
	case len(a) == len(b):
		return bytes.Compare(a, b)
	case negative:
		return cmp.Compare(len(b), len(a))
	}
	return cmp.Compare(len(a), len(b))
}

// trimSign drops the leading bytes that repeat the sign, all of a zero.
func trimSign(b []byte) []byte {
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	if len(b) == 1 && b[0] == 0 {
		return nil
	}
	return b
}

// compareBigDec orders decimals by number. It never makes one longer than the other is.
func compareBigDec(a, b *item) int {
	if a.num == b.num {
		return compareBigInt(a.text.join(), b.text.join())
	}
	x, y := signed(a.text.join()), signed(b.text.join())
	if x.Sign() != y.Sign() || x.Sign() == 0 {
		return cmp.Compare(x.Sign(), y.Sign())
	}
	digitsX, digitsY := decimalDigits(x), decimalDigits(y)
	if c := cmp.Compare(digitsX-a.num, digitsY-b.num); c != 0 { // the exponents
		return c * x.Sign()
	}
	ten := big.NewInt(10)
	if more := digitsX - digitsY; more > 0 {
		y.Mul(y, ten.Exp(ten, big.NewInt(more), nil))
	} else {
		x.Mul(x, ten.Exp(ten, big.NewInt(-more), nil))
	}
	return x.Cmp(y)
}

func decimalDigits(x *big.Int) int64 {
	return int64(len(new(big.Int).Abs(x).Append(nil, 10)))
}

// signed reads two's complement.
func signed(b []byte) *big.Int {
	x := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return x
}
