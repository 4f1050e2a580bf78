package local

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/fressian"
	"dclone/historytest/seeds"
)

func openWriter(t testing.TB, path string) (*Dir, *Writer) {
	t.Helper()
	d, err := LockDir(path)
	require.NoError(t, err)
	w, err := d.Open()
	require.NoError(t, err)
	return d, w
}

func closeWriter(t testing.TB, d *Dir, w *Writer) {
	t.Helper()
	require.NoError(t, w.Close())
	require.NoError(t, d.Close())
}

// moreFrames makes n frames behind a t.
func moreFrames(t testing.TB, r *rand.Rand, after dclone.T, n int) (frames []byte, lengths []int) {
	t.Helper()
	for i := range n {
		v, err := fressian.Append(nil, strings.Repeat("y", r.IntN(200)))
		require.NoError(t, err)
		before := len(frames)
		frames, err = AppendFrame(frames, after+1+dclone.T(i), []dclone.Datom{
			{E: dclone.TxID(after + 1 + dclone.T(i)), A: 50, V: AppendInstant(nil, 5), Added: true}, {E: 7, A: 63, V: v, Added: r.IntN(2) == 0}})
		require.NoError(t, err)
		lengths = append(lengths, len(frames)-before)
	}
	return frames, lengths
}

// A writer is put through all it can do, in any order, beside a log kept in memory.
func TestRandomWriter(t *testing.T) {
	for _, seed := range seeds.Of(t, 15) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			dir := t.TempDir()
			model := newSample(t, 3, 0)
			put(t, dir, model.log, model.idx)
			d, w := openWriter(t, dir)
			changed := false
			for range 60 {
				switch r.IntN(7) {
				case 0, 1, 2:
					frames, lengths := moreFrames(t, r, w.Basis(), 1+r.IntN(5))
					require.NoError(t, w.Append(frames, lengths))
					model = sampleOf(t, append(model.log, frames...))
					changed = true
				case 3:
					cut := len(model.from) - r.IntN(4)
					if cut < 7 {
						continue
					}
					end := model.end(cut - 1)
					require.NoError(t, w.Cut(end))
					model = sampleOf(t, slices.Clone(model.log[:end]))
					changed = true
				case 4:
					require.NoError(t, w.Sync())
				case 5:
					require.Error(t, w.Cut(w.last+1))
					require.Error(t, w.Cut(w.End()+1))
				case 6:
					closeWriter(t, d, w)
					changed = false
					model.spoilIndex(t, r, dir)
					d, w = openWriter(t, dir)
				}
				require.Equal(t, int64(len(model.log)), w.End())
				require.Equal(t, model.ts[len(model.ts)-1], w.Basis())
				torn, err := w.Torn()
				require.NoError(t, err)
				require.Zero(t, torn)
				ts, _, err := scanAll(w.Log())
				require.NoError(t, err)
				require.Equal(t, model.ts, ts)
				at := r.IntN(len(model.from))
				found, err := w.Log().Find(model.ts[at])
				require.NoError(t, err)
				require.Equal(t, model.from[at], found)
				if changed {
					require.Equal(t, model.idx, readFile(t, filepath.Join(dir, idxName)))
				}
				require.Equal(t, model.log, readFile(t, filepath.Join(dir, logName)))
			}
			closeWriter(t, d, w)
		})
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// spoilIndex does to log.idx what a crash or a stranger can do.
func (s *sample) spoilIndex(t testing.TB, r *rand.Rand, dir string) {
	n := len(s.from)
	idx := s.idx
	switch r.IntN(7) {
	case 0:
		idx = nil
	case 1:
		idx = []byte{}
	case 2:
		idx = idx[:8*(n-1-r.IntN(n/2))]
	case 3:
		idx = append(slices.Clone(idx), 0, 0, 0, 0, 0, 0, byte(len(s.log)>>8), byte(len(s.log)))
	case 4:
		idx = append(slices.Clone(idx), 1, 2, 3)
	case 5:
		idx = make([]byte, len(idx))
	}
	put(t, dir, s.log, idx)
}

// Bytes behind the last whole frame are left alone, until Cut.
func TestWriterTorn(t *testing.T) {
	s := newSample(t, 6, 0)
	dir := t.TempDir()
	for cut := s.from[8]; cut <= int64(len(s.log)); cut++ {
		frames, end := s.whole(cut)
		for _, ahead := range []int{0, 1} {
			put(t, dir, s.log[:cut], s.idx[:8*min(len(s.from), frames+ahead)])
			d, w := openWriter(t, dir)
			require.Equal(t, end, w.End())
			torn, err := w.Torn()
			require.NoError(t, err)
			require.Equal(t, cut-end, torn)
			require.Equal(t, cut, int64(len(readFile(t, filepath.Join(dir, logName)))))
			require.NoError(t, w.Cut(s.from[8]))
			require.Equal(t, s.log[:s.from[8]], readFile(t, filepath.Join(dir, logName)))
			require.Equal(t, s.idx[:8*8], readFile(t, filepath.Join(dir, idxName)))
			closeWriter(t, d, w)
		}
	}
}

