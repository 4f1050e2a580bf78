package local

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func namesIn(t testing.TB, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func write(t testing.TB, dir string, files ...string) {
	t.Helper()
	for _, f := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, f), []byte("12345678"), 0o600))
	}
}

func loaded(t testing.TB, dir string) (*Dir, *Writer, *sample) {
	t.Helper()
	d, err := LockDir(dir)
	require.NoError(t, err)
	w, err := d.Load()
	require.NoError(t, err)
	require.EqualValues(t, -1, w.Basis())
	require.Zero(t, w.End())
	require.NoError(t, w.Append(bootstrap, FrameLengths(bootstrap)))
	frames, lengths := moreFrames(t, rand.New(rand.NewPCG(1, 0)), BootstrapT, 5)
	require.NoError(t, w.Append(frames, lengths))
	require.NoError(t, w.Sync())
	return d, w, sampleOf(t, append(Bootstrap(), frames...))
}

func TestPublish(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "db")
	d, w, s := loaded(t, dir)
	require.Equal(t, []string{".lock", "db.log.loading", "log.idx.loading"}, namesIn(t, dir))
	has, err := d.Has()
	require.NoError(t, err)
	require.False(t, has)
	has, err = d.HasLoading()
	require.NoError(t, err)
	require.True(t, has)
	require.NoError(t, d.Publish(w))
	require.Equal(t, []string{".lock", "db.log", "log.idx"}, namesIn(t, dir))
	require.NoError(t, w.Check())
	frames, lengths := moreFrames(t, rand.New(rand.NewPCG(2, 0)), w.Basis(), 2)
	require.NoError(t, w.Append(frames, lengths), "the writer goes on")
	require.NoError(t, w.Sync())
	closeWriter(t, d, w)
	s = sampleOf(t, append(s.log, frames...))
	require.Equal(t, s.log, readFile(t, filepath.Join(dir, logName)))
	require.Equal(t, s.idx, readFile(t, filepath.Join(dir, idxName)))
}

func TestPublishAppeared(t *testing.T) {
	dir := t.TempDir()
	d, w, _ := loaded(t, dir)
	write(t, dir, "log.idx", "db.log")
	require.ErrorIs(t, d.Publish(w), ErrAppeared)
	require.Equal(t, []string{".lock", "db.log", "db.log.loading", "log.idx", "log.idx.loading"}, namesIn(t, dir))
	require.Equal(t, "12345678", string(readFile(t, filepath.Join(dir, "db.log"))))
	require.Equal(t, "12345678", string(readFile(t, filepath.Join(dir, "log.idx"))))
	require.ErrorIs(t, renameNew(filepath.Join(dir, "db.log.loading"), filepath.Join(dir, "db.log")), ErrAppeared)
	closeWriter(t, d, w)
}

// A log.idx without a log, as a crash within delete-database leaves it, is replaced.
func TestPublishOverIndex(t *testing.T) {
	dir := t.TempDir()
	d, w, s := loaded(t, dir)
	write(t, dir, "log.idx")
	require.NoError(t, d.Publish(w))
	closeWriter(t, d, w)
	require.Equal(t, s.idx, readFile(t, filepath.Join(dir, idxName)))
}

// Whatever a crash within Publish leaves, Open finds the whole database.
func TestCrashInPublish(t *testing.T) {
	for name, arrange := range map[string]func(at func(string) string){
		"linked": func(at func(string) string) { require.NoError(t, os.Link(at("db.log.loading"), at("db.log"))) },
		"log renamed": func(at func(string) string) {
			require.NoError(t, os.Rename(at("db.log.loading"), at("db.log")))
		},
		"index made anew": func(at func(string) string) {
			require.NoError(t, os.Rename(at("db.log.loading"), at("db.log")))
			require.NoError(t, os.Link(at("log.idx.loading"), at("log.idx")))
		},
	} {
		dir := t.TempDir()
		at := func(name string) string { return filepath.Join(dir, name) }
		d, w, s := loaded(t, dir)
		closeWriter(t, d, w)
		arrange(at)
		d, err := LockDir(dir)
		require.NoError(t, err)
		loading, err := d.HasLoading()
		require.NoError(t, err)
		require.False(t, loading, name)
		w, err = d.Open()
		require.NoError(t, err, name)
		require.Equal(t, int64(len(s.log)), w.End(), name)
		require.Equal(t, []string{".lock", "db.log", "log.idx"}, namesIn(t, dir), name)
		require.Equal(t, s.idx, readFile(t, at("log.idx")), name)
		closeWriter(t, d, w)
	}
}

