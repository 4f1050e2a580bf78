package local

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/fressian"
	"dclone/realdata"
)

// naiveIndex sorts all datoms of l in memory with compareValues, and returns what the files must
// hold, in the order of indexNames.
func naiveIndex(t testing.TB, l *Log) [4][]byte {
	pointers, datoms := everyDatom(t, l)
	refs := map[dclone.EntityID]bool{}
	for _, d := range datoms {
		if v, _, ok := fressian.Int(d.V); d.A == 40 && ok && v == 20 {
			refs[d.E] = true
		}
	}
	order := make([]int, len(datoms))
	for i := range order {
		order[i] = i
	}
	e := func(x, y dclone.Datom) int { return cmp.Compare(x.E, y.E) }
	a := func(x, y dclone.Datom) int { return cmp.Compare(x.A, y.A) }
	v := func(x, y dclone.Datom) int { return compareValues(x.V, y.V) }
	tx := func(x, y dclone.Datom) int { return cmp.Compare(y.Tx, x.Tx) }
	added := func(x, y dclone.Datom) int {
		if x.Added == y.Added {
			return 0
		}
		if x.Added {
			return -1
		}
		return 1
	}
	var files [4][]byte
	for i, by := range [][]func(x, y dclone.Datom) int{
		{e, a, v, tx, added}, {a, e, v, tx, added}, {a, v, e, tx, added}, {v, a, e, tx, added},
	} {
		these := slices.Clone(order)
		if i == 3 {
			these = slices.DeleteFunc(these, func(k int) bool { return !refs[datoms[k].A] })
		}
		slices.SortStableFunc(these, func(j, k int) int {
			for _, c := range by {
				if order := c(datoms[j], datoms[k]); order != 0 {
					return order
				}
			}
			return 0
		})
		for _, k := range these {
			files[i] = binary.BigEndian.AppendUint64(files[i], uint64(pointers[k]))
		}
	}
	return files
}

func requireIndex(t testing.TB, dir string, root Root, want [4][]byte) {
	for i, file := range root.files() {
		got, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		require.Equal(t, len(want[i]), len(got), file)
		for k := 0; k < len(got); k += 8 {
			if string(got[k:k+8]) != string(want[i][k:k+8]) {
				require.Failf(t, "index differs", "%s at pointer %d of %d", file, k/8, len(got)/8)
			}
		}
	}
}

