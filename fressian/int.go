package fressian

import "encoding/binary"

// An int takes the fewest bytes that hold it. The code byte carries its high bits: it is the
// zero of its width plus the value's bits above the bytes that follow.
const (
	zero2 = 0x50
	zero3 = 0x68
	zero4 = 0x72
	zero5 = 0x76
	zero6 = 0x7A
	zero7 = 0x7E
)

// AppendInt appends the encoding of v.
func AppendInt(dst []byte, v int64) []byte {
	m := v ^ v>>63 // v, or ^v where v is negative: the width depends on this alone
	switch {
	case uint64(v+1) <= 0x40:
		return append(dst, byte(v))
	case m < 1<<12:
		return append(dst, byte(zero2+v>>8), byte(v))
	case m < 1<<19:
		return append(dst, byte(zero3+v>>16), byte(v>>8), byte(v))
	case m < 1<<25:
		return append(dst, byte(zero4+v>>24), byte(v>>16), byte(v>>8), byte(v))
	case m < 1<<33:
		return append(dst, byte(zero5+v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	case m < 1<<41:
		return append(dst, byte(zero6+v>>40), byte(v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	case m < 1<<49:
		return append(dst, byte(zero7+v>>48), byte(v>>40), byte(v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, codeInt), uint64(v))
}

// SizeInt returns how many bytes AppendInt appends for v.
func SizeInt(v int64) int {
	m := v ^ v>>63
	switch {
	case uint64(v+1) <= 0x40:
		return 1
	case m < 1<<12:
		return 2
	case m < 1<<19:
		return 3
	case m < 1<<25:
		return 4
	case m < 1<<33:
		return 5
	case m < 1<<41:
		return 6
	case m < 1<<49:
		return 7
	}
	return 9
}

// Int reads the int at the head of b and the n bytes it takes. It is not ok where b begins with
// anything else, a cached int included, or ends too early.
func Int(b []byte) (v int64, n int, ok bool) {
	if len(b) == 0 {
		return 0, 0, false
	}
	switch c := int64(b[0]); {
	case c < codeInt2:
		return c, 1, true
	case c < codeInt3 && len(b) >= 2:
		return (c-zero2)<<8 | int64(b[1]), 2, true
	case c < codeInt3:
		return 0, 0, false
	case c < codeInt4 && len(b) >= 3:
		return (c-zero3)<<16 | int64(b[1])<<8 | int64(b[2]), 3, true
	case c < codeRef0 && len(b) >= 8:
		return wideInt(c, binary.BigEndian.Uint64(b))
	}
	return rareInt(b)
}

// wideInt reads an int of 4 to 7 bytes whose code is c from w, the 8 bytes its code begins. The
// four widths have four codes each, so the code tells the width by division.
func wideInt(c int64, w uint64) (v int64, n int, ok bool) {
	width := (c - codeInt4) >> 2
	low := 8 * (width + 3) // bits below the code
	zero := zero4 + 4*width
	return int64(w>>(56-low)) - zero<<low, int(width) + 4, true
}

// rareInt reads what Int leaves: -1, the 9 byte form, and a wide int near the end of b.
func rareInt(b []byte) (v int64, n int, ok bool) {
	switch c := b[0]; {
	case c == codeMinus1:
		return -1, 1, true
	case c == codeInt && len(b) >= 9:
		return int64(binary.BigEndian.Uint64(b[1:])), 9, true
	case c < codeInt4 || c >= codeRef0 || len(b) < int(fixedSize[c]):
		return 0, 0, false
	}
	var w [8]byte
	copy(w[:], b)
	return wideInt(int64(b[0]), binary.BigEndian.Uint64(w[:]))
}
