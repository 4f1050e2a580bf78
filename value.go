package dclone

import (
	"math/big"
	"strings"
	"time"
)

// A Value is one value as Datomic stores it: a fressian encoding that stands alone.
//
// Two values that were stored alike have equal bytes. The converse does not hold: the bytes keep
// the scale of a bigdec and the exact form of a URI. A Value often aliases a buffer of its
// reader; who keeps it longer than the reader promises copies it.
type Value []byte

// What a Value decodes to, by value type:
//
//	boolean bool · long int64 · ref int64 (an entity id) · float float32 · double float64
//	string string · keyword Keyword · symbol Symbol · bigint *big.Int · bigdec Decimal
//	instant Instant · uuid uuid.UUID · uri URI · bytes []byte · tuple []any with nil elements
//
// A string may hold a lone UTF-16 surrogate, kept as the three bytes UTF-8 would give it (WTF-8).

// A Keyword is a Clojure keyword; naming an entity, it is that entity's ident.
type Keyword struct {
	Namespace, Name string
	// EmptyNamespace tells (keyword "" "x") from (keyword "x"). It is false where Namespace is not "".
	EmptyNamespace bool
}

func (k Keyword) String() string { return ":" + qualified(k) }

// IsZero reports whether k is the zero Keyword, which stands for "no ident".
func (k Keyword) IsZero() bool { return k == Keyword{} }

// A Symbol is a Clojure symbol. Its fields are those of a Keyword.
type Symbol Keyword

func (s Symbol) String() string { return qualified(Keyword(s)) }

func qualified(k Keyword) string {
	if k.Namespace == "" && !k.EmptyNamespace {
		return k.Name
	}
	return k.Namespace + "/" + k.Name
}

// IsReserved reports whether k is Datomic's own to give: of the namespace db, or of one that begins with it.
func (k Keyword) IsReserved() bool {
	return k.Namespace == "db" || strings.HasPrefix(k.Namespace, "db.")
}

// Kw returns the keyword written :namespace/name, or :name where namespace is "".
func Kw(namespace, name string) Keyword { return Keyword{Namespace: namespace, Name: name} }

// A Decimal is Unscaled × 10^-Scale, as java.math.BigDecimal has it: 1.0M and 1.00M differ.
type Decimal struct {
	Unscaled *big.Int
	Scale    int32
}

// An Instant counts milliseconds since 1970-01-01T00:00:00Z, negative before.
type Instant int64

// Time returns i in UTC.
func (i Instant) Time() time.Time { return time.UnixMilli(int64(i)).UTC() }

func (i Instant) String() string { return i.Time().Format("2006-01-02T15:04:05.000Z07:00") }

// A URI is the text of a java.net.URI, which Go's net/url would not keep as it is.
type URI string
