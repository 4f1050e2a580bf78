package local

import (
	"encoding/binary"
	"os"
)

const (
	pointerSize   = 8
	pointerBuffer = 64 << 10
)

// A pointerFile is an index file that is being written, in several places at once.
type pointerFile struct{ f *os.File }

// A pointerWriter writes pointers to one place of a file after another.
type pointerWriter struct {
	f   *os.File
	at  int64
	buf []byte
}

// to makes w write to f, from the i-th pointer on.
func (w *pointerWriter) to(f pointerFile, i int64) *pointerWriter {
	if w.buf == nil {
		w.buf = make([]byte, 0, pointerBuffer)
	}
	w.f, w.at, w.buf = f.f, i*pointerSize, w.buf[:0]
	return w
}

// write writes the pointers of r.
func (w *pointerWriter) write(r []Record) error {
	for i := range r {
		if len(w.buf) == cap(w.buf) {
			if err := w.flush(); err != nil {
				return err
			}
		}
		w.buf = binary.BigEndian.AppendUint64(w.buf, uint64(r[i].P))
	}
	return nil
}

func (w *pointerWriter) flush() error {
	_, err := w.f.WriteAt(w.buf, w.at)
	w.at += int64(len(w.buf))
	w.buf = w.buf[:0]
	return err
}
