package local

import (
	"bytes"
	"fmt"

	"dclone"
	"dclone/datomic/local"
	"dclone/dest"
)

// A Witness stands in for a clone that has the transactions already: what is appended is
// compared with what is there.
type Witness struct {
	c    *Clone
	log  *local.Log
	mark dclone.Mark
	last int64 // where the newest compared transaction begins
	buf  []byte
}

// Witness returns one that begins behind a mark. It fails where bytes lie behind the clone's
// last whole transaction.
func (c *Clone) Witness(at dclone.Mark) (*Witness, error) {
	if torn, err := c.w.Torn(); err != nil || torn > 0 {
		return nil, fmt.Errorf("compare %s: %d bytes behind its last transaction", c.dir.Path(), torn)
	}
	return &Witness{c: c, log: c.w.Log(), mark: at}, nil
}

// Length returns how long the clone is, in bytes.
func (w *Witness) Length() int64 { return w.c.w.End() }

// Append compares. A difference is a DriftError.
func (w *Witness) Append(frames []byte, lengths []int) error {
	for _, n := range lengths {
		if cap(w.buf) < n {
			w.buf = make([]byte, n)
		}
		got := w.buf[:n]
		if m, err := w.log.ReadAt(got, w.mark.Length); m < n || !bytes.Equal(got, frames[:n]) {
			if m == n {
				err = nil
			}
			return &dest.DriftError{T: w.mark.T + 1, Cause: because(err)}
		}
		w.last = w.mark.Length
		w.mark.Length += int64(n)
		w.mark.T++
		frames = frames[n:]
	}
	return nil
}

func because(err error) string {
	if err != nil {
		return err.Error()
	}
	return "the source has no such transaction"
}

// Sync has nothing to do.
func (w *Witness) Sync() error { return w.c.Sync() }

// Mark returns the newest transaction that was compared.
func (w *Witness) Mark() (dclone.Mark, error) { return w.c.markAt(w.last, w.mark.Length) }