// An entry is written before its frame and never more than one ahead, so that whoever looks at
// log.idx first finds all but perhaps one of its frames, and who looks at db.log first all entries.
func TestAppendOrder(t *testing.T) {
	s := newSample(t, 1, 0)
	dir := t.TempDir()
	put(t, dir, s.log, s.idx)
	d, w := openWriter(t, dir)
	defer closeWriter(t, d, w)
	size := func(name string) int64 {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		return info.Size()
	}
	var stop atomic.Bool
	var watcher sync.WaitGroup
	var looks [][3]int64
	watcher.Go(func() {
		for !stop.Load() && len(looks) < 1<<20 {
			log := size(logName)
			idx := size(idxName)
			looks = append(looks, [3]int64{log, idx, size(logName)})
		}
	})
	r := rand.New(rand.NewPCG(1, 0))
	frames, lengths := moreFrames(t, r, w.Basis(), 3000)
	require.NoError(t, w.Append(frames, lengths))
	stop.Store(true)
	watcher.Wait()
	all := sampleOf(t, append(slices.Clone(s.log), frames...))
	between := 0
	for _, l := range looks {
		before, _ := all.whole(l[0])
		after, _ := all.whole(l[2])
		require.GreaterOrEqual(t, l[1]/8, int64(before), "a frame without its entry")
		require.LessOrEqual(t, l[1]/8, int64(after)+1, "log.idx is more than one entry ahead")
		if l[0] > int64(len(s.log)) && l[0] < int64(len(all.log)) {
			between++
		}
		if between > 3000 {
			break
		}
	}
	t.Logf("looked %d times while frames were written", between)
}

// Where the frame cannot be written its entry is there, and one only; where the entry cannot be
// written, no frame is.
func TestAppendFails(t *testing.T) {
	s := newSample(t, 3, 0)
	frames, lengths := moreFrames(t, rand.New(rand.NewPCG(1, 0)), s.ts[len(s.ts)-1], 3)
	for _, file := range []string{"log", "index"} {
		dir := t.TempDir()
		put(t, dir, s.log, s.idx)
		d, w := openWriter(t, dir)
		want := len(s.idx)
		if file == "log" {
			require.NoError(t, w.db.Close())
			want += 8
		} else {
			require.NoError(t, w.idx.Close())
		}
		require.Error(t, w.Append(frames, lengths), file)
		require.Len(t, readFile(t, filepath.Join(dir, idxName)), want, file)
		require.Equal(t, s.log, readFile(t, filepath.Join(dir, logName)), file)
		_ = w.Close()
		require.NoError(t, d.Close())
	}
}

func TestWriterGone(t *testing.T) {
	s := newSample(t, 3, 0)
	for name, gone := range map[string]func(dir string){
		"deleted": func(dir string) { require.NoError(t, os.Remove(filepath.Join(dir, logName))) },
		"replaced": func(dir string) {
			require.NoError(t, os.Rename(filepath.Join(dir, "other"), filepath.Join(dir, logName)))
		},
	} {
		dir := t.TempDir()
		put(t, dir, s.log, s.idx)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "other"), bootstrap, 0o600))
		d, w := openWriter(t, dir)
		require.NoError(t, w.Check())
		gone(dir)
		require.ErrorIs(t, w.Check(), ErrGone, name)
		closeWriter(t, d, w)
	}
}

// A damaged log is an error that names the place; nothing is written.
func TestOpenDamaged(t *testing.T) {
	s := newSample(t, 3, 0)
	log := slices.Clone(s.log)
	log[s.from[8]] ^= 0x40
	for _, b := range [][]byte{log, make([]byte, 5000), []byte("x"), {}} {
		dir := t.TempDir()
		put(t, dir, b, s.idx)
		d, err := LockDir(dir)
		require.NoError(t, err)
		w, err := d.Open()
		if err == nil {
			torn, err := w.Torn()
			require.NoError(t, err)
			require.Positive(t, torn+map[bool]int64{true: 1}[len(b) == 0], "damage went unseen")
			require.NoError(t, w.Close())
		} else {
			damage(t, err, dir)
		}
		require.Equal(t, b, readFile(t, filepath.Join(dir, logName)))
		require.Equal(t, s.idx, readFile(t, filepath.Join(dir, idxName)))
		require.NoError(t, d.Close())
	}
}
