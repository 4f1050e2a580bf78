package source

import (
	"encoding/binary"
	"iter"

	"dclone"
)

// ByTx yields the stretches of datoms that are of one transaction.
func ByTx(datoms []dclone.Datom) iter.Seq[[]dclone.Datom] {
	return func(yield func([]dclone.Datom) bool) {
		for len(datoms) > 0 {
			n := 1
			for n < len(datoms) && datoms[n].Tx == datoms[0].Tx {
				n++
			}
			if !yield(datoms[:n]) {
				return
			}
			datoms = datoms[n:]
		}
	}
}

// Digest returns that of a transaction's datoms, in the order of the log, in a form that says all of
// them and nothing of how they were stored:
//
//	entity:u64  attribute:u64  added:u8  length:u32  value
func Digest(key dclone.DigestKey, datoms []dclone.Datom) dclone.Digest {
	h := key.New()
	var b []byte
	for _, d := range datoms {
		b = binary.BigEndian.AppendUint64(b[:0], uint64(d.E))
		b = binary.BigEndian.AppendUint64(b, uint64(d.A))
		added := byte(0)
		if d.Added {
			added = 1
		}
		b = append(b, added)
		b = binary.BigEndian.AppendUint32(b, uint32(len(d.V)))
		h.Write(append(b, d.V...))
	}
	return dclone.SumDigest(h)
}