// A load goes on where it was cut off, whatever lies behind its last whole frame.
func TestLoadAgain(t *testing.T) {
	base := t.TempDir()
	d, w, s := loaded(t, base)
	closeWriter(t, d, w)
	cuts := []int{0, 1, 7, 8, 100, len(bootstrap) - 1, len(bootstrap), len(s.log) - 1, len(s.log)}
	for r := rand.New(rand.NewPCG(1, 1)); len(cuts) < 16; {
		cuts = append(cuts, len(bootstrap)+r.IntN(len(s.log)-len(bootstrap)))
	}
	for _, cut := range cuts {
		frames, end := s.whole(int64(cut))
		for _, entries := range []int{0, frames / 2, frames, len(s.from)} {
			for _, tail := range []string{"", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "garbage garbage"} {
				dir := filepath.Join(base, "again")
				require.NoError(t, os.RemoveAll(dir))
				put(t, dir, append(append([]byte(nil), s.log[:cut]...), tail...), nil)
				require.NoError(t, os.Rename(filepath.Join(dir, "db.log"), filepath.Join(dir, "db.log.loading")))
				require.NoError(t, os.WriteFile(filepath.Join(dir, "log.idx.loading"), s.idx[:8*entries], 0o600))
				d, err := LockDir(dir)
				require.NoError(t, err)
				w, err := d.Load()
				require.NoError(t, err, "cut at %d, %d entries, tail %q", cut, entries, tail)
				require.GreaterOrEqual(t, w.End(), end, "cut at %d, %d entries, tail %q", cut, entries, tail) // a tail can look like the rest of a value
				require.NoError(t, w.Cut(end))
				require.NoError(t, w.Append(s.log[end:], FrameLengths(s.log[end:])))
				require.NoError(t, d.Publish(w))
				closeWriter(t, d, w)
				require.Equal(t, s.log, readFile(t, filepath.Join(dir, "db.log")))
				require.Equal(t, s.idx, readFile(t, filepath.Join(dir, "log.idx")))
			}
		}
	}
}

func TestDrop(t *testing.T) {
	dir := t.TempDir()
	mine := []string{"db-root-0000000003", "db-root-0000000009", "index-eavt-9", "index-vaet-9", "tmp-db-root-1", "db.log", "log.idx",
		"db.log.loading", "log.idx.loading"}
	others := []string{"dclone.state", "db.log.bak", "indexes", "someone's"}
	write(t, dir, append(mine, others...)...)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "index-of-mine"), 0o700))
	d, err := LockDir(dir)
	require.NoError(t, err)
	require.NoError(t, d.DropIndex())
	require.Equal(t, []string{".lock", "db.log", "db.log.bak", "db.log.loading", "dclone.state", "index-of-mine", "indexes", "log.idx",
		"log.idx.loading", "someone's"}, namesIn(t, dir))
	require.NoError(t, d.DropLoading())
	require.NoError(t, d.DropDatabase())
	require.NoError(t, d.DropDatabase(), "again")
	require.Equal(t, []string{".lock", "db.log.bak", "dclone.state", "index-of-mine", "indexes", "someone's"}, namesIn(t, dir))
	require.NoError(t, d.Close())
}

// Cutting a log takes away what was derived from more of it.
func TestCutDropsIndex(t *testing.T) {
	s := newSample(t, 4, 0)
	dir := t.TempDir()
	put(t, dir, s.log, s.idx)
	write(t, dir, "db-root-0000000009", "index-eavt-9")
	d, w := openWriter(t, dir)
	require.Error(t, w.Cut(w.End()+1))
	require.NoError(t, w.Cut(s.from[8]))
	require.Equal(t, []string{".lock", "db.log", "log.idx"}, namesIn(t, dir))
	closeWriter(t, d, w)
}
