package eidmap

import (
	"encoding/binary"
	"errors"
	"sort"

	"dclone"
)

// maxRecord and maxPieces bound one record of eid.user, in entities and bytes.
const (
	maxRecord = 1 << 13
	maxPieces = 2 << 10
)

var errRecord = errors.New("read entity-id map: a record is damaged")

// A record is one run of eid.user.
type record struct {
	src, clone int64 // first eidx on either side
	n          int64
	pieces     []piece
}

// A piece is the part of a record that ends before offset end and lies in partition p.
type piece struct {
	end int64
	p   dclone.Partition
}

// at returns the partition of the entity at an offset of the record.
func (r *record) at(offset int64) dclone.Partition {
	i := sort.Search(len(r.pieces), func(i int) bool { return r.pieces[i].end > offset })
	return r.pieces[i].p
}

// add appends n entities of partition p.
func (r *record) add(n int64, p dclone.Partition) {
	r.n += n
	if last := len(r.pieces) - 1; last >= 0 && r.pieces[last].p == p {
		r.pieces[last].end = r.n
		return
	}
	r.pieces = append(r.pieces, piece{r.n, p})
}

func (r *record) full() bool {
	return r.n >= maxRecord || len(r.pieces) >= maxPieces/2
}

func (r *record) encode() []byte {
	b := binary.AppendUvarint(nil, uint64(r.clone))
	at, before := int64(0), dclone.Partition(0)
	for i, p := range r.pieces {
		n, delta := p.end-at, p.p-before
		if i > 0 && n <= 15 && -7 <= delta && delta <= 7 {
			b = append(b, byte(n)<<4|byte(delta+8))
		} else {
			b = append(b, 0)
			b = binary.AppendUvarint(b, uint64(n))
			b = binary.AppendUvarint(b, uint64(p.p))
		}
		at, before = p.end, p.p
	}
	return b
}

func decodeRecord(key, b []byte) (*record, error) {
	if len(key) != 8 {
		return nil, errRecord
	}
	r := &record{src: int64(binary.BigEndian.Uint64(key))}
	clone, n := binary.Uvarint(b)
	if n <= 0 || clone > dclone.MaxEidx {
		return nil, errRecord
	}
	r.clone = int64(clone)
	p := dclone.Partition(0)
	r.pieces = make([]piece, 0, min(len(b), maxPieces))
	for b = b[n:]; len(b) > 0; {
		if b[0] != 0 {
			p += dclone.Partition(b[0]&15) - 8
			r.add(int64(b[0]>>4), p)
			b = b[1:]
			continue
		}
		count, n1 := binary.Uvarint(b[1:])
		if n1 <= 0 || count == 0 || count > dclone.MaxEidx {
			return nil, errRecord
		}
		part, n2 := binary.Uvarint(b[1+n1:])
		if n2 <= 0 || part > uint64(dclone.MaxPartition) {
			return nil, errRecord
		}
		p = dclone.Partition(part)
		r.add(int64(count), p)
		b = b[1+n1+n2:]
	}
	if r.n == 0 || p < 0 {
		return nil, errRecord
	}
	return r, nil
}
