// Package fressian encodes and decodes Fressian, the notation in which Datomic keeps all it
// stores. It does what org.fressian 0.6.8 does, with the handlers that data.fressian and Datomic
// give it for Clojure's own types. It does no I/O.
//
// [Append] and [Decode] are for a value that stands alone, as in a datom of Datomic Local. An
// [Encoder] and a [Decoder] are for values that share caches, as in a segment of Datomic Pro. Where
// datoms come by the million, [AppendInt], [Int] and [Skip] do without either; a [Walker] reads what
// shares caches, and returns the values it does not look into as bytes that stand alone.
//
// # Values
//
// A value begins with a code of one byte. What follows is told by the code alone, so that values
// need no separators and no schema. All numbers are big-endian.
//
//	00–3F  FF       int 0..63, -1
//	40–5F  b        int of 12 bits and a sign: (code-50)<<8 | b
//	60–6F  b*2      of 19: (code-68)<<16 | …
//	70–73  b*3      of 25: (code-72)<<24 | …
//	74–77  b*4      of 33: (code-76)<<32 | …
//	78–7B  b*5      of 41: (code-7A)<<40 | …
//	7C–7F  b*6      of 49: (code-7E)<<48 | …
//	F8     b*8      int of 63 bits and a sign
//	F5 F6 F7        true, false, nil
//	F9 b*4 FA b*8   float, double
//	FB FC           the doubles 0.0 and 1.0
//	DA–E1  b*n      string of n = 0..7 bytes
//	E3 n   b*n      string of n bytes
//	E2 n   b*n      chunk of a string: another chunk or the last run, DA–E1 or E3, follows
//	D0–D7  b*n      bytes, n = 0..7
//	D9 n   b*n      bytes
//	D8 n   b*n      chunk of bytes: another chunk, or D9 and never D0–D7, follows
//	E4–EB  v*n      list of n = 0..7 values
//	EC n   v*n      list of n values
//	ED     v* FD    list up to its end
//	EE     v* FD?   list up to its end, or to the end of the input
//	C0     list     map: key, value, key, value …
//	C1     list     set
//	C3     bytes    uuid, 16 bytes
//	C4     string   regex
//	C5     string   uri
//	C6     bytes    bigint: two's complement, at least one byte
//	C7 bytes int    bigdec: unscaled as in bigint, and scale
//	C8     int      inst: milliseconds since 1970
//	C9 ns  name     symbol: strings, ns may be nil
//	CA ns  name     keyword: the same
//	B0 B1 n v*n     array of longs, of doubles
//	B2 B3 n v*n     array of booleans, of ints
//	B4 B5 n v*n     array of floats, of Objects
//	EF tag n v*n    struct of n fields; (tag, n) takes the next index of the struct cache
//	A0–AF  v*n      struct of the type with index 0..15
//	F0 i   v*n      struct of the type with index i
//	CD v            v, which takes the next index of the priority cache
//	80–9F           the cached value with index 0..31
//	CC i            the cached value with index i
//	FE v            v, after both caches have been emptied
//	CF …  v         v, after a footer
//
// n and i are ints. CE (precache), F1 (meta) and F4 (any) are reserved and the remaining codes
// are free: org.fressian neither writes nor reads them, and they are refused here.
//
// A writer uses the shortest form: the narrowest int; a string or bytes below 8 in their code; a
// list below 8 in its code. A string above 65536 bytes, or bytes above 65535, go in chunks of that
// size, where a string's chunk is a byte or two shorter if it would otherwise part a unit. A double
// -0.0 is written as FB, and so turns into 0.0; a float keeps its sign. All NaNs turn into one.
//
// # Text
//
// The bytes of a string are CESU-8: each UTF-16 unit by itself, in 1 to 3 bytes. NUL is one byte.
// A character above U+FFFF is two surrogates, 6 bytes; a lone surrogate is legal. Go strings are
// WTF-8: UTF-8 in which a lone surrogate is 3 bytes.
//
// # Caches
//
// Both caches number from 0 in the order of writing. A value takes its index when its CD is met,
// before the values inside it take theirs; it may not refer to itself. A struct type takes its
// index once tag and n have been read, before the fields. Namespaces and names of keywords and
// symbols are always written through the priority cache, as strings. What takes a byte or two
// anyway never is: nil, booleans, ints up to 12 bits, "", 0.0 and 1.0.
//
// # Footer
//
//	CFCFCFCF  length:u32  checksum:u32
//
// length counts the bytes before the footer, up to the beginning or the last footer. checksum is
// the Adler-32 of those bytes, the magic and the length. A footer empties both caches.
//
// # Example
//
// A list of two structs ("datum", op, entity, attribute):
//
//	E6                                   list of 2
//	EF DF 64 61 74 75 6D 03              struct type 0: "datum", 3 fields
//	  F5                                 true
//	  50 64                              100
//	  CA CD DC 64 62                     keyword, ns "db" is cached value 0
//	     CD DF 69 64 65 6E 74                     name "ident" is cached value 1
//	A0                                   struct of type 0
//	  F5                                 true
//	  7E 04 00 00 00 00 00               1<<42
//	  CA 80 CD DD 64 6F 63               keyword, ns cached value 0, name "doc"
//
// # What is refused
//
// Input is never trusted: a length, count or index is held against what is there before anything
// is allocated; lists and structs nest at most [MaxDepth] deep, references followed; and what
// references stand for is bounded in proportion to the input. A [Decoder] is stricter than
// org.fressian's reader, which no writer notices: n and i must be plain ints, neither cached nor
// after a footer or reset; a struct's tag must be a string; CD may not follow CD; a struct spelled
// out whose tag has a code must have the fields of that code, and cannot be an array; a bigdec's
// scale must fit 32 bits; bytes in a string that continue a unit must look like it; the elements of
// a map must be even.
package fressian
