package segment_test

import (
	"testing"

	"dclone/datomic/segment"

	"github.com/stretchr/testify/require"
)

// ofKind returns the segments of a kind in mbrainz, as they are stored.
func ofKind(b *testing.B, kind segment.Kind) (stored [][]byte) {
	backup := readBackup(b, "mbrainz")
	for id, s := range backup.segments {
		if got, _ := segment.KindOf(backup.raw(b, id)); got == kind {
			stored = append(stored, s)
		}
	}
	require.NotEmpty(b, stored)
	return stored
}

// perDatom runs read, which returns how many datoms it read, over all segments of a kind.
func perDatom(b *testing.B, kind segment.Kind, unpacked bool, read func(raw []byte) int) {
	segments := ofKind(b, kind)
	for i, s := range segments {
		if unpacked {
			raw, err := segment.Unpack(nil, s, segment.MaxSize)
			require.NoError(b, err)
			segments[i] = raw
		}
	}
	b.ReportAllocs()
	datoms := 0
	var raw []byte
	for b.Loop() {
		for _, s := range segments {
			if !unpacked {
				var err error
				if s, err = segment.Unpack(raw[:0], s, segment.MaxSize); err != nil {
					b.Fatal(err)
				}
				raw = s
			}
			datoms += read(s)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(datoms), "ns/datom")
}

func readLogLeaf(b *testing.B) func(raw []byte) int {
	r := segment.NewTxReader(nil, true)
	return func(raw []byte) (n int) {
		r.Reset(raw, false)
		for r.Next() {
			n += len(r.Tx().Datoms)
		}
		if r.Err() != nil {
			b.Fatal(r.Err())
		}
		return n
	}
}

func readIndexLeaf(b *testing.B) func(raw []byte) int {
	return func(raw []byte) int {
		leaf, err := segment.ParseLeaf(raw)
		if err != nil {
			b.Fatal(err)
		}
		return leaf.Len()
	}
}

func BenchmarkLogLeaf(b *testing.B) {
	b.Run("raw", func(b *testing.B) { perDatom(b, segment.KindLogLeaf, true, readLogLeaf(b)) })
	b.Run("stored", func(b *testing.B) { perDatom(b, segment.KindLogLeaf, false, readLogLeaf(b)) })
}

func BenchmarkIndexLeaf(b *testing.B) {
	b.Run("raw", func(b *testing.B) { perDatom(b, segment.KindLeaf, true, readIndexLeaf(b)) })
	b.Run("stored", func(b *testing.B) { perDatom(b, segment.KindLeaf, false, readIndexLeaf(b)) })
}

func BenchmarkUnpack(b *testing.B) {
	segments := ofKind(b, segment.KindLogLeaf)
	var raw []byte
	for b.Loop() {
		n := 0
		for _, s := range segments {
			var err error
			if raw, err = segment.Unpack(raw[:0], s, segment.MaxSize); err != nil {
				b.Fatal(err)
			}
			n += len(raw)
		}
		b.SetBytes(int64(n))
	}
}
