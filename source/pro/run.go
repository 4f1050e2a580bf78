package pro

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"dclone"
)

// A run is a temporary file of datoms, sorted as AEVT is. A record of it is
//
//	entity:u64  tx:u64, negative for a retraction  length:u32  value
type run struct {
	file *os.File
	at   map[dclone.EntityID]section
}

// A section is what a run has of an attribute.
type section struct{ from, to int64 }

const recordHead = 8 + 8 + 4

// writeRun writes datoms, which are sorted, to a new file in dir.
func writeRun(dir string, all []dclone.Datom) (*run, error) {
	f, err := os.CreateTemp(dir, "dclone-log-*")
	if err != nil {
		return nil, fmt.Errorf("write datoms of the log to a temporary file: %w", err)
	}
	r := &run{file: f, at: map[dclone.EntityID]section{}}
	if err := r.write(all); err != nil {
		r.close()
		return nil, fmt.Errorf("write datoms of the log to %s: %w", filepath.Base(f.Name()), err)
	}
	return r, nil
}

func (r *run) write(all []dclone.Datom) error {
	w := bufio.NewWriterSize(r.file, 1<<18)
	var head [recordHead]byte
	at := int64(0)
	for _, d := range all {
		tx := int64(d.Tx)
		if !d.Added {
			tx = -tx
		}
		binary.BigEndian.PutUint64(head[:], uint64(d.E))
		binary.BigEndian.PutUint64(head[8:], uint64(tx))
		binary.BigEndian.PutUint32(head[16:], uint32(len(d.V)))
		w.Write(head[:])
		w.Write(d.V)
		s, ok := r.at[d.A]
		if !ok {
			s.from = at
		}
		at += recordHead + int64(len(d.V))
		s.to = at
		r.at[d.A] = s
	}
	return w.Flush() // which has the error of any Write before
}

// stream yields what the run has of an attribute.
func (r *run) stream(ctx context.Context, a dclone.EntityID) stream {
	return func(yield func([]dclone.Datom, error) bool) {
		s := r.at[a]
		in := bufio.NewReaderSize(io.NewSectionReader(r.file, s.from, s.to-s.from), 1<<16)
		var batch []dclone.Datom
		for at := s.from; at < s.to; {
			d, err := readRecord(in)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, fmt.Errorf("read datoms of the log from a temporary file: %w", err))
				return
			}
			d.A = a
			at += recordHead + int64(len(d.V))
			if batch = append(batch, d); len(batch) < sliceLen && at < s.to {
				continue
			}
			if !yield(batch, nil) {
				return
			}
			batch = nil
		}
	}
}

func readRecord(in io.Reader) (d dclone.Datom, err error) {
	var head [recordHead]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return d, err
	}
	d.E = dclone.EntityID(binary.BigEndian.Uint64(head[:]))
	tx := int64(binary.BigEndian.Uint64(head[8:]))
	d.Added = tx > 0
	d.Tx = dclone.EntityID(max(tx, -tx))
	d.V = make(dclone.Value, binary.BigEndian.Uint32(head[16:]))
	_, err = io.ReadFull(in, d.V)
	return d, err
}

func (r *run) close() {
	r.file.Close()
	os.Remove(r.file.Name())
}
