package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/interop"
)

// TestIndexIsLocals has Datomic Local index a log that holds every value type, and compares its
// files with ours. Then it opens the database with our files, believes them and goes on.
func TestIndexIsLocals(t *testing.T) {
	jvm := interop.Start(t)
	storage := t.TempDir()
	b := genLog(t, 400, 30_000) // Local makes no index below 25,000 datoms
	addTies(b)
	dir := func(db string) string { return filepath.Join(storage, "dev", db) }
	address := func(db string) string { return interop.Str(storage) + ` "dev" ` + interop.Str(db) }
	b.write(dir("theirs"))
	jvm.Eval(t, `(conn `+address("theirs")+`) (release `+address("theirs")+`)`)
	theirRoot, text, want := realIndex(t, dir("theirs"))

	b.write(dir("ours"))
	d := lockDir(t, dir("ours"))
	l, err := OpenLog(dir("ours"))
	require.NoError(t, err)
	defer l.Close()
	root, err := d.BuildIndex(context.Background(), l, IndexOptions{MaxMemory: 1 << 20})
	require.NoError(t, err)
	requireIndex(t, dir("ours"), root, want)
	require.NoError(t, d.WriteRoot(root))
	ourRoot, err := os.ReadFile(filepath.Join(dir("ours"), root.name()))
	require.NoError(t, err)
	require.Equal(t, text, string(ourRoot))
	require.Equal(t, theirRoot, root)
	require.NoError(t, d.Close())

	ours, theirs := jvm.Dump(t, storage, "dev", "ours"), jvm.Dump(t, storage, "dev", "theirs")
	require.NotEmpty(t, ours.History)
	require.Equal(t, theirs, ours)
	report := jvm.Eval(t, `(def c-ours (conn `+address("ours")+`))
		(tx! c-ours [{:gen/some-long 77777777777777}])
		[(ffirst (d/q '[:find (count ?e) :where [?e :gen/some-long 77777777777777]] (d/db c-ours))) (:t (d/db c-ours))]`)
	require.Equal(t, fmt.Sprintf("[1 %d]", root.T+1), report)
	jvm.Eval(t, `(release `+address("ours")+`) (release `+address("theirs")+`)`)
	requireIndex(t, dir("ours"), root, want)
}

// addTies adds values that are equal to Local and not in bytes, and the same said and unsaid.
func addTies(b *logBuilder) {
	dec, flt, tup := b.attribute("tied-bigdec", 62), b.attribute("tied-float", 59), b.attribute("tied-tuple", 64, 66, dclone.Kw("db.type", "bigdec"))
	uri, long := b.attribute("tied-uri", 60), b.attribute("tied-long", 22)
	b.commit()
	e, f := b.entity(), b.entity()
	for round := range 4 {
		for i := range 3 {
			one := decimalOne((round + i) % 3)
			first, second := e, f
			if i == 1 {
				first, second = f, e
			}
			b.add(first, dec, one, true)
			b.add(second, tup, []any{one, nil}, round%2 == 0)
			b.add(second, flt, []float32{0, negativeZero}[(round+i)%2], true)
			b.add(first, uri, tiedURIs[(round+i)%len(tiedURIs)], true)
			b.commit()
		}
		b.add(e, long, int64(1), round%2 == 0)
		b.add(e, long, int64(1), round%2 == 1)
		b.commit()
	}
}
