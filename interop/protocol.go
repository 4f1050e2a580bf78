package interop

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// The protocol: a request is a string of forms. An answer is a byte, the number of strings that
// follow: one, the printed value; or four, an exception's class, message, data and trace. A string is
// its length in bytes, 32 bits big-endian, and its UTF-8.

const (
	answerValue     = 1
	answerException = 4
	maxAnswer       = 1 << 28
)

func (j *JVM) roundTrip(code string) ([]string, error) {
	req := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(code)), uint32(len(code)))
	if _, err := j.in.Write(append(req, code...)); err != nil {
		return nil, fmt.Errorf("write request: %w", err)
	}
	n, err := j.out.ReadByte()
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if n != answerValue && n != answerException {
		return nil, fmt.Errorf("read answer: unknown kind %d", n)
	}
	answer := make([]string, n)
	for i := range answer {
		if answer[i], err = readString(j.out); err != nil {
			return nil, fmt.Errorf("read answer: %w", err)
		}
	}
	return answer, nil
}

func readString(r io.Reader) (string, error) {
	var n uint32
	if err := binary.Read(r, binary.BigEndian, &n); err != nil {
		return "", err
	}
	if n > maxAnswer {
		return "", fmt.Errorf("a string of %d bytes", n)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return string(b), err
}

// A tail keeps the last of what was written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 16 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}
