package fressian

import (
	"fmt"
	"unicode/utf8"
)

// A string on the wire is CESU-8: every UTF-16 unit by itself in 1 to 3 bytes, so that a character
// above U+FFFF is two surrogates of 3 bytes each, a lone surrogate is legal, and NUL is one byte.
// A string in Go is WTF-8: the same but for pairs of surrogates, which are 4 bytes of UTF-8.

const (
	highSurrogate = 0xD800 // ..DBFF, the first of a pair
	lowSurrogate  = 0xDC00 // ..DFFF, the second
	unitsEnd      = 0xE000
)

// ascii returns how many bytes at the head of s are ASCII.
func ascii[T string | []byte](s T) int {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return i
		}
	}
	return len(s)
}

// appendWTF8 appends the text that CESU-8 b stands for. Where dst ends with the first half of a
// pair and b begins with the second, they are joined: chunks may part a pair.
func appendWTF8(dst, b []byte) ([]byte, error) {
	for i := 0; i < len(b); {
		if n := ascii(b[i:]); n > 0 {
			dst = append(dst, b[i:i+n]...)
			i += n
			continue
		}
		unit, n := unitAt(b[i:])
		if n == 0 {
			return nil, fmt.Errorf("byte %d of a string's %d is not CESU-8", i, len(b))
		}
		dst = appendUnit(dst, unit)
		i += n
	}
	return dst, nil
}

// unitAt reads the UTF-16 unit of 2 or 3 bytes at the head of b; n is 0 where there is none. It
// takes units in more bytes than they need, as org.fressian's reader does.
func unitAt(b []byte) (unit rune, n int) {
	const continues, mask = 0x80, 0xC0
	switch {
	case b[0]>>5 == 0b110 && len(b) >= 2 && b[1]&mask == continues:
		return rune(b[0]&0x1F)<<6 | rune(b[1]&0x3F), 2
	case b[0]>>4 == 0b1110 && len(b) >= 3 && b[1]&mask == continues && b[2]&mask == continues:
		return rune(b[0]&0x0F)<<12 | rune(b[1]&0x3F)<<6 | rune(b[2]&0x3F), 3
	}
	return 0, 0
}

func appendUnit(dst []byte, unit rune) []byte {
	switch {
	case unit < highSurrogate || unit >= unitsEnd:
		return utf8.AppendRune(dst, unit)
	case unit >= lowSurrogate && len(dst) >= 3:
		before := len(dst) - 3
		if high := surrogateAt(dst[before:]); high != 0 && high < lowSurrogate {
			return utf8.AppendRune(dst[:before], 0x10000+(high-highSurrogate)<<10+(unit-lowSurrogate))
		}
	}
	return appendSurrogate(dst, unit)
}

// surrogateAt reads the surrogate at the head of s, 0 where there is none.
func surrogateAt[T string | []byte](s T) rune {
	if len(s) < 3 || s[0] != 0xED || s[1]&0xE0 != 0xA0 || s[2]&0xC0 != 0x80 {
		return 0
	}
	return highSurrogate | rune(s[1]&0x1F)<<6 | rune(s[2]&0x3F)
}

func appendSurrogate(dst []byte, unit rune) []byte {
	return append(dst, 0xED, 0x80|byte(unit>>6)&0x3F, 0x80|byte(unit)&0x3F)
}

// sizeCESU8 returns how many bytes of CESU-8 the WTF-8 s takes.
func sizeCESU8(s string) (int, error) {
	size := len(s)
	for i := ascii(s); i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case n == 4:
			size += 2
		case r == utf8.RuneError && n == 1:
			if surrogateAt(s[i:]) == 0 {
				return 0, fmt.Errorf("byte %d of a string's %d is not WTF-8", i, len(s))
			}
			n = 3
		}
		i += n
	}
	return size, nil
}

// appendCESU8 appends s, which sizeCESU8 has found to be WTF-8.
func appendCESU8(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if n < 4 {
			// A surrogate comes by as three bytes that are each no rune.
			dst = append(dst, s[i:i+n]...)
		} else {
			r -= 0x10000
			dst = appendSurrogate(dst, highSurrogate|r>>10)
			dst = appendSurrogate(dst, lowSurrogate|r&0x3FF)
		}
		i += n
	}
	return dst
}

// textChunk returns how many bytes of CESU-8 s go in the next chunk: it parts no unit.
func textChunk[T string | []byte](s T) int {
	if len(s) <= maxTextChunk {
		return len(s)
	}
	n := maxTextChunk
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}