func lockDir(t testing.TB, dir string) *Dir {
	d, err := LockDir(dir)
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

// TestIndexOfGeneratedLogs compares with the naive index at all budgets and numbers of jobs.
func TestIndexOfGeneratedLogs(t *testing.T) {
	for seed := range uint64(3) {
		l, dir := genLog(t, 100+seed, 2000+3000*int(seed)).open()
		d, want := lockDir(t, dir), naiveIndex(t, l)
		for _, opt := range manyOptions(t) {
			t.Run(fmt.Sprintf("seed %d, %d jobs, %d bytes", seed, opt.Jobs, opt.MaxMemory), func(t *testing.T) {
				root, err := d.BuildIndex(context.Background(), l, IndexOptions{Jobs: opt.Jobs, MaxMemory: opt.MaxMemory})
				require.NoError(t, err)
				requireIndex(t, dir, root, want)
				require.Equal(t, []string{".lock", "db.log", root.files()[1], root.files()[2], root.files()[0],
					root.files()[3], "log.idx"}, names(t, dir))
			})
		}
	}
}

func names(t testing.TB, dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestIndexOfRealDatabases builds the index files of real databases anew, byte for byte.
func TestIndexOfRealDatabases(t *testing.T) {
	for archive, dbs := range map[string][]string{"bigd.tar.gz": {"bigd"}, "mbrainz.tar.gz": {"mbrainz", "mbrainz-later"}} {
		parent := realdata.Unpack(t, "local", archive)
		for i, db := range dbs {
			t.Run(db, func(t *testing.T) { rebuildIndex(t, filepath.Join(parent, db), []int64{1 << 20, 0}[i]) })
		}
	}
}

// rebuildIndex builds the index that a database has again, from its log cut to what the index
// covers.
func rebuildIndex(t *testing.T, dir string, memory int64) {
	real, text, want := realIndex(t, dir)
	d, err := LockDir(dir)
	require.NoError(t, err)
	defer d.Close()
	require.NoError(t, d.DropIndex())
	cutLog(t, dir, real.T)
	l, err := OpenLog(dir)
	require.NoError(t, err)
	defer l.Close()
	root, err := d.BuildIndex(context.Background(), l, IndexOptions{MaxMemory: memory})
	require.NoError(t, err)
	require.Equal(t, real, root)
	requireIndex(t, dir, root, want)
	require.NoError(t, d.WriteRoot(root))
	got, err := os.ReadFile(filepath.Join(dir, root.name()))
	require.NoError(t, err)
	require.Equal(t, text, string(got))
}

// cutLog makes a log end with t. Its log.idx is left away.
func cutLog(t testing.TB, dir string, last dclone.T) {
	l, err := OpenLog(dir)
	require.NoError(t, err)
	defer l.Close()
	end, err := l.Find(last + 1)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(filepath.Join(dir, logName), end))
	require.NoError(t, os.Remove(filepath.Join(dir, idxName)))
}

func realIndex(t testing.TB, dir string) (root Root, text string, files [4][]byte) {
	root, ok, err := ReadRoot(dir)
	require.NoError(t, err)
	require.True(t, ok)
	b, err := os.ReadFile(filepath.Join(dir, root.name()))
	require.NoError(t, err)
	for i, file := range root.files() {
		files[i], err = os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
	}
	return root, string(b), files
}

// TestIndexOfDoubtfulDatabase takes a real database that has NaN and doubtful URIs. It gets no
// index; without these datoms it gets what the real one says of the others.
func TestIndexOfDoubtfulDatabase(t *testing.T) {
	dir := filepath.Join(realdata.Unpack(t, "local", "types5.tar.gz"), "types5")
	root, _, real := realIndex(t, dir)
	l, err := OpenLog(dir)
	require.NoError(t, err)
	defer l.Close()
	require.Equal(t, real, naiveIndex(t, l))
	d := lockDir(t, dir)
	require.NoError(t, d.DropIndex())
	before := names(t, dir)
	_, err = d.BuildIndex(context.Background(), l, IndexOptions{})
	var doubt *OrderError
	require.ErrorAs(t, err, &doubt)
	require.Contains(t, []dclone.EntityID{79, 96}, doubt.A)
	require.Equal(t, before, names(t, dir))

	certain, moved := certainLog(t, l)
	dir = t.TempDir()
	certain.write(dir)
	if l, err = OpenLog(dir); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got, err := lockDir(t, dir).BuildIndex(context.Background(), l, IndexOptions{MaxMemory: 1 << 20})
	require.NoError(t, err)
	require.Equal(t, root, got)
	for i := range real {
		var want []byte
		for b := real[i]; len(b) > 0; b = b[8:] {
			if p, ok := moved[Pointer(binary.BigEndian.Uint64(b))]; ok {
				want = binary.BigEndian.AppendUint64(want, uint64(p))
			}
		}
		real[i] = want
	}
	requireIndex(t, dir, got, real)
}

// certainLog copies a log but for the datoms whose order is not certain, and tells where the
// others went.
func certainLog(t testing.TB, l *Log) (*logBuilder, map[Pointer]Pointer) {
	const uris = 96 // its escapes have small and capital letters
	b, moved := &logBuilder{t: t}, map[Pointer]Pointer{}
	s := l.Scan(0, l.End())
	for s.Frame() {
		var from []Pointer
		var datoms []dclone.Datom
		for s.Datom() {
			if small, _ := escapeCases(s.D.V); orderCertain(s.D.V) && !(small && s.D.A == uris) {
				d := s.D
				d.V = slices.Clone(d.V)
				datoms, from = append(datoms, d), append(from, s.pointer())
			}
		}
		b.idx = binary.BigEndian.AppendUint64(b.idx, uint64(len(b.log)))
		at := len(b.log) + headerSize
		var err error
		b.log, err = AppendFrame(b.log, s.T(), datoms)
		require.NoError(t, err)
		for _, p := range from {
			n, header, _ := datomLen(b.log[at:])
			moved[p] = Pointer(at)<<16 | p&maxShort
			require.Equal(t, header == bigHeader, p&maxShort == 0)
			at += n
		}
	}
	require.NoError(t, s.Err())
	return b, moved
}

// TestIndexOfCutLogs indexes a log at several of its transactions, one after the other. Each new
// root takes the place of the one before, and of its files.
func TestIndexOfCutLogs(t *testing.T) {
	whole, dir := genLog(t, 200, 10_000).open()
	d := lockDir(t, dir)
	log, err := os.ReadFile(whole.Path())
	require.NoError(t, err)
	for _, last := range []dclone.T{BootstrapT, 6, 7, whole.Basis() / 2, whole.Basis() - 1, whole.Basis()} {
		end, err := whole.Find(last + 1)
		require.NoError(t, err)
		cut := logOf(t, log[:end])
		root, err := d.BuildIndex(context.Background(), cut, IndexOptions{MaxMemory: 50_000})
		require.NoError(t, err)
		require.Equal(t, last, root.T)
		requireIndex(t, dir, root, naiveIndex(t, cut))
		require.NoError(t, d.WriteRoot(root))
		require.ElementsMatch(t, append([]string{".lock", "db.log", "log.idx", root.name()}, root.files()...), names(t, dir))
		indexT, ok, err := d.IndexT()
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, last, indexT)
	}
	root, err := d.BuildIndex(context.Background(), whole, IndexOptions{})
	require.NoError(t, err, "it is there already")
	require.Equal(t, whole.Basis(), root.T)
	_, err = d.BuildIndex(context.Background(), logOf(t, Bootstrap()), IndexOptions{})
	require.ErrorContains(t, err, "its log to t 5")
}

