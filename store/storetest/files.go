package storetest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/store"
)

// TestFiles runs the suite for files. Each call of open returns others, which are empty, and sees
// that they are closed.
func TestFiles(t *testing.T, open func(t testing.TB) store.Files) {
	for name, test := range map[string]func(*testing.T, store.Files){
		"empty": testEmpty, "values": testValues, "case": testCase, "hostile": testHostileKeys, "list": testList,
		"own bytes": testOwnBytes, "create": testCreate, "creators": testCreators, "writers": testWriters,
		"cancelled": testCancelledFiles, "random": testRandomFiles,
	} {
		t.Run(name, func(t *testing.T) {
			files := open(t)
			require.NoError(t, files.Lock(t.Context()))
			test(t, files)
		})
	}
}

func testEmpty(t *testing.T, files store.Files) {
	_, err := files.Get(t.Context(), "values/00/missing")
	require.ErrorIs(t, err, store.ErrMissing)
	require.ErrorContains(t, err, "values/00/missing")
	requireHas(t, files, "values/00/missing", false)
	requireHas(t, files, "owner", false)
	requireList(t, files, "roots")
	require.Contains(t, files.String(), ":")
	require.NoError(t, files.Lock(t.Context()), "a second Lock of one's own")
}

func testValues(t *testing.T, files store.Files) {
	large := make([]byte, 7<<20+1)
	for i := range large {
		large[i] = byte(i*i) ^ byte(i>>9)
	}
	for i, value := range [][]byte{[]byte("one"), {}, {0}, large, []byte("a last, shorter one\r\n")} {
		for _, key := range []string{"owner", "values/a5/one", fmt.Sprint("values/b/", i)} {
			require.NoError(t, files.Put(t.Context(), key, value))
			requireFile(t, files, key, value)
			requireHas(t, files, key, true)
		}
	}
	requireFile(t, files, "values/b/3", large)
	requireHas(t, files, "values/a5/on", false)
	requireHas(t, files, "values/a5/one2", false)
}

func testCase(t *testing.T, files store.Files) {
	keys := []string{"values/0a/x", "values/0A/y_0A"}
	for _, key := range keys {
		require.NoError(t, files.Put(t.Context(), key, []byte(key)))
	}
	for _, key := range keys {
		requireFile(t, files, key, []byte(key))
		dir, name := key[:strings.LastIndex(key, "/")], key[strings.LastIndex(key, "/")+1:]
		names, err := files.List(t.Context(), dir)
		require.NoError(t, err)
		require.Contains(t, names, name)
	}
}

func testHostileKeys(t *testing.T, files store.Files) {
	for _, key := range []string{"", ".", "..", "/", "/etc/passwd", "../owner", "values/../../owner", "values//x", "values/./x",
		"values/", "values/\x00", `values\x`, "C:x", "values/\xff", "values/..", "owner/.."} {
		_, err := files.Get(t.Context(), key)
		require.Error(t, err, "%q", key)
		require.NotErrorIs(t, err, store.ErrMissing, "%q", key)
		require.Error(t, files.Put(t.Context(), key, []byte("x")), "%q", key)
		_, err = files.Create(t.Context(), key, []byte("x"))
		require.Error(t, err, "%q", key)
		_, err = files.Has(t.Context(), key)
		require.Error(t, err, "%q", key)
		_, err = files.List(t.Context(), key)
		require.Error(t, err, "%q", key)
	}
}

func testList(t *testing.T, files store.Files) {
	for _, key := range []string{"roots/1", "roots/12", "roots/.DS_Store", "roots/deep/3", "roots2/4", "rootsx", "owner"} {
		require.NoError(t, files.Put(t.Context(), key, []byte(key)))
	}
	requireList(t, files, "roots", "1", "12", ".DS_Store")
	requireList(t, files, "roots/deep", "3")
	requireList(t, files, "root")
	many := make([]string, 1234) // more than a page of S3
	each(t, len(many), func(i int) error {
		many[i] = fmt.Sprint(i)
		return files.Put(t.Context(), "many/"+many[i], nil)
	})
	requireList(t, files, "many", many...)
}

func testOwnBytes(t *testing.T, files store.Files) {
	data := []byte("bytes")
	require.NoError(t, files.Put(t.Context(), "values/x", data))
	copy(data, "BYTES")
	got, err := files.Get(t.Context(), "values/x")
	require.NoError(t, err)
	require.Equal(t, "bytes", string(got))
	copy(got, "BYTES")
	requireFile(t, files, "values/x", []byte("bytes"))
}

