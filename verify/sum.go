package verify

import (
	"encoding/binary"
	"hash/maphash"

	"dclone"
)

// A sum adds up hashes of datoms, and takes off those of retracted ones. Two 64-bit lanes are
// summed apart; their keys are new in every process, so nobody can make a clone whose sums are
// right and whose datoms are not.
type sum [2]uint64

var lanes = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// add adds or takes off what b stands for.
func (s *sum) add(b []byte, added bool) {
	for lane, seed := range lanes {
		h := maphash.Bytes(seed, b)
		if !added {
			h = -h
		}
		s[lane] += h
	}
}

// appendKey appends the bytes that a datom's hash is of. Sums are by attribute, which is left out.
func appendKey(dst []byte, e dclone.EntityID, v dclone.Value) []byte {
	return append(appendEntity(dst, e), v...)
}

func appendEntity(dst []byte, e dclone.EntityID) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(e))
}

// entitySize is how many bytes of a key are the entity.
const entitySize = 8
