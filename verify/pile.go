package verify

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"

	"dclone"
)

// pileParts is how many parts a pile has. Two databases are compared part by part, so this much
// more than memory holds can be compared.
const pileParts = 256

// A pile is one side's datoms, cut into parts by a hash of the entity. What there is no memory
// for goes to a file without a name.
//
//	record := flags:1 e:8 a:uvarint t:uvarint len:uvarint v
type pile struct {
	limit int64 // bytes in memory
	dir   string
	parts [pileParts]part
	used  int64
	file  *os.File
	size  int64 // of the file
}

// A part is the records of some entities, in the order of the log: extents first, then tail.
type part struct {
	extents []extent
	tail    []byte
}

// An extent is a stretch of the file.
type extent struct{ at, n int64 }

// A record is a datom in a pile.
type record struct {
	flags flags
	e, a  dclone.EntityID
	t     dclone.T
	v     dclone.Value
}

type flags uint8

const (
	added     flags = 1 << iota // asserted, not retracted
	born                        // of the bootstrap
	firstCopy                   // of the first copy, or of what it was made of
	forced                      // an instant that may have been moved forward: it equals the one before
	unmapped                    // e or v has no clone: all is as the source has it
	mayLack                     // a live clone may be without
)

func newPile(limit int64, dir string) *pile { return &pile{limit: limit, dir: dir} }

// partOf spreads entities over parts.
func partOf(e dclone.EntityID) uint64 { return uint64(e) * 0x9e3779b97f4a7c15 >> 56 }

func (p *pile) add(r record) error {
	part := &p.parts[partOf(r.e)]
	before := len(part.tail)
	b := append(part.tail, byte(r.flags))
	b = binary.BigEndian.AppendUint64(b, uint64(r.e))
	b = binary.AppendUvarint(b, uint64(r.a))
	b = binary.AppendUvarint(b, uint64(r.t))
	b = binary.AppendUvarint(b, uint64(len(r.v)))
	part.tail = append(b, r.v...)
	p.used += int64(len(part.tail) - before)
	if p.used > p.limit {
		return p.spill()
	}
	return nil
}

// spill moves what is in memory to the file.
func (p *pile) spill() error {
	if p.file == nil {
		f, err := os.CreateTemp(p.dir, "dclone-verify-*")
		if err != nil {
			return err
		}
		p.file = f
		if err := os.Remove(f.Name()); err != nil { // it lives as long as it is open
			return err
		}
	}
	for i := range p.parts {
		part := &p.parts[i]
		n, err := p.file.WriteAt(part.tail, p.size)
		if err != nil {
			return err
		}
		part.extents = append(part.extents, extent{p.size, int64(n)})
		p.size += int64(n)
		part.tail = part.tail[:0]
	}
	p.used = 0
	return nil
}

// close lets the file go.
func (p *pile) close() error {
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}

// bytes returns part i whole; what was in the file comes in buf. Several goroutines may ask for a
// part each.
func (p *pile) bytes(i int, buf *[]byte) ([]byte, error) {
	part := &p.parts[i]
	if len(part.extents) == 0 {
		return part.tail, nil
	}
	b := (*buf)[:0]
	for _, x := range part.extents {
		at := len(b)
		b = slices.Grow(b, int(x.n))[:at+int(x.n)]
		if n, err := p.file.ReadAt(b[at:], x.at); n < len(b)-at {
			return nil, errors.Join(err, io.ErrUnexpectedEOF)
		}
	}
	*buf = append(b, part.tail...)
	return *buf, nil
}

// appendRecords appends the records in the bytes of a part. Their values alias b.
func appendRecords(list []record, b []byte) []record {
	for len(b) > 0 {
		r := record{flags: flags(b[0]), e: dclone.EntityID(binary.BigEndian.Uint64(b[1:]))}
		b = b[9:]
		number := func() uint64 {
			v, n := binary.Uvarint(b)
			b = b[n:]
			return v
		}
		r.a, r.t = dclone.EntityID(number()), dclone.T(number())
		size := number()
		r.v, b = b[:size:size], b[size:]
		list = append(list, r)
	}
	return list
}
