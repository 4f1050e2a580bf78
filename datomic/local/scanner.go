package local

import (
	"errors"
	"fmt"
	"io"

	"dclone"
)

const scanBuffer = 256 << 10

// errTorn says that a frame runs past the end of the log: a writer is at work, or was cut off.
var errTorn = errors.New("the log ends inside a frame")

// A DamageError says where the bytes of a file are not what they should be.
type DamageError struct {
	Path   string
	Offset int64 // bytes from the start of the file
	Err    error
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("read %s at offset %d: %v", e.Path, e.Offset, e.Err)
}

func (e *DamageError) Unwrap() error { return e.Err }

// A Scanner reads frames and their datoms, in order, from a stretch of a log that begins and
// ends at frame borders. Its memory is one buffer, grown only for a datom that exceeds it.
//
//	for s.Frame() {
//		for s.Datom() { use(s.D) }
//	}
//	return s.Err()
type Scanner struct {
	D      dclone.Datom // the datom read last; its value is good until the next call
	Offset int64        // of that datom, in the file
	Len    int          // of that datom, its length field included

	path        string
	r           io.ReaderAt
	end         int64 // where the stretch ends
	base        int64 // file offset of buf[0]
	buf         []byte
	pos, lim    int
	head        header
	frameOffset int64
	left        int // datoms of this frame not yet read
	err         error
}

func newScanner(r io.ReaderAt, path string, from, to int64) *Scanner {
	size := min(scanBuffer, max(to-from, 0))
	return &Scanner{r: r, path: path, end: to, base: from, buf: make([]byte, size)}
}

// Frame moves to the next frame, over what is left of the present one.
func (s *Scanner) Frame() bool {
	for s.left > 0 {
		if !s.next() {
			return false
		}
	}
	if s.err != nil || s.at() == s.end {
		return false
	}
	s.frameOffset = s.at()
	if !s.need(headerSize) {
		return false
	}
	h, err := parseHeader(s.buf[s.pos:s.lim])
	if err == nil && s.head.Count > 0 && h.T <= s.head.T {
		err = fmt.Errorf("t %d follows t %d", h.T, s.head.T)
	}
	if err != nil {
		return s.fail(s.frameOffset, fmt.Errorf("no frame begins here: %w", err))
	}
	s.head, s.left = h, h.Count
	s.pos += headerSize
	return true
}

// Datom moves to the next datom of the present frame.
func (s *Scanner) Datom() bool {
	if s.left == 0 || !s.next() {
		return false
	}
	_, h, _ := datomLen(s.buf[s.pos-s.Len : s.pos])
	d, err := parseDatom(s.buf[s.pos-s.Len:s.pos], h)
	if err == nil && d.Tx != dclone.TxID(s.head.T) {
		err = fmt.Errorf("it belongs to t %d", d.Tx.T())
	}
	if err != nil {
		return s.fail(s.Offset, fmt.Errorf("datom %d of t %d: %w", s.head.Count-s.left, s.head.T, err))
	}
	s.D = d
	return true
}

// next steps over one datom, leaving it whole in the buffer.
func (s *Scanner) next() bool {
	if s.err != nil || !s.need(shortHeader) {
		return false
	}
	n, h, ok := datomLen(s.buf[s.pos:s.lim])
	if !ok {
		if !s.need(bigHeader) {
			return false
		}
		n, h, _ = datomLen(s.buf[s.pos:s.lim])
	}
	if n <= h || n > MaxDatom {
		return s.fail(s.at(), fmt.Errorf("datom %d of t %d: a length of %d bytes",
			s.head.Count-s.left+1, s.head.T, n))
	}
	if !s.need(n) {
		return false
	}
	s.Offset, s.Len = s.at(), n
	s.pos += n
	s.left--
	return true
}

// T and Count belong to the present frame.
func (s *Scanner) T() dclone.T { return s.head.T }

// Count returns how many datoms the present frame has.
func (s *Scanner) Count() int { return s.head.Count }

// FrameOffset returns where the present frame begins.
func (s *Scanner) FrameOffset() int64 { return s.frameOffset }

// End returns the offset behind all that was read.
func (s *Scanner) End() int64 { return s.at() }

// Err returns what stopped the scanner before the end of its stretch.
func (s *Scanner) Err() error { return s.err }

func (s *Scanner) at() int64 { return s.base + int64(s.pos) }

func (s *Scanner) fail(offset int64, err error) bool {
	s.err = &DamageError{Path: s.path, Offset: offset, Err: err}
	return false
}

// need makes n bytes available at pos, or fails.
func (s *Scanner) need(n int) bool {
	if s.lim-s.pos >= n {
		return true
	}
	if int64(n) > s.end-s.at() {
		return s.fail(s.frameOffset, errTorn)
	}
	s.base += int64(s.pos)
	rest := s.buf[s.pos:s.lim]
	if n > len(s.buf) {
		s.buf = make([]byte, n)
	}
	s.lim = copy(s.buf, rest)
	s.pos = 0
	want := min(int64(len(s.buf)-s.lim), s.end-s.base-int64(s.lim))
	m, err := s.r.ReadAt(s.buf[s.lim:s.lim+int(want)], s.base+int64(s.lim))
	s.lim += m
	switch {
	case s.lim >= n:
		return true
	case err == nil || errors.Is(err, io.EOF):
		return s.fail(s.frameOffset, errTorn)
	default:
		return s.fail(s.base+int64(s.lim), err)
	}
}