func logOf(t testing.TB, log []byte) *Log {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, logName), log, 0o666))
	l, err := OpenLog(dir)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// TestIndexRefused has the logs whose order is not certain. Nothing is left of the attempt.
func TestIndexRefused(t *testing.T) {
	decimals := []any{dclone.Decimal{Unscaled: big.NewInt(10), Scale: 1}, dclone.Decimal{Unscaled: big.NewInt(100), Scale: 2}}
	for name, c := range map[string]struct {
		valueType int64
		values    []any
	}{
		"NaN":            {58, []any{1.0, math.NaN()}},
		"float NaN":      {59, []any{float32(math.NaN())}},
		"NaN in tuple":   {64, []any{[]any{1.0, math.NaN()}}},
		"registry":       {60, []any{dclone.URI("http://under_score/")}},
		"escapes":        {60, []any{dclone.URI("/%c3%a9"), dclone.URI("/%C3%A9")}},
		"tuple escapes":  {64, []any{[]any{dclone.URI("/%c3")}, []any{dclone.URI("/%C4")}}},
		"two types":      {22, []any{int64(1), "one"}},
		"bytes":          {27, []any{[]byte("one")}},
		"nil":            {22, []any{nil}},
		"tuple in tuple": {64, []any{[]any{[]any{nil}}}},
		"twice":          {22, []any{int64(1), int64(1)}},
		"equal numbers":  {62, decimals},
	} {
		for _, many := range []int{1, 300} {
			t.Run(fmt.Sprint(name, many), func(t *testing.T) {
				b := newLogBuilder(t)
				a := b.attribute("doubtful", c.valueType)
				b.commit()
				e := b.entity()
				for i := range many - 1 { // values enough for another way to sort
					b.add(e, a, c.values[0], i%2 == 0)
					b.commit()
				}
				for _, v := range c.values {
					b.add(e, a, v, true)
				}
				b.commit()
				l, dir := b.open()
				d := lockDir(t, dir)
				for _, memory := range []int64{1, 0} {
					_, err := d.BuildIndex(context.Background(), l, IndexOptions{MaxMemory: memory})
					var doubt *OrderError
					require.ErrorAs(t, err, &doubt)
					require.Equal(t, a, doubt.A)
					require.Equal(t, []string{".lock", "db.log", "log.idx"}, names(t, dir))
				}
			})
		}
	}
}

