package local

import (
	_ "embed"

	"dclone"
)

// Bootstrap is what db.log holds when Datomic Local has just created a database: the frames of
// t 0 to BootstrapT, always the same bytes.
//
//go:embed bootstrap.log
var bootstrap []byte

// Bootstrap returns a copy of the frames every database is born with.
func Bootstrap() []byte { return append([]byte(nil), bootstrap...) }

// FirstEidx is the first eidx free behind the bootstrap, in partition 0 and in all others.
const FirstEidx = 73

// EachBootstrapDatom calls f with every datom of the bootstrap, in order.
func EachBootstrapDatom(f func(dclone.Datom)) {
	for b := bootstrap; len(b) > 0; {
		h, err := parseHeader(b)
		if err != nil {
			panic("bootstrap.log: " + err.Error())
		}
		b = b[headerSize:]
		for range h.Count {
			d, n, err := ParseDatom(b)
			if err != nil {
				panic("bootstrap.log: " + err.Error())
			}
			f(d)
			b = b[n:]
		}
	}
}
