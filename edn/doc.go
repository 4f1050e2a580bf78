// Package edn reads and writes EDN, the notation of Clojure's data: bytes to values and back.
//
// # What is read
//
//	nil true false          nil, bool
//	42 -7 0x2A 052 36r16    int64; *big.Int where it does not fit
//	42N                     *big.Int
//	1.5 1e10 ##NaN ##Inf    float64
//	1.50M                   dclone.Decimal, its scale kept
//	"text\n\u00e9"          string, see below
//	\a \newline \u00e9      Char
//	sym ns/sym              dclone.Symbol
//	:kw :ns/kw              dclone.Keyword
//	(1 2) [1 2]             List, Vector
//	#{1 2} {:a 1, :b 2}     Set, Map, both in the order of the text
//	#:ns{:a 1, :_/b 2}      Map{:ns/a 1, :b 2}
//	#inst "2024-02-29"      dclone.Instant
//	#uuid "01234567-…"      uuid.UUID
//	#uri "urn:x"            dclone.URI
//	#bytes "00ff"           []byte, two hexadecimal digits a byte
//	#any/other form         Tagged
//	#_ form ; comment ,     nothing
//
// Tags inst and uuid are EDN's; uri and bytes are ours, for the two value types that EDN has no
// notation for.
//
// Where EDN's description leaves room, Clojure's reader decides: which characters a symbol may
// hold, that numbers may be hexadecimal, octal or of another radix, that {1 :a, 1N :b} has a key
// twice. What that reader takes beyond EDN is refused: metadata, ratios, octal escapes. So is a
// number that no float64 holds, which Clojure makes infinite.
//
// The text is UTF-8. A string in Go is WTF-8: a pair of \u escapes that is a surrogate pair
// becomes the one character it stands for, and a surrogate left alone becomes the three bytes
// that UTF-8 would give it.
//
// Nothing is believed: depth is bounded by [MaxDepth] and length by [MaxInput], and every error
// in the text is a [*SyntaxError] that says where it is.
//
// # What is written
//
// [Append] prints as Clojure's pr does, on one line, and what it prints is read back as the same
// value, with these exceptions. A []any comes back as a Vector, and a float32 as the float64
// nearest to the same digits (which is the float32 again when it is converted). A keyword or a
// symbol may have a name that no text denotes, such as one with a space in it or an empty
// namespace; it is printed plainly all the same, and its text is refused or read as something
// else. A string that is not WTF-8 has its stray bytes replaced by U+FFFD.
//
// # Instants
//
// Clojure reads and prints #inst by the calendar of java.util.GregorianCalendar: Gregorian from
// 1582-10-15, Julian before. So does this package, or old instants would move by days. Years
// 0000 (1 BC) to 9999 are written with four digits. All others get a sign and as many digits as
// they need, as in "+292278994-08-17T07:12:55.807-00:00": Clojure does not read that form, but
// what it prints itself for such an instant is another instant or none.
package edn
