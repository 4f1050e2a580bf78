package local

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"

	"dclone/fressian"
)

// A valueKind is a value type. Values of different types are in this order.
type valueKind uint8

const (
	kindNil valueKind = iota
	kindLong
	kindInstant
	kindBoolean
	kindString
	kindKeyword
	kindSymbol
	kindFloat
	kindDouble
	kindBigInt
	kindBigDec
	kindUUID
	kindURI
	kindTuple
	kindBytes
	kindMalformed
)

// An item is a value, or an element of a tuple, taken apart as far as order asks.
type item struct {
	kind      valueKind
	qualified bool    // a keyword or symbol with a namespace
	num       int64   // long, instant, boolean; scale of a bigdec; elements of a tuple; first half of a uuid
	low       int64   // second half of a uuid
	float     float64 // float, double
	namespace chunked // of a keyword or symbol
	text      chunked // string, uri, bytes, bigint; name; unscaled part of a bigdec; what is malformed
}

// The fressian codes of stored values, ints apart.
const (
	codeRef0    = 0x80 // ..9F: a part of a name put before
	codeUUID    = 0xc3
	codeURI     = 0xc5
	codeBigInt  = 0xc6
	codeBigDec  = 0xc7
	codeSymbol  = 0xc9
	codeKeyword = 0xca
	codePut     = 0xcd
	codeBytes   = 0xd0 // ..D9
	codeText    = 0xda // ..E3
	codeList0   = 0xe4 // ..EB: 0..7 elements
	codeList    = 0xec
	codeTrue    = 0xf5
	codeFalse   = 0xf6
	codeNil     = 0xf7
	codeFloat   = 0xf9
	codeDouble  = 0xfa
	codeDouble0 = 0xfb
	codeDouble1 = 0xfc

	// Text and bytes are chunks and a last piece, their codes counted from codeText or codeBytes.
	codeChunk = 8
	codeLast  = 9 // a code below codeChunk is a last piece of that length

	maxPuts = 16 // two for each element of a tuple
)

// An itemReader reads a value, and after a tuple its elements, item by item.
type itemReader struct {
	b      []byte
	off    int
	failed bool
	puts   [maxPuts]int // where the names begin that a later one may refer to
	put    int
}

// next returns the next item. Once something is not as Local stores it, all that is left is one
// malformed item.
func (r *itemReader) next() (it item) {
	start := r.off
	if !r.failed && r.item(&it) {
		return it
	}
	r.failed, r.off = true, start
	return item{kind: kindMalformed, text: chunked{piece: r.b[start:]}}
}

func (r *itemReader) item(it *item) bool {
	if r.off == len(r.b) {
		return false
	}
	if r.int(&it.num) {
		it.kind = kindLong
		return true
	}
	c := r.b[r.off]
	switch {
	case c >= codeText && c <= codeText+codeLast:
		it.kind = kindString
		return r.chunked(&it.text, codeText)
	case c >= codeBytes && c <= codeBytes+codeLast:
		it.kind = kindBytes
		return r.chunked(&it.text, codeBytes)
	case c >= codeList0 && c < codeList:
		it.kind, it.num = kindTuple, int64(c-codeList0)
		r.off++
		return true
	}
	r.off++
	return r.coded(it, c)
}

// coded reads what follows a code that tells the type.
func (r *itemReader) coded(it *item, code byte) bool {
	switch code {
	case codeNil:
		it.kind = kindNil
	case codeTrue, codeFalse:
		it.kind = kindBoolean
		if code == codeTrue {
			it.num = 1
		}
	case codeInstant:
		it.kind = kindInstant
		return r.int(&it.num)
	case codeFloat, codeDouble, codeDouble0, codeDouble1:
		return r.float(it, code)
	case codeUUID:
		return r.uuid(it)
	case codeURI:
		it.kind = kindURI
		return r.chunked(&it.text, codeText)
	case codeBigInt:
		it.kind = kindBigInt
		return r.chunked(&it.text, codeBytes)
	case codeBigDec:
		it.kind = kindBigDec
		return r.chunked(&it.text, codeBytes) && r.int(&it.num) && it.num == int64(int32(it.num))
	case codeSymbol, codeKeyword:
		it.kind = kindSymbol
		if code == codeKeyword {
			it.kind = kindKeyword
		}
		return r.name(it)
	case codeList:
		it.kind = kindTuple
		return r.int(&it.num) && it.num >= 0
	default:
		return false
	}
	return true
}

