package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/historytest/seeds"
)

// A log cut anywhere has the frames that are whole, if they are a database at all.
func TestLogCut(t *testing.T) {
	s := newSample(t, 12, 0)
	dir := t.TempDir()
	boot := int64(len(bootstrap))
	for cut := int64(0); cut <= int64(len(s.log)); cut++ {
		if cut < boot-400 && cut%13 != 0 {
			continue
		}
		frames, end := s.whole(cut)
		exact := s.idx[:8*frames]
		ahead := binary.BigEndian.AppendUint64(slices.Clone(exact), uint64(end))
		short := exact[:max(0, len(exact)-16)]
		for name, idx := range map[string][]byte{"no index": nil, "exact": exact, "ahead": ahead, "short": short, "whole": s.idx} {
			put(t, dir, s.log[:cut], idx)
			l, err := OpenLog(dir)
			what := fmt.Sprintf("cut at %d, %s", cut, name)
			switch {
			case cut < boot:
				require.Error(t, err, what)
				damage(t, err, dir)
				continue
			case name == "whole" && len(s.from) > frames+1:
				require.Error(t, err, what)
				damage(t, err, dir)
				continue
			}
			require.NoError(t, err, what)
			require.Equal(t, end, l.End(), what)
			require.Equal(t, s.ts[frames-1], l.Basis(), what)
			require.Equal(t, s.from[frames-1], l.Last(), what)
			ts, _, err := scanAll(l)
			require.NoError(t, err, what)
			require.Equal(t, s.tsBefore(frames), ts, what)
			require.NoError(t, l.Close())
		}
	}
}

// A flipped byte anywhere is an error that names the place, or does not show: values are not
// looked into, and nothing guards entity ids.
func TestLogFlips(t *testing.T) {
	s := newSample(t, 8, 0)
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 1))
	wrong := 0
	for at := range s.log {
		if at < len(bootstrap) && at%5 != 0 {
			continue
		}
		log := slices.Clone(s.log)
		log[at] ^= byte(1 + r.IntN(255))
		idx := s.idx
		if at%2 == 0 {
			idx = nil
		}
		put(t, dir, log, idx)
		l, err := OpenLog(dir)
		if err != nil {
			damage(t, err, dir)
			wrong++
			continue
		}
		ts, _, err := scanAll(l)
		if err != nil {
			damage(t, err, dir)
			wrong++
		}
		for i := 1; i < len(ts); i++ {
			require.Greater(t, ts[i], ts[i-1])
		}
		require.NoError(t, l.Close())
	}
	require.Greater(t, wrong, len(s.log)/20, "hardly any damage was seen")
}

