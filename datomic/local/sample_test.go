package local

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
)

// A sample is a small log: the bootstrap, and frames of a few datoms, one of them big.
type sample struct {
	log, idx []byte
	from     []int64 // of each frame
	ts       []dclone.T
}

func newSample(t testing.TB, frames, bigDatoms int) *sample {
	t.Helper()
	b := newLogBuilder(t)
	for i := range frames {
		e := b.entity()
		b.add(e, 63, strings.Repeat("x", i*7%40), true)
		if i%3 == 0 {
			b.add(e, 63, "another", false)
		}
		if i < bigDatoms {
			b.add(e, 63, strings.Repeat("big", 25_000), true)
		}
		if i%4 == 3 {
			b.next += 5
		}
		b.commit()
	}
	return sampleOf(t, b.log)
}

func sampleOf(t testing.TB, log []byte) *sample {
	t.Helper()
	s := &sample{log: log}
	for at, lengths := int64(0), FrameLengths(log); len(lengths) > 0; lengths = lengths[1:] {
		h, err := parseHeader(log[at:])
		require.NoError(t, err)
		s.from, s.ts = append(s.from, at), append(s.ts, h.T)
		s.idx = binary.BigEndian.AppendUint64(s.idx, uint64(at))
		at += int64(lengths[0])
	}
	return s
}

// whole returns how many frames end at or before an offset, and where the last of them does.
func (s *sample) whole(cut int64) (frames int, end int64) {
	for i := range s.from {
		if e := s.end(i); e <= cut {
			frames, end = i+1, e
		}
	}
	return frames, end
}

func (s *sample) end(i int) int64 {
	if i+1 < len(s.from) {
		return s.from[i+1]
	}
	return int64(len(s.log))
}

// put writes a database directory; a nil idx makes none.
func put(t testing.TB, dir string, log, idx []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(dir, logName), log, 0o600))
	if idx != nil {
		require.NoError(t, os.WriteFile(filepath.Join(dir, idxName), idx, 0o600))
	} else if err := os.Remove(filepath.Join(dir, idxName)); err != nil {
		require.ErrorIs(t, err, os.ErrNotExist)
	}
}

// scanAll reads a log whole, and returns the t of its frames.
func scanAll(l *Log) (ts []dclone.T, datoms int, err error) {
	s := l.Scan(0, l.End())
	for s.Frame() {
		for s.Datom() {
			datoms++
		}
		if s.Err() == nil {
			ts = append(ts, s.T())
		}
	}
	return ts, datoms, s.Err()
}

// damage makes sure that an error names a file and an offset.
func damage(t testing.TB, err error, dir string) {
	t.Helper()
	var d *DamageError
	require.ErrorAs(t, err, &d)
	require.True(t, strings.HasPrefix(d.Path, dir), d.Path)
	require.GreaterOrEqual(t, d.Offset, int64(0))
	require.Contains(t, err.Error(), " at offset ")
}

func (s *sample) tsBefore(frames int) []dclone.T { return slices.Clone(s.ts[:frames]) }