func testCreate(t *testing.T, files store.Files) {
	created, err := files.Create(t.Context(), "owner", []byte("first"))
	require.NoError(t, err)
	require.True(t, created)
	created, err = files.Create(t.Context(), "owner", []byte("second"))
	require.NoError(t, err)
	require.False(t, created)
	requireFile(t, files, "owner", []byte("first"))
	require.NoError(t, files.Put(t.Context(), "owner", []byte("third")))
	requireFile(t, files, "owner", []byte("third"))
}

func testCreators(t *testing.T, files store.Files) {
	var winner atomic.Int64
	var winners atomic.Int64
	each(t, 16, func(i int) error {
		created, err := files.Create(t.Context(), "owner", fmt.Append(nil, i))
		if created {
			winners.Add(1)
			winner.Store(int64(i))
		}
		return err
	})
	require.EqualValues(t, 1, winners.Load())
	requireFile(t, files, "owner", fmt.Append(nil, winner.Load()))
}

// testWriters replaces files while they are read: what is read is whole, and one of the values.
func testWriters(t *testing.T, files store.Files) {
	value := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 1000*(i+1)) }
	require.NoError(t, files.Put(t.Context(), "values/x", value(0)))
	each(t, 120, func(i int) error {
		if i%3 == 0 {
			return files.Put(t.Context(), "values/x", value(i%7))
		}
		data, err := files.Get(t.Context(), "values/x")
		if err == nil && (len(data) == 0 || !bytes.Equal(data, value(int(data[0])))) {
			err = fmt.Errorf("a torn file of %d bytes", len(data))
		}
		return err
	})
}

func testCancelledFiles(t *testing.T, files store.Files) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, files.Put(ctx, "values/x", []byte("x")), context.Canceled)
	_, err := files.Create(ctx, "values/x", []byte("x"))
	require.ErrorIs(t, err, context.Canceled)
	_, err = files.Get(ctx, "values/x")
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, store.ErrMissing)
	_, err = files.Has(ctx, "values/x")
	require.ErrorIs(t, err, context.Canceled)
	_, err = files.List(ctx, "values")
	require.ErrorIs(t, err, context.Canceled)
	requireHas(t, files, "values/x", false)
}

// testRandomFiles does random work beside a map. Directories differ in case alone, files, as
// segments, do not: file systems there are that fold them.
func testRandomFiles(t *testing.T, files store.Files) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	model := map[string][]byte{}
	for range 300 {
		key := fmt.Sprintf("values/%s%d/%d", []string{"a", "A"}[r.IntN(2)], r.IntN(2), r.IntN(8))
		if key[len("values/")] == 'A' {
			key += "_A"
		}
		data := make([]byte, r.IntN(100))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		was, has := model[key]
		switch r.IntN(4) {
		case 0:
			require.NoError(t, files.Put(t.Context(), key, data))
			model[key] = data
		case 1:
			created, err := files.Create(t.Context(), key, data)
			require.NoError(t, err)
			require.Equal(t, !has, created, key)
			if created {
				model[key] = data
			}
		case 2:
			requireHas(t, files, key, has)
		case 3:
			got, err := files.Get(t.Context(), key)
			if has {
				require.NoError(t, err)
				require.True(t, bytes.Equal(was, got), key)
			} else {
				require.ErrorIs(t, err, store.ErrMissing)
			}
		}
	}
	for key, data := range model {
		requireFile(t, files, key, data)
	}
}

// each calls do for 0 to n-1, some at a time.
func each(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	errs := make([]error, n)
	turns := make(chan struct{}, 8)
	for i := range n {
		turns <- struct{}{}
		wg.Go(func() {
			errs[i] = do(i)
			<-turns
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

func requireFile(t *testing.T, files store.Files, key string, want []byte) {
	t.Helper()
	got, err := files.Get(t.Context(), key)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "%s has %d bytes, not those %d that were put", key, len(got), len(want))
}

func requireHas(t *testing.T, files store.Files, key string, want bool) {
	t.Helper()
	has, err := files.Has(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, want, has, key)
}

func requireList(t *testing.T, files store.Files, dir string, want ...string) {
	t.Helper()
	names, err := files.List(t.Context(), dir)
	require.NoError(t, err)
	slices.Sort(names)
	slices.Sort(want)
	require.Equal(t, want, names, dir)
}
