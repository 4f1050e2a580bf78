package fressian

import (
	"encoding/binary"
	"math"
)

// trusted is how many elements are allocated because a count says so. Beyond it a list grows as
// its elements are read, so that counts within counts cannot multiply.
const trusted = 512

func (d *Decoder) value() (any, error) {
	c, err := d.code()
	if err != nil {
		return nil, err
	}
	return d.rest(c)
}

// rest reads a value whose code c has just been read.
func (d *Decoder) rest(c byte) (any, error) {
	switch {
	case isInt(c):
		d.off--
		return d.int()
	case isText(c):
		return d.text(c)
	case isBytes(c):
		return d.bytes(c)
	case isList(c):
		return d.list(c)
	case c < codeType0:
		return d.lookup(d.off-1, int64(c-codeRef0))
	case isType(c):
		return d.tagged(c)
	case isArray(c):
		return d.array(c)
	case builtinFields(c) > 0:
		return d.builtin(c)
	}
	return d.atom(c)
}

// atom reads the values that are little more than their code, and refuses codes of no value.
func (d *Decoder) atom(c byte) (any, error) {
	switch c {
	case codeNull:
		return nil, nil
	case codeTrue, codeFalse:
		return c == codeTrue, nil
	case codeDouble0:
		return 0.0, nil
	case codeDouble1:
		return 1.0, nil
	case codeDouble:
		b, err := d.take(d.off-1, 8, "double")
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
	case codeFloat:
		b, err := d.take(d.off-1, 4, "float")
		if err != nil {
			return nil, err
		}
		return math.Float32frombits(binary.BigEndian.Uint32(b)), nil
	case codePut:
		return d.put()
	case codeRef:
		return d.farRef()
	}
	return nil, d.notAValue(c)
}

func (d *Decoder) notAValue(c byte) error {
	if c == codeEnd {
		return bad(d.off-1, "end of a list where a value belongs")
	}
	return bad(d.off-1, "code %02X begins no value", c)
}

// take reads n bytes of the value whose code is at offset, without copying them.
func (d *Decoder) take(offset int, n int64, noun string) ([]byte, error) {
	if left := d.Remaining(); n > int64(left) {
		return nil, short(offset, "%s of %d bytes, %d left", noun, n, left)
	}
	b := d.b[d.off : d.off+int(n)]
	d.off += int(n)
	return b, nil
}

// count reads the count in the value whose code is at offset. It is an int, never a reference.
func (d *Decoder) count(offset int, noun string) (int64, error) {
	n, size, ok := Int(d.b[d.off:])
	switch {
	case !ok && d.off < len(d.b) && !isInt(d.b[d.off]):
		return 0, bad(offset, "%s with code %02X for its count", noun, d.b[d.off])
	case !ok:
		return 0, short(offset, "%s, %d bytes left of its count", noun, d.Remaining())
	case n < 0:
		return 0, bad(offset, "%s with count %d", noun, n)
	}
	d.off += size
	return n, nil
}

// countValues reads a count of values, which noun has as its unit, and checks that so many can
// follow: each of them takes a byte at least.
func (d *Decoder) countValues(offset int, noun, unit string) (int64, error) {
	n, err := d.count(offset, noun)
	if err != nil {
		return 0, err
	}
	return n, d.fits(offset, n, noun, unit)
}

func (d *Decoder) fits(offset int, n int64, noun, unit string) error {
	if left := d.Remaining(); n > int64(left) {
		return short(offset, "%s of %d %s, %d bytes left", noun, n, unit, left)
	}
	return nil
}

// values reads n values.
func (d *Decoder) values(n int64) ([]any, error) {
	items := make([]any, 0, min(n, trusted))
	for range n {
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	return items, nil
}

func (d *Decoder) int() (int64, error) {
	if v, n, ok := Int(d.b[d.off:]); ok {
		d.off += n
		return v, nil
	}
	if d.off < len(d.b) && isInt(d.b[d.off]) {
		return 0, short(d.off, "int of %d bytes, %d left", fixedSize[d.b[d.off]], d.Remaining())
	}
	return as[int64](d, "an int")
}

func (d *Decoder) string() (string, error) {
	if d.off < len(d.b) && isText(d.b[d.off]) {
		d.off++
		return d.text(d.b[d.off-1])
	}
	return as[string](d, "a string")
}

func (d *Decoder) byteString() ([]byte, error) {
	if d.off < len(d.b) && isBytes(d.b[d.off]) {
		d.off++
		return d.bytes(d.b[d.off-1])
	}
	return as[[]byte](d, "bytes")
}

// as reads a value that must be a T, which may be a reference to one.
func as[T any](d *Decoder, noun string) (result T, err error) {
	if err := d.skipMarks(); err != nil {
		return result, err
	}
	offset := d.off
	v, err := d.value()
	if err != nil {
		return result, err
	}
	result, ok := v.(T)
	if !ok {
		return result, bad(offset, "%T where %s belongs", v, noun)
	}
	return result, nil
}
