package local

import (
	"encoding/binary"
	"errors"
	"fmt"

	"dclone"
	"dclone/fressian"
)

const (
	shortHeader = 2 // len:u16
	bigHeader   = 6 // 00 00 len:u32
	maxShort    = 1<<16 - 1

	// structHead opens every datom: a struct tagged "d" of four fields.
	structHead = "\xef\xdb\x64\x04"

	// MaxDatom bounds the bytes of one datom. Datomic Local stops at about a million characters a
	// string, three bytes each; a larger length is taken for damage, not for a value.
	MaxDatom = 64 << 20
)

var (
	errTruncated = errors.New("the bytes end inside it")
	errNotDatom  = errors.New("it is not a datom")
)

// datomLen returns the length of the datom at the head of b and that of its length field. A
// result beyond len(b) is for the caller to read on; ok is false where b is too short to tell.
func datomLen(b []byte) (total, header int, ok bool) {
	if len(b) < shortHeader {
		return 0, 0, false
	}
	if n := int(b[0])<<8 | int(b[1]); n != 0 {
		return n, shortHeader, true
	}
	if len(b) < bigHeader {
		return 0, 0, false
	}
	return int(binary.BigEndian.Uint32(b[2:])), bigHeader, true
}

// parseDatom reads the datom that b, cut to its length, holds. The value aliases b and is not
// looked into.
func parseDatom(b []byte, header int) (d dclone.Datom, err error) {
	if len(b) < header+len(structHead)+4 || string(b[header:header+len(structHead)]) != structHead {
		return d, errNotDatom
	}
	i := header + len(structHead)
	e, n, ok := fressian.Int(b[i:])
	i += n
	a, n, ok2 := fressian.Int(b[i:])
	i += n
	top, n, ok3 := fressian.Int(b[i:])
	i += n
	if !ok || !ok2 || !ok3 || e < 0 || a < 0 || top < 0 || i >= len(b) {
		return d, errNotDatom
	}
	d.E, d.A = dclone.EntityID(e), dclone.EntityID(a)
	d.Tx, d.Added = dclone.TxID(dclone.T(top>>1)), top&1 == 1
	d.V = dclone.Value(b[i:])
	return d, nil
}

// ParseDatom reads the datom at the head of b and returns its length. The value aliases b and is
// not looked into.
func ParseDatom(b []byte) (d dclone.Datom, n int, err error) {
	n, header, ok := datomLen(b)
	if !ok || n > len(b) {
		return d, 0, errTruncated
	}
	d, err = parseDatom(b[:n], header)
	return d, n, err
}

// AppendDatom appends d as it is stored. Its transaction must be a transaction entity.
func AppendDatom(dst []byte, d dclone.Datom) []byte {
	top := int64(d.Tx.T()) << 1
	if d.Added {
		top |= 1
	}
	start := len(dst)
	dst = append(dst, 0, 0)
	dst = append(dst, structHead...)
	dst = fressian.AppendInt(dst, int64(d.E))
	dst = fressian.AppendInt(dst, int64(d.A))
	dst = fressian.AppendInt(dst, top)
	dst = append(dst, d.V...)
	if n := len(dst) - start; n <= maxShort {
		dst[start], dst[start+1] = byte(n>>8), byte(n)
		return dst
	}
	dst = append(dst, 0, 0, 0, 0)
	copy(dst[start+bigHeader:], dst[start+shortHeader:])
	binary.BigEndian.PutUint32(dst[start:], 0)
	binary.BigEndian.PutUint32(dst[start+2:], uint32(len(dst)-start))
	return dst
}

// checkValue reports whether v is exactly one fressian value.
func checkValue(v dclone.Value) error {
	n, err := fressian.Skip(v)
	if err != nil {
		return err
	}
	if n != len(v) {
		return fmt.Errorf("%d bytes behind the value", len(v)-n)
	}
	return nil
}
