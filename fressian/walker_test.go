package fressian_test

import (
	"encoding/hex"
	"strconv"
	"strings"
	"testing"
	"time"

	"dclone"
	"dclone/fressian"

	"github.com/stretchr/testify/require"
)

// walkAll returns what every value of b is, made to stand alone and decoded, until an error.
func walkAll(b []byte) (values []any, alone [][]byte, err error) {
	w := fressian.NewWalker(b)
	var spare, v []byte
	for w.Next(); w.Err() == nil && w.Offset() < len(b); w.Next() {
		if v, spare = w.Value(spare); w.Err() != nil {
			break
		}
		alone = append(alone, v)
		decoded, rest, err := fressian.Decode(v)
		if err != nil || len(rest) > 0 {
			return values, alone, err
		}
		values = append(values, decoded)
	}
	return values, alone, w.Err()
}

// A Walker agrees with a Decoder about every vector, and what it returns stands alone.
func TestWalkerValues(t *testing.T) {
	for _, v := range vectors(t, "bytes", "reads") {
		want, err := readAll(v.bytes)
		require.NoError(t, err)
		got, _, err := walkAll(v.bytes)
		if err != nil && strings.Contains(err.Error(), "caches emptied within a") {
			continue // stricter than a Decoder, which no writer notices
		}
		require.NoError(t, err, "%X", v.bytes)
		requireSame(t, want, got, hex.EncodeToString(v.bytes))
	}
}

func TestWalkerAlone(t *testing.T) {
	tests := []struct {
		name, hex string
		want      []string
	}{
		{"plain values are copied", "05 E30161 FA8000000000000000 E60102", []string{"05", "E30161", "FA8000000000000000", "E60102"}},
		{"negative zero and NaN keep their bits", "FA8000000000000000 FAFFF8000000000001", []string{"FA8000000000000000", "FAFFF8000000000001"}},
		{"a keyword", "CACDDC6462CDDB61", []string{"CACDDC6462CDDB61"}},
		{"a keyword by references", "CACDDC6462CDDB61 CA8180", []string{"CACDDC6462CDDB61", "CACDDB61CDDC6462"}},
		{"a keyword without caches", "CADC6462DB61", []string{"CACDDC6462CDDB61"}},
		{"namespace and name alike", "CACDDC6462CDDC6462", []string{"CACDDC646280"}},
		{"no namespace", "CAF7CDDB61 CAF780", []string{"CAF7CDDB61", "CAF7CDDB61"}},
		{"empty names", "CADADA", []string{"CADADA"}},
		{"a symbol", "C9F7CDDB61 C9F780", []string{"C9F7CDDB61", "C9F7CDDB61"}},
		{"a tuple of keywords", "CACDDC6462CDDB61 E6CA8081CA81CDDB62", []string{"CACDDC6462CDDB61", "E6CACDDC6462CDDB61CA81CDDB62"}},
		{"a cached string", "CDE30161 80", []string{"E30161", "E30161"}},
		{"a cached list of a cached string", "CDE5CDDB61 80 81", []string{"E5DB61", "E5DB61", "DB61"}},
		{"a cached reference", "CDDB61 CD80 81", []string{"DB61", "DB61", "DB61"}},
		{"a closed list", "EDCDDB61FD ED80FD", []string{"EDDB61FD", "EDDB61FD"}},
		{"structs", "EFDB6101DB78 EFDB6200 A0A1 E6A105A1", []string{
			"EFDB6101DB78", "EFDB6200", "EFDB6101EFDB6200", "E6EFDB620005", "EFDB6200"}},
		{"a struct twice", "EFDB6100 E6A0A0", []string{"EFDB6100", "E6EFDB6100A0"}},
		{"a cached tag", "EFCDDB6101DB78 80", []string{"EFDB6101DB78", "DB61"}},
		{"a map of keywords", "C0E8CACDDB61CDDB6201CA808102", []string{"C0E8CACDDB61CDDB6201CA808102"}},
		{"an array", "B002CD7000008080", []string{"B0027000008070000080"}},
		{"a reset between values", "CDDB61 FECDDB62 80", []string{"DB61", "DB62", "DB62"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, alone, err := walkAll(parseHex(strings.ReplaceAll(test.hex, " ", "")))
			require.NoError(t, err)
			var want [][]byte
			for _, hex := range test.want {
				want = append(want, parseHex(hex))
			}
			require.Equal(t, want, alone)
		})
	}
}