// Whatever is wrong with log.idx, the log is believed: all of it is found, at every t.
func TestIndexDamage(t *testing.T) {
	s := newSample(t, 20, 1)
	n := len(s.from)
	entry := func(offset int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(offset)) }
	with := func(k int, offset int64) []byte {
		idx := slices.Clone(s.idx)
		copy(idx[8*k:], entry(offset))
		return idx
	}
	cases := map[string][]byte{
		"as it should be":    s.idx,
		"absent":             nil,
		"empty":              {},
		"an entry ahead":     append(slices.Clone(s.idx), entry(int64(len(s.log)))...),
		"beyond the end":     append(slices.Clone(s.idx), entry(int64(len(s.log))+1000)...),
		"one short":          s.idx[:8*(n-1)],
		"many short":         s.idx[:8*(n-9)],
		"one entry":          s.idx[:8],
		"stray bytes":        append(slices.Clone(s.idx), 1, 2, 3),
		"misaligned":         append([]byte{0, 0, 0}, s.idx...),
		"all zeros":          make([]byte, 8*n),
		"zeros at the end":   append(slices.Clone(s.idx[:8*(n-4)]), make([]byte, 32)...),
		"repeated at end":    append(slices.Clone(s.idx), entry(s.from[n-1])...),
		"earlier at the end": append(slices.Clone(s.idx), entry(s.from[3])...),
		"another log's":      newSample(t, 20, 0).idx,
		"a number too large": append(slices.Clone(s.idx), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"without the middle": append(slices.Clone(s.idx[:8*10]), s.idx[8*11:]...),
		"out of order":       append(append(slices.Clone(s.idx[:8*9]), s.idx[8*12:8*15]...), append(slices.Clone(s.idx[8*9:8*12]), s.idx[8*15:]...)...),
	}
	for k := range n {
		for _, off := range []int64{0, s.from[k] + 1, s.from[k] - 1, s.from[(k+1)%n], 1 << 40} {
			cases[fmt.Sprintf("entry %d is %d", k, off)] = with(k, off)
		}
	}
	dir := t.TempDir()
	for name, idx := range cases {
		put(t, dir, s.log, idx)
		l, err := OpenLog(dir)
		var short *cutError
		if name == "misaligned" && errors.As(err, &short) {
			continue // it names frames far beyond the end: the log could have been cut
		}
		require.NoError(t, err, name)
		require.Equal(t, s.ts[n-1], l.Basis(), name)
		require.Equal(t, int64(len(s.log)), l.End(), name)
		for i, want := range s.ts {
			before := dclone.T(-1)
			if i > 0 {
				before = s.ts[i-1]
			}
			for at := before + 1; at <= want; at++ {
				got, err := l.Find(at)
				require.NoError(t, err, "%s: find %d", name, at)
				require.Equal(t, s.from[i], got, "%s: find %d", name, at)
			}
			at, err := l.At(want)
			if err != nil {
				t.Errorf("%s: as of %d: %v", name, want, err)
				continue
			}
			if at.Basis() != want {
				t.Errorf("%s: as of %d: basis %d", name, want, at.Basis())
				continue
			}
			require.Equal(t, want, at.Basis(), "%s: as of %d", name, want)
			require.Equal(t, s.end(i), at.End(), "%s: as of %d", name, want)
			require.Equal(t, s.from[i], at.Last(), "%s: as of %d", name, want)
			ts, _, err := scanAll(at)
			require.NoError(t, err)
			require.Equal(t, s.tsBefore(i+1), ts)
		}
		got, err := l.Find(s.ts[n-1] + 1)
		require.NoError(t, err)
		require.Equal(t, int64(len(s.log)), got)
		s.pieces(t, l, name)
		require.NoError(t, l.Close())
	}
}

// pieces makes sure that pieces cover the log, at borders of frames if not at once then after
// Distrust.
func (s *sample) pieces(t testing.TB, l *Log, name string) {
	for range 2 {
		pieces, err := l.Pieces(300)
		require.NoError(t, err, name)
		at, borders := int64(0), true
		for _, p := range pieces {
			require.Equal(t, at, p.From, "%s: %v", name, pieces)
			borders = borders && slices.Contains(s.from, p.From)
			at = p.To
		}
		require.Equal(t, int64(len(s.log)), at, name)
		if borders {
			return
		}
		require.True(t, l.Trusts(), "%s: wrong borders, and nothing to distrust", name)
		l.Distrust()
	}
	require.Fail(t, "wrong borders", name)
}

func TestNoLog(t *testing.T) {
	dir := t.TempDir()
	_, err := OpenLog(dir)
	require.ErrorIs(t, err, ErrNoDatabase)
	_, err = OpenLog(filepath.Join(dir, "missing"))
	require.ErrorIs(t, err, ErrNoDatabase)
	require.NoError(t, os.Mkdir(filepath.Join(dir, logName), 0o700))
	_, err = OpenLog(dir)
	require.Error(t, err)
	other := filepath.Join(dir, "other")
	for name, b := range map[string][]byte{"empty": {}, "zeros": make([]byte, 9000), "text": []byte("PK\x03\x04 some zip file, surely"),
		"reversed": reversed(bootstrap), "no bootstrap": newSample(t, 3, 0).log[len(bootstrap):]} {
		put(t, other, b, nil)
		_, err := OpenLog(other)
		require.Error(t, err, name)
		damage(t, err, other)
	}
}

func reversed(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b)
	return b
}

