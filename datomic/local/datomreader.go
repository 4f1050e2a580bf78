package local

import (
	"errors"
	"fmt"
	"io"

	"dclone"
)

const (
	// readAhead is what a stream of requests that goes forward reads at once; readFirst is what
	// one that has just begun reads, which may prove to be a single request. In between it
	// doubles.
	readAhead = 64 << 10
	readFirst = 2 << 10

	// readGap is how far ahead of what was read a request may lie to count as going forward.
	readGap = 4 << 10

	readStreams = 8
)

// A DatomReader reads datoms of a log at random, and is fast where their offsets mostly grow: it
// follows a few streams of growing offsets at a time and reads ahead in each. It belongs to one
// goroutine.
type DatomReader struct {
	log     *Log
	streams [readStreams]stream
	last    *stream
	clock   int64
	big     []byte // a datom that no stream has room for
}

// A stream is a stretch of the log in memory.
type stream struct {
	at   int64
	b    []byte
	used int64 // the clock, when it was used last
}

// Reader returns a DatomReader of l.
func (l *Log) Reader() *DatomReader {
	r := &DatomReader{log: l}
	r.last = &r.streams[0]
	return r
}

// Datom returns the datom at p. Its value is good until the next call.
func (r *DatomReader) Datom(p Pointer) (dclone.Datom, error) {
	b, header, err := r.bytes(p)
	if err != nil {
		return dclone.Datom{}, err
	}
	d, err := parseDatom(b, header)
	if err != nil {
		return d, &DamageError{r.log.path, p.Offset(), err}
	}
	return d, nil
}

// bytes returns the datom at p as it is stored, and the length of its length field.
func (r *DatomReader) bytes(p Pointer) (b []byte, header int, err error) {
	n := int(p & maxShort)
	if n == 0 {
		return r.bigBytes(p)
	}
	if b, err = r.read(p.Offset(), n); err != nil {
		return nil, 0, err
	}
	if n < shortHeader || int(b[0])<<8|int(b[1]) != n {
		return nil, 0, r.misplaced(p)
	}
	return b, shortHeader, nil
}

func (r *DatomReader) bigBytes(p Pointer) (b []byte, header int, err error) {
	if b, err = r.read(p.Offset(), bigHeader); err != nil {
		return nil, 0, err
	}
	n, header, _ := datomLen(b)
	if header != bigHeader || n < bigHeader || n > MaxDatom {
		return nil, 0, r.misplaced(p)
	}
	b, err = r.read(p.Offset(), n)
	return b, header, err
}

func (r *DatomReader) misplaced(p Pointer) error {
	return &DamageError{r.log.path, p.Offset(), errors.New("the datom that was here is not here any more")}
}

// read returns n bytes of the log, which are good until the next call.
func (r *DatomReader) read(at int64, n int) ([]byte, error) {
	if i := at - r.last.at; i >= 0 && i+int64(n) <= int64(len(r.last.b)) {
		return r.last.b[i : i+int64(n)], nil
	}
	if n > readAhead {
		return r.readBig(at, n)
	}
	s := r.find(at, n)
	r.clock++
	r.last, s.used = s, r.clock
	if i := at - s.at; i < 0 || i+int64(n) > int64(len(s.b)) {
		if err := r.load(s, at, n); err != nil {
			return nil, err
		}
	}
	i := at - s.at
	return s.b[i : i+int64(n)], nil
}

// find returns the stream that holds the n bytes at an offset, or else one that led there, or
// else the one that was left alone longest.
func (r *DatomReader) find(at int64, n int) *stream {
	oldest := &r.streams[0]
	var before *stream
	for i := range r.streams {
		s := &r.streams[i]
		end := s.at + int64(len(s.b))
		if at >= s.at && at+int64(n) <= end {
			return s
		}
		if at >= s.at && at < end+readGap && len(s.b) > 0 {
			before = s
		}
		if s.used < oldest.used {
			oldest = s
		}
	}
	if before != nil {
		return before
	}
	oldest.b = oldest.b[:0]
	return oldest
}

// load makes s begin at an offset, with at least n bytes.
func (r *DatomReader) load(s *stream, at int64, n int) error {
	size := min(max(2*len(s.b), readFirst), readAhead)
	size = int(min(int64(max(size, n)), r.log.end-at))
	if size < n {
		return &DamageError{r.log.path, at, errTruncated}
	}
	if cap(s.b) < size {
		s.b = make([]byte, readAhead)
	}
	s.at, s.b = at, s.b[:size]
	if m, err := r.log.ReadAt(s.b, at); m < size {
		s.b = s.b[:0]
		return r.failed(at, err)
	}
	return nil
}

func (r *DatomReader) readBig(at int64, n int) ([]byte, error) {
	if int64(n) > r.log.end-at {
		return nil, &DamageError{r.log.path, at, errTruncated}
	}
	if cap(r.big) < n {
		r.big = make([]byte, n)
	}
	if m, err := r.log.ReadAt(r.big[:n], at); m < n {
		return nil, r.failed(at, err)
	}
	return r.big[:n], nil
}

func (r *DatomReader) failed(at int64, err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read %s at offset %d: %w", r.log.path, at, err)
}
