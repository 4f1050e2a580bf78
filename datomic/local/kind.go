package local

import "dclone"

// A Kind tells what every Datomic Local database is like.
type Kind struct{}

// KindName returns Datomic's own name of it.
func (Kind) KindName() string { return "Datomic Local" }

// EachBorn calls f with the datoms every database is born with, in order.
func (Kind) EachBorn(f func(dclone.Datom)) { EachBootstrapDatom(f) }

// HasType reports whether attributes of a value type can have values. The bootstrap has :db.type/fn
// too, but Datomic Local takes no value of it.
func (Kind) HasType(valueType dclone.Keyword) bool { return types[valueType] }

// types are the value types that attributes can have values of.
var types = map[dclone.Keyword]bool{}

func init() {
	for _, name := range []string{"ref", "keyword", "long", "string", "boolean", "instant", "uuid", "double", "float",
		"uri", "bigint", "bigdec", "tuple", "symbol"} {
		types[dclone.Kw("db.type", name)] = true
	}
}
