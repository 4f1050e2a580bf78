package fressian

import "math/big"

// A bigint is its two's complement, most significant byte first, in the fewest bytes that keep
// its sign, as java.math.BigInteger.toByteArray has it.

var one = big.NewInt(1)

func appendBigInt(dst []byte, x *big.Int) []byte {
	if x.Sign() >= 0 {
		return appendMagnitude(dst, x)
	}
	start := len(dst)
	dst = appendMagnitude(dst, new(big.Int).Not(x))
	for i := start; i < len(dst); i++ {
		dst[i] = ^dst[i]
	}
	return dst
}

// appendMagnitude appends x, which is not negative, with a clear sign bit.
func appendMagnitude(dst []byte, x *big.Int) []byte {
	start, n := len(dst), x.BitLen()/8+1
	dst = append(dst, make([]byte, n)...)
	x.FillBytes(dst[start:])
	return dst
}

// bigInt returns the number whose two's complement is b. b is not empty.
func bigInt(b []byte) *big.Int {
	x := new(big.Int).SetBytes(b)
	if b[0] < 0x80 {
		return x
	}
	return x.Sub(x, new(big.Int).Lsh(one, uint(8*len(b))))
}
