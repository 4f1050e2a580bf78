package fressian

// A value is decoded to, and encoded from, one of
//
//	nil  bool  int64  float32  float64  string  []byte
//	dclone.Keyword  dclone.Symbol  dclone.Instant  dclone.Decimal  dclone.URI  *big.Int  uuid.UUID
//	[]any, a list
//	[]int32  []int64  []float32  []float64  []bool, the typed arrays
//
// and the types below. Two decoded values may share memory, where the input had the second refer
// to the first; treat them as read-only.

// A Set is a set in the order it was written. Nothing checks that its elements differ.
type Set []any

// A Map is a map in the order it was written. Nothing checks that its keys differ; a key may be
// any value, a list or another map too, which is why this is no Go map.
type Map []Entry

// An Entry is one key of a Map and its value.
type Entry struct{ Key, Value any }

// Objects is an array of Object[], which fressian tells from a list.
type Objects []any

// A Regex is the pattern of a java.util.regex.Pattern.
type Regex string

// A Tagged is a struct that fressian itself gives no meaning to.
type Tagged struct {
	Tag    string
	Fields []any
}

// Cached has the Encoder write Value through the priority cache: in full the first time, as a
// reference when it recurs. It is never decoded to: a reference decodes to its value.
type Cached struct{ Value any }

// Raw is a value that stands alone. The Encoder writes it as it is, bit by bit, if it uses no caches.
// It is never decoded to.
type Raw []byte

// MaxDepth is how deep lists and structs may nest, for Encoder, Decoder and Skip alike. Map and
// set are structs that hold a list, and so are two deep; a keyword is a struct, one deep.
const MaxDepth = 128