func (r *itemReader) int(v *int64) bool {
	x, n, ok := fressian.Int(r.b[r.off:])
	if ok {
		*v = x
		r.off += n
	}
	return ok
}

func (r *itemReader) float(it *item, code byte) bool {
	it.kind = kindDouble
	rest := r.b[r.off:]
	switch {
	case code == codeDouble0:
	case code == codeDouble1:
		it.float = 1
	case code == codeDouble && len(rest) >= 8:
		it.float = math.Float64frombits(binary.BigEndian.Uint64(rest))
		r.off += 8
	case code == codeFloat && len(rest) >= 4:
		it.kind, it.float = kindFloat, float64(math.Float32frombits(binary.BigEndian.Uint32(rest)))
		r.off += 4
	default:
		return false
	}
	return true
}

func (r *itemReader) uuid(it *item) bool {
	var id chunked
	if !r.chunked(&id, codeBytes) || len(id.piece) != 16 || len(id.more) != 0 {
		return false
	}
	it.kind = kindUUID
	it.num = int64(binary.BigEndian.Uint64(id.piece))
	it.low = int64(binary.BigEndian.Uint64(id.piece[8:]))
	return true
}

func (r *itemReader) name(it *item) bool {
	if r.off < len(r.b) && r.b[r.off] == codeNil {
		r.off++
		return r.part(&it.text)
	}
	it.qualified = true
	return r.part(&it.namespace) && r.part(&it.text)
}

// part reads a part of a name: text, put to be referred to unless it is empty, or a reference.
func (r *itemReader) part(t *chunked) bool {
	if r.off == len(r.b) {
		return false
	}
	switch c := int(r.b[r.off]); {
	case c == codePut && r.put < maxPuts:
		r.off++
		r.puts[r.put] = r.off
		r.put++
	case c >= codeRef0 && c < codeRef0+r.put:
		r.off++
		earlier := itemReader{b: r.b, off: r.puts[c-codeRef0]}
		return earlier.chunked(t, codeText)
	}
	return r.chunked(t, codeText)
}

// chunked reads text or bytes, whose codes begin at base.
func (r *itemReader) chunked(t *chunked, base byte) bool {
	piece, n, last := nextPiece(r.b[r.off:], base)
	r.off += n
	more := r.off
	for n > 0 && !last {
		_, n, last = nextPiece(r.b[r.off:], base)
		r.off += n
	}
	*t = chunked{piece: piece, more: r.b[more:r.off], base: base}
	t.skip(0)
	return n > 0
}

// nextPiece returns a chunk or the last piece at the head of b and the n bytes it takes, none
// where there is neither.
func nextPiece(b []byte, base byte) (piece []byte, n int, last bool) {
	if len(b) == 0 || b[0] < base || b[0] > base+codeLast {
		return nil, 0, false
	}
	code := b[0] - base
	length, head := int64(code), 1
	if code >= codeChunk {
		var ok bool
		if length, n, ok = fressian.Int(b[1:]); !ok {
			return nil, 0, false
		}
		head += n
	}
	if length < 0 || length > int64(len(b)-head) {
		return nil, 0, false
	}
	n = head + int(length)
	return b[head:n:n], n, code != codeChunk
}

// A chunked is text or bytes as stored: a piece, empty only if all are, and more pieces with their
// codes.
type chunked struct {
	piece, more []byte
	base        byte
}

// skip drops n bytes of the piece; where it ends, the next with content takes its place.
func (t *chunked) skip(n int) {
	t.piece = t.piece[n:]
	for len(t.piece) == 0 && len(t.more) > 0 {
		t.piece, n, _ = nextPiece(t.more, t.base)
		t.more = t.more[n:]
	}
}

// join returns the whole. It allocates where there is more than a piece.
func (t chunked) join() []byte {
	if len(t.more) == 0 {
		return t.piece
	}
	var whole []byte
	for ; len(t.piece) > 0; t.skip(len(t.piece)) {
		whole = append(whole, t.piece...)
	}
	return whole
}

func compareChunked(a, b chunked) int {
	for {
		n := min(len(a.piece), len(b.piece))
		if c := bytes.Compare(a.piece[:n], b.piece[:n]); c != 0 {
			return c
		}
		a.skip(n)
		b.skip(n)
		if len(a.piece) == 0 || len(b.piece) == 0 {
			return cmp.Compare(len(a.piece), len(b.piece))
		}
	}
}
