package fressian

import "bytes"

// A Walker reads what a Decoder reads, but makes Go values only of what its caller asks for: of
// the values it does not look into it returns the bytes. It is for datoms that come by the million.
//
// After an error every method returns zeros, so that a caller may read several values before it
// looks at Err. What it returns aliases its input.
type Walker struct {
	b    []byte // empty after an error
	off  int
	base int // where the bytes that the next footer covers begin
	err  error

	depth  int
	again  int  // above 0 while it reads what was read before, and caches nothing
	resets int  // how often the caches were emptied
	shared bool // what was skipped since this was false does not stand alone, or may not
	size   int  // of the input
	spent  int  // bytes that values needed to stand alone
	refs   []stretch
	types  []walkedType
	alone  alone
}

// A stretch of the input is a value of the priority cache, without its CD.
type stretch struct {
	from, to int  // to is 0 while the value is being read
	plain    bool // it stands alone
}

type walkedType struct {
	tag    []byte // CESU-8
	fields int
}

// NewWalker returns a Walker of b.
func NewWalker(b []byte) *Walker { return &Walker{b: b, size: len(b)} }

// Reset makes w a Walker of b, as NewWalker does, but keeps its memory.
func (w *Walker) Reset(b []byte) {
	*w = Walker{b: b, size: len(b), refs: w.refs[:0], types: w.types[:0], alone: w.alone}
}

// Offset returns how many bytes have been read, and after an error 0.
func (w *Walker) Offset() int { return w.off }

// Err returns the first error: an *Error, or what was given to Fail.
func (w *Walker) Err() error { return w.err }

// End reads footers up to the end of the input. Anything else there is an error.
func (w *Walker) End() {
	w.marks()
	if w.off < len(w.b) {
		w.fail(bad(w.off, "%d bytes behind the end", len(w.b)-w.off))
	}
}

// Fail makes err the error of w, where it has none yet: for what only its caller can see is wrong.
func (w *Walker) Fail(err error) { w.fail(err) }

func (w *Walker) fail(err error) {
	if w.err == nil {
		w.err = err
	}
	w.b, w.off = nil, 0
}

// marks reads cache resets and footers.
func (w *Walker) marks() {
	for w.off < len(w.b) && (w.b[w.off] == codeReset || w.b[w.off] == codeFooter) {
		if w.b[w.off] == codeReset {
			w.off++
		} else if err := checkFooter(w.b, w.base, w.off); err != nil {
			w.fail(err)
			return
		} else {
			w.off += footerSize
			w.base = w.off
		}
		w.refs, w.types = w.refs[:0], w.types[:0]
		w.resets++
	}
}

// code returns the code of the next value without reading it.
func (w *Walker) code() (c byte, ok bool) {
	w.marks()
	if w.off < len(w.b) {
		return w.b[w.off], true
	}
	w.fail(short(w.off, "nothing where a value belongs"))
	return 0, false
}

// take reads n bytes of the value at offset.
func (w *Walker) take(offset int, n int64, noun string) []byte {
	if left := len(w.b) - w.off; n > int64(left) {
		w.fail(short(offset, "%s of %d bytes, %d left", noun, n, left))
		return nil
	}
	w.off += int(n)
	return w.b[w.off-int(n) : w.off : w.off]
}

// count reads the count in the value at offset. It is an int, never a reference.
func (w *Walker) count(offset int, noun string) int64 {
	n, size, ok := Int(w.b[w.off:])
	switch {
	case w.err != nil:
		return 0
	case !ok && w.off < len(w.b) && !isInt(w.b[w.off]):
		w.fail(bad(offset, "%s with code %02X for its count", noun, w.b[w.off]))
		return 0
	case !ok:
		w.fail(short(offset, "%s, %d bytes left of its count", noun, len(w.b)-w.off))
		return 0
	case n < 0:
		w.fail(bad(offset, "%s with count %d", noun, n))
		return 0
	}
	w.off += size
	return n
}

// fits fails where n values cannot follow, and returns how many are to be read.
func (w *Walker) fits(offset int, n int64, noun, unit string) int64 {
	if left := len(w.b) - w.off; n > int64(left) {
		w.fail(short(offset, "%s of %d %s, %d bytes left", noun, n, unit, left))
		return 0
	}
	return n
}