// Readers that open a log while it grows see a whole prefix of it, at one basis, and read what
// they saw however long they take.
func TestReadersBesideWriter(t *testing.T) {
	for _, seed := range seeds.Of(t, 2) {
		s := newSample(t, 400, 3)
		dir := t.TempDir()
		_, end := s.whole(int64(len(bootstrap)))
		put(t, dir, s.log[:end], s.idx[:8*6])
		var stop atomic.Bool
		var readers sync.WaitGroup
		opened := make([]int, 3)
		for i := range opened {
			readers.Go(func() {
				last := dclone.T(0)
				for !stop.Load() || opened[i] == 0 {
					opened[i]++
					if !reader(t, s, dir, &last) {
						return
					}
				}
			})
		}
		grow(t, s, dir, rand.New(rand.NewPCG(seed, 0)))
		stop.Store(true)
		readers.Wait()
		for i, n := range opened {
			require.Positive(t, n, "reader %d", i)
		}
		t.Logf("DCLONE_SEED=%d: opened %v times", seed, opened)
	}
}

func reader(t *testing.T, s *sample, dir string, last *dclone.T) bool {
	l, err := OpenLog(dir)
	if err != nil {
		t.Errorf("open while it grows: %v", err)
		return false
	}
	defer l.Close()
	frames, end := s.whole(l.End())
	ts, _, err := scanAll(l)
	ok := err == nil && end == l.End() && slices.Equal(ts, s.tsBefore(frames)) && l.Basis() == s.ts[frames-1] && l.Basis() >= *last
	if !ok {
		t.Errorf("basis %d after %d, end %d, %d frames: %v", l.Basis(), *last, l.End(), len(ts), err)
	}
	*last = l.Basis()
	return ok
}

// grow writes the rest of a log as Datomic Local would, if its writes were cut into pieces.
func grow(t *testing.T, s *sample, dir string, r *rand.Rand) {
	log, err := os.OpenFile(filepath.Join(dir, logName), os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	defer log.Close()
	idx, err := os.OpenFile(filepath.Join(dir, idxName), os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	defer idx.Close()
	for i := 6; i < len(s.from); i++ {
		_, err := idx.Write(s.idx[8*i : 8*i+8])
		require.NoError(t, err)
		for at, end := s.from[i], s.end(i); at < end; {
			n := min(end-at, 1+r.Int64N(80))
			if end-at > 1000 {
				n = min(end-at, 20_000)
			}
			_, err := log.Write(s.log[at : at+n])
			require.NoError(t, err)
			at += n
			if r.IntN(4) == 0 {
				time.Sleep(50 * time.Microsecond)
			}
		}
	}
}

// A log that was shortened under its reader is an error, never a fault.
func TestShortenedUnderReader(t *testing.T) {
	s := newSample(t, 30, 0)
	dir := t.TempDir()
	put(t, dir, s.log, s.idx)
	l, err := OpenLog(dir)
	require.NoError(t, err)
	defer l.Close()
	require.NoError(t, os.Truncate(filepath.Join(dir, logName), s.from[20]+5))
	_, _, err = scanAll(l)
	damage(t, err, dir)
	require.Error(t, l.CopyTo(failWriter{}, 0, l.End()))
	_, err = l.Find(s.ts[25])
	require.Error(t, err)
}

type failWriter struct{}

func (failWriter) Write(b []byte) (int, error) { return len(b), nil }

var errRead = errors.New("the disk is gone")

// failing is a file whose reads fail from an offset on.
type failing struct {
	*os.File
	from int64
}

func (f failing) ReadAt(b []byte, off int64) (int, error) {
	if off+int64(len(b)) <= f.from {
		return f.File.ReadAt(b, off)
	}
	if off >= f.from {
		return 0, errRead
	}
	n, _ := f.File.ReadAt(b[:f.from-off], off)
	return n, errRead
}

// An error of reading is not taken for a torn tail.
func TestReadError(t *testing.T) {
	s := newSample(t, 10, 0)
	dir := t.TempDir()
	put(t, dir, s.log, s.idx)
	f, err := os.Open(filepath.Join(dir, logName))
	require.NoError(t, err)
	defer f.Close()
	for from := int64(0); from < int64(len(s.log)); from += 97 {
		scan := newScanner(failing{f, from}, "x", 0, int64(len(s.log)))
		for scan.Frame() {
			for scan.Datom() {
			}
		}
		require.ErrorIs(t, scan.Err(), errRead, "reads fail from %d", from)
	}
}
