package fressian_test

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"

	"dclone/fressian"

	"github.com/stretchr/testify/require"
)

func TestHostile(t *testing.T) {
	tests := []struct {
		name, hex, want string
		short           bool
	}{
		{"string beyond the end", "E328616263", "offset 0: string of 40 bytes, 3 left", true},
		{"packed string beyond the end", "05E161", "offset 1: string of 7 bytes, 1 left", true},
		{"string of 2^31-1 bytes", "E3767FFFFFFF616263", "offset 0: string of 2147483647 bytes, 3 left", true},
		{"string of 2^63-1 bytes", "E3F87FFFFFFFFFFFFFFF", "offset 0: string of 9223372036854775807 bytes, 0 left", true},
		{"string of -1 bytes", "E3FF", "offset 0: string with count -1", false},
		{"string whose count is cut", "E37600", "offset 0: string, 2 bytes left of its count", true},
		{"string with a string for its count", "E3DB61", "offset 0: string with code DB for its count", false},
		{"string with a cached count", "E3CD01", "offset 0: string with code CD for its count", false},
		{"second chunk beyond the end", "E20161E25040DB61", "offset 3: string of 64 bytes, 2 left", true},
		{"nothing after a chunk", "E20161", "offset 3: nothing after a chunk of string", true},
		{"bytes beyond the end", "D9767FFFFFFF", "offset 0: bytes of 2147483647 bytes, 0 left", true},
		{"packed bytes after a chunk", "D80161D161", "offset 3: code D1 after a chunk of bytes", false},
		{"list of 2^31 elements", "EC7680000000010203", "offset 0: list of 2147483648 elements, 3 bytes left", true},
		{"list of -2 elements", "EC4FFE", "offset 0: list with count -2", false},
		{"array of 2^31-1 longs", "B0767FFFFFFF01", "offset 0: array of 2147483647 elements, 1 bytes left", true},
		{"array of 2^31-1 objects", "B5767FFFFFFF01", "offset 0: array of 2147483647 elements, 1 bytes left", true},
		{"struct of 2^31-1 fields", "EFDB61767FFFFFFF", "offset 0: struct of 2147483647 fields, 0 bytes left", true},
		{"cached struct type, too few fields left", "EFDB6103010203A001", "offset 7: struct of 3 fields, 1 bytes left", true},
		{"struct type that is no string", "EF0501", "offset 1: int64 where a string belongs", false},
		{"reference too far", "CC20", "offset 0: reference to cached value 32 of 0", false},
		{"reference of 2^63-1", "CCF87FFFFFFFFFFFFFFF", "offset 0: reference to cached value 9223372036854775807 of 0", false},
		{"reference below 0", "CCFF", "offset 0: reference with count -1", false},
		{"struct type too far", "F05040", "offset 0: reference to struct type 64 of 0", false},
		{"reference to itself", "CDE580", "offset 2: reference to cached value 0 within itself", false},
		{"cached twice", "CDCD05", "offset 0: cached twice", false},
		{"cached twice, a reset between", "CDFECD05", "offset 0: cached twice", false},
		{"caches emptied too late", "CDFE05", "offset 0: caches emptied within a cached value", false},
		{"map of an odd list", "C0E7010203", "offset 0: map of a list of 3", false},
		{"map of a map", "C0C0E4", "offset 1: fressian.Map where a list belongs", false},
		{"uuid of 15 bytes", "C3D90F" + strings.Repeat("00", 15), "offset 0: uuid of 15 bytes", false},
		{"bigint of no bytes", "C6D0", "offset 0: number of no bytes", false},
		{"bigdec with scale 2^31", "C7D1057680000000", "offset 0: bigdec with scale 2147483648", false},
		{"int array with 2^31", "B3017680000000", "offset 2: int 2147483648 in an int array", false},
		{"builtin struct with a field too many", "EFDD6B657903F7DB61DB62", `offset 0: struct "key" of 3 fields`, false},
		{"array as a struct", "EFE06C6F6E675B5D020105", `offset 0: struct "long[]" of 2 fields`, false},
		{"reserved code", "F1", "offset 0: code F1 begins no value", false},
		{"end of no list", "E5FD", "offset 1: end of a list where a value belongs", false},
		{"UTF-8 of 4 bytes", "DEF09F9880", "offset 0: byte 0 of a string's 4 is not CESU-8", false},
		{"unit cut by the string's end", "DC61C3", "offset 0: byte 1 of a string's 2 is not CESU-8", false},
		{"unit cut by a chunk's end", "E201C3DBA9", "not CESU-8", false},
		{"unit with a letter in it", "DCC341", "offset 0: byte 0 of a string's 2 is not CESU-8", false},
		{"footer cut short", "01CFCFCFCF00000001", "offset 1: footer of 12 bytes, 8 left", true},
		{"footer with other magic", "01CFCFCFCE0000000100000000", "offset 1: footer begins CFCFCFCE", false},
		{"footer for another length", "01CFCFCFCF0000000215190340", "offset 1: footer after 1 bytes is for 2", false},
		{"footer with another checksum", "01CFCFCFCF000000011519033E", "offset 1: footer with checksum 1519033E over bytes with 1519033F", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := fressian.NewDecoder(parseHex(test.hex))
			var err error
			for err == nil {
				_, err = d.Decode()
			}
			require.ErrorContains(t, err, "read fressian at offset ")
			require.ErrorContains(t, err, test.want)
			if test.short {
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			}
			_, again := d.Decode()
			require.Equal(t, err, again)
		})
	}
}

