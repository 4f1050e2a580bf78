package fressian

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
)

// An Encoder writes values one after the other, as org.fressian's FressianWriter does: the
// namespaces and names of keywords and symbols, and whatever is [Cached], are written once and
// then referred to; so are the types of structs. A value it writes may therefore need those
// before it; for values that stand alone see [Append].
//
// Where a method fails it has written nothing.
type Encoder struct {
	buf   []byte
	start int // of the bytes that the next footer covers
	depth int
	lists int  // begun and not ended
	plain bool // no caches: what it writes is only a key
	refs  cache[refKey]
	types cache[structType]
}

// NewEncoder returns an Encoder that appends to dst.
func NewEncoder(dst []byte) *Encoder { return &Encoder{buf: dst, start: len(dst)} }

// Bytes returns what the Encoder was given and has appended. It may append to the same memory later.
func (e *Encoder) Bytes() []byte { return e.buf }

// Append appends v as a value that stands alone. Where it fails it returns dst as it was.
func Append(dst []byte, v any) ([]byte, error) {
	e := Encoder{buf: dst}
	if err := e.Encode(v); err != nil {
		return dst, err
	}
	return e.buf, nil
}

// Encode writes v.
func (e *Encoder) Encode(v any) error {
	written, refs, types := len(e.buf), len(e.refs.keys), len(e.types.keys)
	if err := e.value(v); err != nil {
		e.buf, e.depth = e.buf[:written], e.lists
		e.refs.cut(refs)
		e.types.cut(types)
		return fmt.Errorf("write fressian: %w", err)
	}
	return nil
}

// BeginList begins a list whose length is not known yet. EndList ends it.
func (e *Encoder) BeginList() error {
	return e.beginList(codeClosedList)
}

// BeginOpenList begins a list that may be ended by EndList or by the end of the input. It is only
// possible at the start of what a footer covers.
func (e *Encoder) BeginOpenList() error {
	if len(e.buf) != e.start {
		return errors.New("write fressian: open list after other values")
	}
	return e.beginList(codeOpenList)
}

func (e *Encoder) beginList(c byte) error {
	if err := e.enter(); err != nil {
		return fmt.Errorf("write fressian: %w", err)
	}
	e.lists++
	e.code(c)
	return nil
}

// EndList ends the list begun last.
func (e *Encoder) EndList() error {
	if e.lists == 0 {
		return errors.New("write fressian: end of a list that was not begun")
	}
	e.depth, e.lists = e.depth-1, e.lists-1
	e.code(codeEnd)
	return nil
}

// ResetCaches writes that all caches are empty from here on. A value must follow.
func (e *Encoder) ResetCaches() {
	e.code(codeReset)
	e.clearCaches()
}

// Footer writes the length and checksum of all bytes since the last footer. It empties the caches.
func (e *Encoder) Footer() {
	length := len(e.buf) - e.start
	e.buf = binary.BigEndian.AppendUint32(e.buf, footerMagic)
	e.buf = binary.BigEndian.AppendUint32(e.buf, uint32(length))
	e.buf = binary.BigEndian.AppendUint32(e.buf, adler32.Checksum(e.buf[e.start:]))
	e.start = len(e.buf)
	e.clearCaches()
}

func (e *Encoder) clearCaches() {
	e.refs.cut(0)
	e.types.cut(0)
}

func (e *Encoder) code(c byte) { e.buf = append(e.buf, c) }

func (e *Encoder) int(v int64) { e.buf = AppendInt(e.buf, v) }

func (e *Encoder) enter() error {
	if e.depth == MaxDepth {
		return fmt.Errorf("nested deeper than %d", MaxDepth)
	}
	e.depth++
	return nil
}

func (e *Encoder) leave() { e.depth-- }
