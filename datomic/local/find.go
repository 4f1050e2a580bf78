package local

import (
	"encoding/binary"
	"fmt"
	"sort"

	"dclone"
)

// Find returns the offset of the first frame whose t is at least t, or End where there is none.
// It asks log.idx, and reads the log from its start where log.idx does not bear out.
func (l *Log) Find(t dclone.T) (int64, error) {
	if t > l.basis {
		return l.end, nil
	}
	if l.entries > 0 {
		if offset, ok := l.search(t); ok {
			return offset, nil
		}
	}
	s := l.Scan(0, l.end)
	for s.Frame() {
		if s.T() >= t {
			return s.FrameOffset(), nil
		}
	}
	if err := s.Err(); err != nil {
		return 0, err
	}
	return l.end, nil
}

// search is a binary search over log.idx. It is right only if the frame before the one found
// ends where that begins, and has a smaller t.
func (l *Log) search(t dclone.T) (int64, bool) {
	var failed error
	n := sort.Search(int(l.entries), func(k int) bool {
		_, h, err := l.headerOf(int64(k))
		if err != nil {
			failed = err
		}
		return h.T >= t
	})
	if failed != nil {
		return 0, false
	}
	if n == 0 {
		offset, _, err := l.headerOf(0)
		return offset, err == nil && offset == 0
	}
	before, _, err := l.headerOf(int64(n - 1))
	if err != nil {
		return 0, false
	}
	end, tBefore, err := l.frame(before, l.end)
	if err != nil || tBefore >= t {
		return 0, false
	}
	if int64(n) < l.entries {
		offset, h, err := l.headerOf(int64(n))
		return offset, err == nil && offset == end && h.T >= t
	}
	// Frames behind the last entry are few: a crash of the machine leaves them.
	s := l.Scan(end, l.end)
	for s.Frame() {
		if s.T() >= t {
			return s.FrameOffset(), true
		}
	}
	return l.end, s.Err() == nil
}

func (l *Log) headerOf(k int64) (int64, header, error) {
	offset, err := l.entry(k)
	if err != nil {
		return 0, header{}, err
	}
	if offset > l.end-headerSize {
		return 0, header{}, fmt.Errorf("entry %d of %s lies beyond the log", k, idxName)
	}
	var b [headerSize]byte
	if _, err := l.db.ReadAt(b[:], offset); err != nil {
		return 0, header{}, err
	}
	h, err := parseHeader(b[:])
	return offset, h, err
}

// A Piece is a stretch of the log between two frame borders.
type Piece struct{ From, To int64 }

// Pieces cuts the log into pieces of at least size bytes, the last one excepted. Their borders
// are log.idx's word: a scan of a piece fails where that is wrong, and the caller then asks
// again after Distrust.
func (l *Log) Pieces(size int64) ([]Piece, error) {
	var pieces []Piece
	from := int64(0)
	cut := func(border int64) {
		if border-from >= size && border < l.end {
			pieces = append(pieces, Piece{from, border})
			from = border
		}
	}
	var err error
	if l.entries > 0 {
		err = l.eachEntry(cut)
	} else {
		s := l.Scan(0, l.end)
		for s.Frame() {
			cut(s.FrameOffset())
		}
		err = s.Err()
	}
	return append(pieces, Piece{from, l.end}), err
}

// Distrust makes l read frame by frame instead of believing log.idx.
func (l *Log) Distrust() { l.distrust() }

// Trusts reports whether l believes log.idx.
func (l *Log) Trusts() bool { return l.entries > 0 }

func (l *Log) eachEntry(f func(int64)) error {
	buf := make([]byte, 64<<10)
	for at, end := int64(0), l.entries*entrySize; at < end; {
		n := min(int64(len(buf)), end-at)
		if _, err := l.idx.ReadAt(buf[:n], at); err != nil {
			return fmt.Errorf("read %s: %w", idxName, err)
		}
		for i := int64(0); i < n; i += entrySize {
			f(int64(binary.BigEndian.Uint64(buf[i:])))
		}
		at += n
	}
	return nil
}

// At returns the log as it was when t was its basis-t, or the greatest t before it. It shares
// the files of l and must not be closed.
func (l *Log) At(t dclone.T) (*Log, error) {
	end, err := l.Find(t + 1)
	if err != nil || end == l.end {
		return l, err
	}
	at := *l
	at.end = end
	if l.entries > 0 && at.lastIndexed() == nil {
		return &at, nil
	}
	at.end, at.entries, at.idx = 0, 0, nil
	return &at, at.walk(0, end, false)
}

// lastIndexed finds the last frame before l.end by log.idx.
func (l *Log) lastIndexed() error {
	end := l.end
	l.entries = int64(sort.Search(int(l.entries), func(k int) bool {
		offset, err := l.entry(int64(k))
		return err != nil || offset >= end
	}))
	if l.entries == 0 {
		return fmt.Errorf("read %s: no entry before offset %d", idxName, end)
	}
	var err error
	if l.last, err = l.entry(l.entries - 1); err != nil {
		return err
	}
	var stop int64
	if stop, l.basis, err = l.frame(l.last, end); err == nil && stop < end {
		return l.walk(stop, end, true) // log.idx lacks the last ones
	}
	return err
}
