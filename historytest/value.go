package historytest

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strings"

	"github.com/google/uuid"

	"dclone"
)

// scalars are the value types an attribute can have, by the entity that names each.
var scalars = []struct {
	name string
	id   dclone.EntityID
}{
	{"ref", typeRef}, {"ref", typeRef}, {"ref", typeRef},
	{"keyword", 21}, {"long", 22}, {"string", 23}, {"boolean", 24}, {"instant", 25}, {"uuid", 54},
	{"double", 58}, {"float", 59}, {"uri", 60}, {"bigint", 61}, {"bigdec", 62}, {"symbol", 65},
}

// elements are the value types a tuple's elements can have.
var elements = []string{"ref", "ref", "keyword", "long", "string", "boolean", "instant", "uuid", "double",
	"uri", "bigint", "bigdec", "symbol"}

var texts = []string{"", "a", "b", "äöü", "東京", "\U0001f600", "x\U0001f600y", "\xed\xa0\xbd", "a\xed\xb8\x80", "nul\x00",
	"1234567", "12345678", strings.Repeat("long ", 300)}

var names = []string{"a", "b", "name", "with-dash", "ü", "\U0001f600", "a.b", "1"}

// scalar makes a value of a type that is not ref.
func scalar(r *rand.Rand, kind string) any {
	switch kind {
	case "keyword":
		return keyword(r)
	case "symbol":
		return dclone.Symbol(keyword(r))
	case "long":
		return long(r)
	case "string":
		return texts[r.IntN(len(texts))]
	case "boolean":
		return r.IntN(2) == 0
	case "instant":
		return dclone.Instant(long(r) >> 12)
	case "uuid":
		var u uuid.UUID
		for i := range u {
			u[i] = byte(r.Uint32())
		}
		return u
	case "double":
		return pick(r, 0, 1, -1, math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, math.NaN(),
			float64(r.IntN(5)), r.NormFloat64())
	case "float":
		return float32(pick(r, 0, math.Copysign(0, -1), 1, math.Inf(1), math.MaxFloat32, float64(r.IntN(5)), r.NormFloat64()))
	case "uri":
		return dclone.URI(pick(r, "http://a/%4a", "HTTP://A/%4A", "http://a/%4A", "urn:x:y", "mailto:a@b", "rel", "",
			"https://example.org/"+names[r.IntN(3)]+"?q=1#f"))
	case "bigint":
		n := new(big.Int).Lsh(big.NewInt(long(r)), uint(r.IntN(3)*60))
		return n
	case "bigdec":
		return decimal(r)
	}
	panic("no values of type " + kind)
}

func pick[V any](r *rand.Rand, vs ...V) V { return vs[r.IntN(len(vs))] }

func long(r *rand.Rand) int64 {
	if r.IntN(2) == 0 {
		return int64(r.IntN(9)) - 4
	}
	return int64(r.Uint64()) >> r.IntN(64)
}

func keyword(r *rand.Rand) dclone.Keyword {
	switch r.IntN(8) {
	case 0:
		return dclone.Keyword{Name: pick(r, names...)}
	case 1:
		return dclone.Keyword{Name: pick(r, names...), EmptyNamespace: true}
	}
	return dclone.Kw(pick(r, names...), pick(r, names...))
}

// decimal makes few numbers, and each with several scales.
func decimal(r *rand.Rand) dclone.Decimal {
	n := big.NewInt(pick(r, int64(0), 1, -1, 25, 100, long(r)))
	up := r.IntN(4)
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(up)), nil)
	return dclone.Decimal{Unscaled: n.Mul(n, ten), Scale: int32(up + pick(r, 0, 0, 2, -3))}
}

func isNaN(v dclone.Value) bool {
	switch x := decode(v).(type) {
	case float64:
		return x != x
	case float32:
		return x != x
	}
	return false
}

// respell returns a value that Datomic Local takes for equal to v, in other bytes if there are
// such and it accepts them in a retraction.
func respell(v dclone.Value) dclone.Value {
	switch x := decode(v).(type) {
	case dclone.URI:
		if normalURI(string(x)) == "http://a/%4A" {
			return encode(dclone.URI("http://A/%4a"))
		}
	case float32:
		if x == 0 {
			return encode(-x)
		}
	}
	return v
}