// nested returns n times head, and then tail.
func nested(n int, head, tail string) []byte {
	return append(bytes.Repeat(parseHex(head), n), parseHex(tail)...)
}

func TestDepth(t *testing.T) {
	tests := []struct {
		name, head, tail string
		levels           int // of each head
	}{
		{"list", "E5", "01", 1},
		{"closed list", "ED", "", 1},
		{"open list", "EE", "", 1},
		{"long list", "EC01", "01", 1},
		{"set", "C1E5", "01", 2},
		{"map", "C0E601", "01", 2},
		{"map of maps", "C0", "", 1},
		{"object array", "B501", "01", 1},
		{"long array", "B001", "01", 1},
		{"struct", "EFDB6101", "01", 1},
		{"struct as tag", "EF", "01", 1},
		{"keyword in a keyword", "CACD", "01", 1},
		{"cached list", "CDE5", "01", 1},
		{"uuid in a uuid", "C3", "01", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := fressian.Decode(nested(fressian.MaxDepth/test.levels, test.head, test.tail))
			if err != nil {
				require.NotContains(t, err.Error(), "nested deeper")
			}
			for _, n := range []int{fressian.MaxDepth/test.levels + 1, 1_000_000} {
				b := nested(n, test.head, test.tail)
				_, _, err = fressian.Decode(b)
				require.ErrorContains(t, err, "nested deeper than 128")
				_, err = fressian.Skip(b)
				require.ErrorContains(t, err, "nested deeper than 128")
			}
		})
	}
}

// What nests nothing may repeat without end.
func TestLongMarks(t *testing.T) {
	b := nested(1_000_000, "FE", "05")
	v, rest, err := fressian.Decode(b)
	require.NoError(t, err)
	require.Equal(t, int64(5), v)
	require.Empty(t, rest)
	n, err := fressian.Skip(b)
	require.NoError(t, err)
	require.Equal(t, len(b), n)

	_, err = fressian.Skip(nested(1_000_000, "CD", "05"))
	require.NoError(t, err)
}

// A cached list may hold a reference to the one before it, and so on: each is one deeper.
func TestDepthByReference(t *testing.T) {
	var b []byte
	for i := range 200 {
		b = append(b, 0xCD, 0xE5)
		if i == 0 {
			b = append(b, 0x01)
		} else {
			b = fressian.AppendInt(append(b, 0xCC), int64(i-1))
		}
	}
	got, err := readAll(b)
	require.ErrorContains(t, err, "nested deeper than 128")
	require.Len(t, got, fressian.MaxDepth)
}

// A cached list may hold two references to the one before it: each stands for twice as much.
func TestDoublingByReference(t *testing.T) {
	b := parseHex("EDCDE60101")
	for i := range int64(100) {
		b = append(b, 0xCD, 0xE6)
		b = fressian.AppendInt(append(b, 0xCC), i)
		b = fressian.AppendInt(append(b, 0xCC), i)
	}
	_, _, err := fressian.Decode(append(b, 0xFD))
	require.ErrorContains(t, err, "references stand for more than")
}

// What input claims to hold costs nothing until it is there.
func TestHostileLengthsAllocateLittle(t *testing.T) {
	claims := []string{"E3", "E2", "D9", "D8", "EC", "B0", "B1", "B2", "B3", "B4", "B5", "EFDB61"}
	for _, claim := range claims {
		for _, count := range []string{"767FFFFFFF", "F87FFFFFFFFFFFFFFF", "687FFF"} {
			b := parseHex(claim + count + "010101")
			require.Less(t, allocated(func() {
				_, _, err := fressian.Decode(b)
				require.Error(t, err)
			}), uint64(4096), "%X", b)
		}
	}
	// Counts within counts: each claims all that is left of a megabyte.
	for _, head := range []string{"EC7100000F", "B57100000F", "EFDB617100000F", "B07100000F"} {
		b := append(nested(100, head, ""), make([]byte, 1<<20)...)
		require.Less(t, allocated(func() { _, _, _ = fressian.Decode(b) }), uint64(64<<20), head)
	}
}

// allocated returns how many bytes f allocates, more or less.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