func TestWalkerMethods(t *testing.T) {
	e := fressian.NewEncoder(nil)
	id := dclone.Kw("", "id")
	require.NoError(t, e.Encode(fressian.Cached{Value: int64(1 << 40)}))
	require.NoError(t, e.Encode(fressian.Cached{Value: int64(1 << 40)}))
	require.NoError(t, e.Encode(id))
	require.NoError(t, e.Encode(id))
	require.NoError(t, e.Encode([]int64{1, -1, 1 << 62}))
	require.NoError(t, e.Encode([]int32{1, 1 << 30}))
	require.NoError(t, e.Encode([]bool{true, false}))
	require.NoError(t, e.Encode(nil))
	require.NoError(t, e.Encode(fressian.Map{{Key: id, Value: int64(5)}}))
	require.NoError(t, e.Encode(fressian.Tagged{Tag: "datum", Fields: []any{true}}))
	require.NoError(t, e.Encode(fressian.Objects{int64(9)}))
	e.Footer()
	w := fressian.NewWalker(e.Bytes())
	require.Equal(t, int64(1<<40), w.Int())
	require.Equal(t, int64(1<<40), w.Int())
	for range 2 {
		ns, name := w.Keyword()
		require.Nil(t, ns)
		require.Equal(t, "id", string(name))
	}
	require.Equal(t, []int64{1, -1, 1 << 62}, w.Longs(nil))
	require.Equal(t, []int32{1, 1 << 30}, w.Ints(nil))
	require.Equal(t, []bool{true, false}, w.Bools(nil))
	require.True(t, w.Nil())
	require.False(t, w.Nil())
	m := w.Map()
	require.True(t, w.More(&m))
	require.Equal(t, 1, m.Left())
	w.Skip()
	require.True(t, w.More(&m))
	require.Equal(t, int64(5), w.Int())
	require.False(t, w.More(&m))
	tag, n := w.Struct()
	require.Equal(t, "datum", string(tag))
	require.Equal(t, 1, n)
	require.True(t, w.Bool())
	items := w.Items()
	require.True(t, w.More(&items))
	require.Equal(t, int64(9), w.Int())
	require.False(t, w.More(&items))
	w.End()
	require.NoError(t, w.Err())
	require.Equal(t, len(e.Bytes()), w.Offset())
	require.Zero(t, w.Int())
	require.ErrorContains(t, w.Err(), "nothing where a value belongs")
}

func TestCheckFooter(t *testing.T) {
	e := fressian.NewEncoder(nil)
	require.NoError(t, e.Encode("text"))
	found, err := fressian.CheckFooter(e.Bytes())
	require.NoError(t, err)
	require.False(t, found)
	e.Footer()
	found, err = fressian.CheckFooter(e.Bytes())
	require.NoError(t, err)
	require.True(t, found)
	e.Bytes()[1] ^= 1
	_, err = fressian.CheckFooter(e.Bytes())
	require.ErrorContains(t, err, "footer with checksum")
}

// A value may hold a great many keywords and types.
func TestWalkerManyNames(t *testing.T) {
	var items []any
	for i := range 50_000 {
		name := strconv.Itoa(i)
		items = append(items, dclone.Kw(name, name), fressian.Tagged{Tag: name, Fields: []any{}})
	}
	b, err := fressian.Append(nil, items)
	require.NoError(t, err)
	begin := time.Now()
	_, alone, err := walkAll(b)
	require.NoError(t, err)
	require.Equal(t, [][]byte{b}, alone)
	require.Less(t, time.Since(begin), 5*time.Second)
}

// What references to references stand for is bounded, and so is what is written for it.
func TestWalkerDoubling(t *testing.T) {
	b := parseHex("EDCDE6CACDDB61CDDB6201")
	for i := range int64(100) {
		b = append(b, 0xCD, 0xE7)
		for range 3 {
			b = fressian.AppendInt(append(b, 0xCC), (i+2)*min(i, 1)) // the list before
		}
	}
	require.Less(t, allocated(func() {
		_, _, err := walkAll(append(b, 0xFD))
		require.ErrorContains(t, err, "references stand for more than 17014272 bytes")
	}), uint64(256<<20))
}
