package fressian

import (
	"encoding/binary"
	"math"
)

func (e *Encoder) value(v any) error {
	switch v := v.(type) {
	case nil:
		e.code(codeNull)
	case bool:
		e.bool(v)
	case int64:
		e.int(v)
	case float32:
		e.float(v)
	case float64:
		e.double(v)
	case string:
		return e.text(v)
	case []byte:
		e.bytes(v)
	case []any:
		return e.list(v)
	case Cached:
		return e.cached(v.Value)
	default:
		return e.builtin(v)
	}
	return nil
}

func (e *Encoder) bool(v bool) {
	if v {
		e.code(codeTrue)
	} else {
		e.code(codeFalse)
	}
}

// double writes -0.0 as 0.0, and every NaN as Java's, because FressianWriter does.
func (e *Encoder) double(v float64) {
	switch {
	case v == 0:
		e.code(codeDouble0)
		return
	case v == 1:
		e.code(codeDouble1)
		return
	}
	bits := math.Float64bits(v)
	if v != v {
		bits = 0x7FF8000000000000
	}
	e.buf = binary.BigEndian.AppendUint64(append(e.buf, codeDouble), bits)
}

// float keeps -0.0, unlike double.
func (e *Encoder) float(v float32) {
	bits := math.Float32bits(v)
	if v != v {
		bits = 0x7FC00000
	}
	e.buf = binary.BigEndian.AppendUint32(append(e.buf, codeFloat), bits)
}

func (e *Encoder) text(s string) error {
	size, err := sizeCESU8(s)
	switch {
	case err != nil:
		return err
	case size > maxTextChunk:
		e.chunks(appendCESU8(make([]byte, 0, size), s))
	case size > len(s):
		e.textHead(codeText, size)
		e.buf = appendCESU8(e.buf, s)
	default:
		e.textHead(codeText, size)
		e.buf = append(e.buf, s...)
	}
	return nil
}

// chunks writes a string of several chunks, given as CESU-8. Only the last may be packed.
func (e *Encoder) chunks(b []byte) {
	for len(b) > maxTextChunk {
		n := textChunk(b)
		e.textHead(codeTextChunk, n)
		e.buf = append(e.buf, b[:n]...)
		b = b[n:]
	}
	e.textHead(codeText, len(b))
	e.buf = append(e.buf, b...)
}

func (e *Encoder) textHead(c byte, n int) {
	if n < packed {
		e.code(codeText0 + byte(n))
		return
	}
	e.code(c)
	e.int(int64(n))
}

// bytes never packs the last chunk of several, however short it is.
func (e *Encoder) bytes(b []byte) {
	if len(b) < packed {
		e.code(codeBytes0 + byte(len(b)))
		e.buf = append(e.buf, b...)
		return
	}
	for ; len(b) > maxByteChunk; b = b[maxByteChunk:] {
		e.code(codeBytesChunk)
		e.int(maxByteChunk)
		e.buf = append(e.buf, b[:maxByteChunk]...)
	}
	e.code(codeBytes)
	e.int(int64(len(b)))
	e.buf = append(e.buf, b...)
}

func (e *Encoder) list(items []any) error {
	if err := e.enter(); err != nil {
		return err
	}
	e.listHead(len(items))
	for _, item := range items {
		if err := e.value(item); err != nil {
			return err
		}
	}
	e.leave()
	return nil
}

func (e *Encoder) listHead(n int) {
	if n < packed {
		e.code(codeList0 + byte(n))
		return
	}
	e.code(codeList)
	e.int(int64(n))
}