// TestIndexOfGiants has entities with more values of an attribute than fit into memory, and
// values that a transaction asserts and retracts at once.
func TestIndexOfGiants(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	b := newLogBuilder(t)
	long, text := b.attribute("long", 22), b.attribute("text", 23)
	b.commit()
	few := []dclone.EntityID{b.entity(), b.entity(), b.entity()}
	for range 300 {
		values := map[string]bool{}
		for range 20 {
			e, v := few[r.IntN(3)], r.Int64N(400)
			s := fmt.Sprint("the same beginning ", v/20*20)
			for _, added := range []bool{r.IntN(2) == 0, r.IntN(2) == 0} {
				if key := fmt.Sprint(e, v, added); !values[key] {
					b.add(e, long, v, added)
					values[key] = true
				}
				if key := fmt.Sprint(e, s, added); !values[key] {
					b.add(e, text, s, added)
					values[key] = true
				}
			}
		}
		b.commit()
	}
	l, dir := b.open()
	d, want := lockDir(t, dir), naiveIndex(t, l)
	for _, memory := range []int64{1, 30_000, 60_000, 120_000, 1 << 20} {
		root, err := d.BuildIndex(context.Background(), l, IndexOptions{Jobs: 2, MaxMemory: memory})
		require.NoError(t, err)
		requireIndex(t, dir, root, want)
	}
}

// TestIndexOfLongValues has values that are alike for longer than what is kept of them.
func TestIndexOfLongValues(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	b := newLogBuilder(t)
	mostly := b.attribute("mostly", 23)
	text, tuple, uri := b.attribute("text", 23), b.attribute("tuple", 64, 66, dclone.Kw("db.type", "string")), b.attribute("uri", 60)
	b.commit()
	page := strings.Repeat("All work and no play makes Jack a dull boy. ", 20)
	var entities []dclone.EntityID
	for range 40 {
		entities = append(entities, b.entity())
	}
	for i := range 1500 {
		e := entities[r.IntN(len(entities))]
		s := page[:len(page)-r.IntN(3)]
		if r.IntN(3) == 0 {
			s += page[:r.IntN(200)]
		}
		if i%300 == 0 {
			s = strings.Repeat(page, 90) + fmt.Sprint(r.IntN(4)) // a big datom
		}
		if r.IntN(2) == 0 {
			s += fmt.Sprint(r.IntN(10))
		}
		like := fmt.Sprint("what most values begin with ", i)
		if i%400 == 123 {
			like = like[:r.IntN(10)]
		}
		b.add(e, mostly, like, true)
		b.add(e, text, s, r.IntN(2) == 0)
		b.add(e, tuple, []any{s[len(s)%2:][:min(len(s)-1, 900)], fmt.Sprint(r.IntN(3))}, true)
		b.add(e, uri, dclone.URI("http://example.com/"+strings.Repeat("a/", 40+r.IntN(2))+fmt.Sprint(r.IntN(50))), true)
		b.commit()
	}
	l, dir := b.open()
	d, want := lockDir(t, dir), naiveIndex(t, l)
	for _, memory := range []int64{1, 40_000, 200_000, 0} {
		root, err := d.BuildIndex(context.Background(), l, IndexOptions{Jobs: 2, MaxMemory: memory})
		require.NoError(t, err)
		requireIndex(t, dir, root, want)
	}
}

func TestIndexOfManyAttributes(t *testing.T) {
	b := newLogBuilder(t)
	var attributes []dclone.EntityID
	for i := range 3000 {
		attributes = append(attributes, b.attribute(fmt.Sprint("a", i), []int64{20, 22, 23}[i%3]))
	}
	b.commit()
	for i, a := range attributes {
		e := b.entity()
		b.add(e, a, []any{int64(e), int64(i), fmt.Sprint(i)}[i%3], true)
		b.add(few(e), a, []any{int64(e) - 1, int64(-i), fmt.Sprint(-i)}[i%3], true)
		if i%50 == 0 {
			b.commit()
		}
	}
	b.commit()
	l, dir := b.open()
	d, want := lockDir(t, dir), naiveIndex(t, l)
	for _, memory := range []int64{1, 0} {
		root, err := d.BuildIndex(context.Background(), l, IndexOptions{MaxMemory: memory})
		require.NoError(t, err)
		requireIndex(t, dir, root, want)
	}
}

func few(e dclone.EntityID) dclone.EntityID { return dclone.MakeEntityID(17, e.Eidx()%7+100) }

func TestIndexStopped(t *testing.T) {
	l, dir := genLog(t, 300, 5000).open()
	d := lockDir(t, dir)
	for i := range 60 {
		ctx := &countdown{Context: context.Background(), left: i * 4}
		if _, err := d.BuildIndex(ctx, l, IndexOptions{Jobs: 1, MaxMemory: 20_000}); err != nil {
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, []string{".lock", "db.log", "log.idx"}, names(t, dir))
		}
	}
}

// countdown is a context that ends when it was asked a number of times whether it has.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}
