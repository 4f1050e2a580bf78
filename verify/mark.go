package verify

import (
	"context"
	"encoding/binary"
	"slices"

	"dclone"
	"dclone/fressian"
)

// isLiveMark is isMark for a clone that a running Datomic writes. It has a digest of what a transaction says, whatever the
// order, and none of the bootstrap.
func (r *run) isLiveMark(ctx context.Context, at dclone.Mark) (bool, error) {
	if at.T <= r.clone.Born() {
		return at.T == r.clone.Born() && at.Digest == dclone.Digest{}, nil
	}
	for tx, err := range r.clone.Txs(ctx, at.T) {
		if err != nil {
			return false, err
		}
		return tx.T == at.T && tx.Instant == at.Instant && sayings(r.session.Key, tx.Datoms) == at.Digest, nil
	}
	return false, nil
}

// sayings returns the digest of datoms whatever their order. Of each it is of
//
//	length:u32  entity:int attribute:int added:u8 value
//
// in the order of these bytes, integers and value as fressian.
func sayings(key dclone.DigestKey, datoms []dclone.Datom) dclone.Digest {
	lines := make([]string, len(datoms))
	for i, d := range datoms {
		b := fressian.AppendInt(nil, int64(d.E))
		b = fressian.AppendInt(b, int64(d.A))
		added := byte(0)
		if d.Added {
			added = 1
		}
		lines[i] = string(append(append(b, added), d.V...))
	}
	slices.Sort(lines)
	h := key.New()
	for _, line := range lines {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(line))))
		h.Write([]byte(line))
	}
	return dclone.SumDigest(h)
}
