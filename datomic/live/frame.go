package live

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"dclone/fressian"
)

const (
	maxFrame = 1 << 28 // bytes
	growth   = 1 << 20 // how much is allocated for a frame before that much of it is there
)

// The kinds of answers.
const (
	kindOK    = 0
	kindPart  = 1
	kindError = 2
)

// A frameError says that what came is not the protocol.
type frameError struct{ what string }

func (e *frameError) Error() string { return "read answer: " + e.what }

// An answer is one frame from the child.
type answer struct {
	id    int64
	kind  int64
	value []byte
	frame []byte // which value is part of
}

// readFrame reads a frame into buf, which it grows, and returns it. At the end of the pipe the error is io.EOF.
func readFrame(r *bufio.Reader, buf []byte) ([]byte, error) {
	var head [4]byte
	if n, err := io.ReadFull(r, head[:]); err != nil {
		if n > 0 {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(head[:]))
	if n == 0 || n > maxFrame {
		text, _ := r.Peek(min(r.Buffered(), 60))
		return nil, &frameError{"not a frame but " + strconv.Quote(string(head[:])+string(text))}
	}
	buf = buf[:0]
	for len(buf) < n {
		from, step := len(buf), min(n-len(buf), growth)
		buf = slices.Grow(buf, step)[:from+step]
		if _, err := io.ReadFull(r, buf[from:]); err != nil {
			return nil, errors.Join(io.ErrUnexpectedEOF, err)
		}
	}
	return buf, nil
}

// parseAnswer reads the head of a frame.
func parseAnswer(frame []byte) (answer, error) {
	w := fressian.NewWalker(frame)
	items := w.Items()
	a := answer{frame: frame}
	if items.Left() == 3 && w.More(&items) {
		a.id = w.Int()
		a.kind = w.Int()
	}
	a.value = frame[min(w.Offset(), len(frame)):]
	switch {
	case w.Err() != nil:
		return answer{}, &frameError{w.Err().Error()}
	case items.Left() != 2 || a.id < 0 || a.kind < kindOK || a.kind > kindError || len(a.value) == 0:
		return answer{}, &frameError{"a frame that is no answer"}
	}
	return a, nil
}

// appendRequest appends a request as a frame.
func appendRequest(dst []byte, request []any) ([]byte, error) {
	at := len(dst)
	dst, err := fressian.Append(append(dst, 0, 0, 0, 0), request)
	if err != nil {
		return nil, err
	}
	n := len(dst) - at - 4
	if n > maxFrame {
		return nil, fmt.Errorf("a request of %d bytes", n)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(n))
	return dst, nil
}
