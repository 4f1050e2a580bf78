package local

import (
	"encoding/binary"
	"fmt"

	"dclone"
)

const (
	headerSize = 8

	// MaxT is the largest t a frame header can hold.
	MaxT dclone.T = 1<<38 - 1
	// MaxCount is the largest number of datoms a frame header can hold.
	MaxCount = 1<<24 - 1
)

// header is the first word of a frame.
type header struct {
	T     dclone.T
	Count int // datoms, at least one
}

func (h header) append(dst []byte) []byte {
	check := (uint64(h.T) ^ uint64(h.Count)) & 3
	w := check<<62 | uint64(h.Count>>20)<<58 | uint64(h.T)<<20 | uint64(h.Count&(1<<20-1))
	return binary.BigEndian.AppendUint64(dst, w)
}

func parseHeader(b []byte) (header, error) {
	if len(b) < headerSize {
		return header{}, errTruncated
	}
	w := binary.BigEndian.Uint64(b)
	h := header{
		T:     dclone.T(w >> 20 & (1<<38 - 1)),
		Count: int(w>>58&15)<<20 | int(w&(1<<20-1)),
	}
	if check := (uint64(h.T) ^ uint64(h.Count)) & 3; check != w>>62 {
		return header{}, fmt.Errorf("its check bits are %d, not %d", w>>62, check)
	}
	if h.Count == 0 {
		return header{}, fmt.Errorf("it has no datoms")
	}
	return h, nil
}

// AppendFrame appends the frame of one transaction. Its datoms are written as they are, their
// transaction set to t. It fails where the header has no room for t or for their number.
func AppendFrame(dst []byte, t dclone.T, datoms []dclone.Datom) ([]byte, error) {
	if len(datoms) == 0 {
		return dst, fmt.Errorf("write frame of t %d: it has no datoms", t)
	}
	return AppendTx(dst, t, datoms[0], datoms[1:])
}

// AppendTx is AppendFrame with the first datom given apart, as :db/txInstant mostly is.
func AppendTx(dst []byte, t dclone.T, first dclone.Datom, others []dclone.Datom) ([]byte, error) {
	count := 1 + len(others)
	if t < 0 || t > MaxT || count > MaxCount {
		return dst, fmt.Errorf("write frame of t %d: %d datoms; t may go to %d and datoms to %d", t, count, MaxT, MaxCount)
	}
	dst = header{T: t, Count: count}.append(dst)
	tx := dclone.TxID(t)
	first.Tx = tx
	dst = AppendDatom(dst, first)
	for _, d := range others {
		d.Tx = tx
		dst = AppendDatom(dst, d)
	}
	return dst, nil
}

// FrameLengths returns the length of each of the frames, which must be whole, in b.
func FrameLengths(b []byte) (lengths []int) {
	for len(b) > 0 {
		h, err := parseHeader(b)
		if err != nil {
			return lengths
		}
		n := headerSize
		for range h.Count {
			size, _, ok := datomLen(b[n:])
			if !ok || size > len(b)-n {
				return lengths
			}
			n += size
		}
		lengths = append(lengths, n)
		b = b[n:]
	}
	return lengths
}