func (w *Walker) enter(offset int) {
	if w.depth++; w.depth > MaxDepth {
		w.fail(bad(offset, "nested deeper than %d", MaxDepth))
	}
}

func (w *Walker) leave() { w.depth-- }

// Int reads an int.
func (w *Walker) Int() int64 {
	if v, n, ok := Int(w.b[w.off:]); ok {
		w.off += n
		return v
	}
	if w.off < len(w.b) && isRef(w.b[w.off]) {
		return w.farInt()
	}
	return aside(w, "an int", w.Int)
}

// farInt reads a reference to an int: in a log, the t of most datoms is one.
func (w *Walker) farInt() int64 {
	offset := w.off
	s := w.lookup()
	v, n, ok := Int(w.b[s.from:])
	if !ok || n != s.to-s.from {
		w.fail(bad(offset, "a reference to other than an int where one belongs"))
		return 0
	}
	return v
}

// Bool reads a boolean.
func (w *Walker) Bool() bool {
	if w.off < len(w.b) {
		if c := w.b[w.off]; c == codeTrue || c == codeFalse {
			w.off++
			return c == codeTrue
		}
	}
	return aside(w, "a boolean", w.Bool)
}

// Nil reads a nil where one is next, and reports whether it did.
func (w *Walker) Nil() bool {
	w.marks()
	if w.off == len(w.b) || w.b[w.off] != codeNull {
		return false
	}
	w.off++
	return true
}

var uuidHead = []byte{codeUUID, codeBytes, 16}

// UUID reads a uuid.
func (w *Walker) UUID() (id [16]byte) {
	if n := len(uuidHead); bytes.HasPrefix(w.b[w.off:], uuidHead) && len(w.b)-w.off >= n+len(id) {
		w.off += n + copy(id[:], w.b[w.off+n:])
		return id
	}
	return aside(w, "a uuid", w.UUID)
}

// Keyword reads a keyword. ns is nil where it has none. Both are as they are stored: CESU-8.
func (w *Walker) Keyword() (ns, name []byte) {
	k := w.keyword()
	return k[0], k[1]
}

func (w *Walker) keyword() (k [2][]byte) {
	if w.off >= len(w.b) || w.b[w.off] != codeKey {
		return aside(w, "a keyword", w.keyword)
	}
	w.off++
	if !w.Nil() {
		k[0] = w.text()
	}
	k[1] = w.text()
	return k
}

// text reads a string.
func (w *Walker) text() []byte {
	if w.off >= len(w.b) || !isText(w.b[w.off]) {
		return aside(w, "a string", w.text)
	}
	c, offset := w.b[w.off], w.off
	if n := int64(fixedSize[c]); n > 0 {
		text := w.take(offset, n, "string")
		return text[min(1, len(text)):]
	}
	if c == codeText {
		w.off++
		return w.take(offset, w.count(offset, "string"), "string")
	}
	return w.joined()
}

// joined reads a string in chunks.
func (w *Walker) joined() []byte {
	from := w.off
	w.skipRuns(isText)
	if w.err != nil {
		return nil
	}
	whole := []byte{}
	for b := w.b[from:w.off]; len(b) > 0; {
		if n := fixedSize[b[0]]; n > 0 {
			return append(whole, b[1:n]...)
		}
		n, size, _ := Int(b[1:])
		b = b[1+size:]
		whole = append(whole, b[:n]...)
		b = b[n:]
	}
	return whole
}

// aside reads a value that is not where it was expected: because marks are before it, because it
// is cached here, or because it is a reference.
func aside[T any](w *Walker, noun string, read func() T) (v T) {
	offset := w.off
	c, ok := w.code()
	switch {
	case !ok:
		return v
	case w.off > offset:
		return read()
	case c == codePut:
		p := w.put()
		v = read()
		w.settle(p)
		return v
	case isRef(c):
		from := w.follow()
		v = read()
		w.back(from)
		return v
	case fixedSize[c] > 0 && w.off+int(fixedSize[c]) > len(w.b):
		w.fail(short(offset, "value of %d bytes, %d left", fixedSize[c], len(w.b)-w.off))
		return v
	}
	w.fail(bad(offset, "code %02X where %s belongs", c, noun))
	return v
}
