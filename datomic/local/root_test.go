package local

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
)

func writeFiles(t testing.TB, dir string, files map[string]string) {
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666))
	}
}

func TestReadRoot(t *testing.T) {
	set := func(t string) map[string]string {
		return map[string]string{"index-eavt-" + t: "", "index-aevt-" + t: "", "index-avet-" + t: "", "index-vaet-" + t: ""}
	}
	const of593 = `{:t 593, :nextEidx 36524, :eavt "index-eavt-593", :aevt "index-aevt-593", :avet "index-avet-593", :vaet "index-vaet-593"}`
	for name, c := range map[string]struct {
		root  map[string]string
		files map[string]string
		want  Root
	}{
		"none":          {},
		"whole":         {map[string]string{"db-root-0000000593": of593}, set("593"), Root{593, 36524}},
		"newest counts": {map[string]string{"db-root-0000000593": of593, "db-root-0000000012": "{:t 12"}, set("593"), Root{593, 36524}},
		"imported":      {map[string]string{"db-root-0000000000": `{:imports [{:from-t 1}]}`}, nil, Root{}},
		"files missing": {map[string]string{"db-root-0000000593": of593}, nil, Root{}},
		"keys missing":  {map[string]string{"db-root-0000000593": `{:t 593, :nextEidx 5}`}, set("593"), Root{}},
		"no t":          {map[string]string{"db-root-0000000593": `{:nextEidx 5}`}, set("593"), Root{}},
		"unfinished":    {map[string]string{"tmp-db-root": of593}, set("593"), Root{}},
		"other files":   {map[string]string{"db-root-0000000593": of593}, set("592"), Root{}},
		"other order":   {map[string]string{"db-root-0000000007": `{:vaet "index-vaet-7" :aevt "index-aevt-7" :avet "index-avet-7" :eavt "index-eavt-7" :imports [] :nextEidx 80 :t 7}`}, set("7"), Root{7, 80}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeFiles(t, dir, c.root)
			writeFiles(t, dir, c.files)
			got, ok, err := ReadRoot(dir)
			require.NoError(t, err)
			require.Equal(t, c.want != Root{}, ok)
			if ok {
				require.Equal(t, c.want, got)
			}
			last, ok, err := IndexT(dir)
			require.NoError(t, err)
			require.Equal(t, c.want != Root{}, ok)
			if ok {
				require.Equal(t, c.want.T, last)
			}
		})
	}
}

func TestReadRootDamaged(t *testing.T) {
	for _, text := range []string{"", "{:t 1", "[1 2]", "{:t 1 :t 2}", "nil"} {
		dir := t.TempDir()
		writeFiles(t, dir, map[string]string{"db-root-0000000593": text})
		_, _, err := ReadRoot(dir)
		require.ErrorContains(t, err, "db-root-0000000593", text)
	}
	_, _, err := ReadRoot(filepath.Join(t.TempDir(), "missing"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestWriteRoot(t *testing.T) {
	dir := t.TempDir()
	d := lockDir(t, dir)
	root := Root{T: 7, NextEidx: 80}
	require.ErrorIs(t, d.WriteRoot(root), os.ErrNotExist, "a root without its files")
	require.Equal(t, []string{".lock"}, names(t, dir))
	for _, file := range root.files() {
		writeFiles(t, dir, map[string]string{file: "x"})
	}
	writeFiles(t, dir, map[string]string{"db-root-0000000003": "{}", "index-eavt-3": "", "index-avet-99": "", "notes": "",
		"tmp-db-root": "half", "db.log": "", "log.idx": ""})
	require.NoError(t, os.Mkdir(filepath.Join(dir, "index-of-mine"), 0o777))
	require.NoError(t, d.WriteRoot(root))
	require.Equal(t, []string{".lock", "db-root-0000000007", "db.log", "index-aevt-7", "index-avet-7", "index-eavt-7",
		"index-of-mine", "index-vaet-7", "log.idx", "notes"}, names(t, dir))
	got, ok, err := ReadRoot(dir)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, root, got)

	older := Root{T: 6, NextEidx: 80}
	for _, file := range older.files() {
		writeFiles(t, dir, map[string]string{file: "x"})
	}
	require.ErrorContains(t, d.WriteRoot(older), "db-root-0000000007 already")
	require.Equal(t, "db-root-9999999999999", Root{T: dclone.T(9999999999999)}.name())
}
