package fressian

import "io"

// References are cheap to write and dear to walk: a few bytes can stand for a value of any size
// many times over. What they stand for within one value may come to sharedFloor bytes, and to
// sharedFactor bytes for each byte of input; real data stays far below.
const (
	sharedFloor  = 16 << 20
	sharedFactor = 256
)

// A Decoder reads values one after the other. What it returns holds no part of its input.
//
// After an error a Decoder returns that error forever; [io.EOF] at the end of the input is none.
type Decoder struct {
	b    []byte
	off  int
	base int // where the bytes that the next footer covers begin
	err  error

	depth, deepest int
	shared         int // bytes that references stood for within this value
	refs           []ref
	types          []structType
}

// A ref is a value of the priority cache.
type ref struct {
	value  any
	size   int  // bytes it would take without references
	height int  // levels it nests
	whole  bool // false while it is being read
}

// NewDecoder returns a Decoder of b.
func NewDecoder(b []byte) *Decoder { return &Decoder{b: b} }

// Decode decodes the value at the head of b, which does not need what went before it, and returns
// what follows it. A footer that follows is not looked at.
func Decode(b []byte) (v any, rest []byte, err error) {
	d := Decoder{b: b}
	if v, err = d.value(); err != nil {
		return nil, b, err
	}
	return v, b[d.off:], nil
}

// Offset returns how many bytes have been read.
func (d *Decoder) Offset() int { return d.off }

// Remaining returns how many bytes are left.
func (d *Decoder) Remaining() int { return len(d.b) - d.off }

// Decode reads the next value. Footers before it are checked on the way. It returns io.EOF where
// nothing but footers is left.
func (d *Decoder) Decode() (any, error) {
	return read(d, d.value)
}

// Int reads the next value, which must be an int.
func (d *Decoder) Int() (int64, error) {
	return read(d, d.int)
}

// Struct reads the head of a struct that decodes to Tagged. The caller reads its fields.
func (d *Decoder) Struct() (tag string, fields int, err error) {
	t, err := read(d, d.structHead)
	return t.tag, t.fields, err
}

// Footer reads a footer, which must be next, and checks it against the bytes since the last. It
// empties the caches.
func (d *Decoder) Footer() error {
	if d.err == nil {
		d.err = d.footer()
	}
	return d.err
}

// read makes an exported way to read of an inner one: it keeps an error, and tells the end of the
// input from an end within a value.
func read[T any](d *Decoder, inner func() (T, error)) (result T, err error) {
	if d.err != nil {
		return result, d.err
	}
	if d.depth == 0 {
		d.shared = 0
		if d.err = d.skipMarks(); d.err != nil {
			return result, d.err
		}
		if d.off == len(d.b) {
			return result, io.EOF
		}
	}
	v, err := inner()
	if err != nil {
		d.err = err
		return result, err
	}
	return v, nil
}

// skipMarks reads what may stand before any value: cache resets and footers.
func (d *Decoder) skipMarks() error {
	for d.off < len(d.b) {
		switch d.b[d.off] {
		case codeReset:
			d.off++
			d.clearCaches()
		case codeFooter:
			if err := d.footer(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// code reads the code of a value.
func (d *Decoder) code() (byte, error) {
	if err := d.skipMarks(); err != nil {
		return 0, err
	}
	if d.off == len(d.b) {
		return 0, short(d.off, "nothing where a value belongs")
	}
	d.off++
	return d.b[d.off-1], nil
}

func (d *Decoder) footer() error {
	if err := checkFooter(d.b, d.base, d.off); err != nil {
		return err
	}
	d.off += footerSize
	d.base = d.off
	d.clearCaches()
	return nil
}

func (d *Decoder) clearCaches() {
	d.refs = d.refs[:0]
	d.types = d.types[:0]
}

func (d *Decoder) enter(offset int) error {
	if d.depth == MaxDepth {
		return bad(offset, "nested deeper than %d", MaxDepth)
	}
	d.depth++
	d.deepest = max(d.deepest, d.depth)
	return nil
}

func (d *Decoder) leave() { d.depth-- }
