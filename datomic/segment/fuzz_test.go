package segment_test

import (
	"slices"
	"testing"

	"dclone/datomic/segment"
	"dclone/fressian"

	"github.com/stretchr/testify/require"
)

// addSamples seeds f with a node of every kind.
func addSamples(f *testing.F) {
	for _, raw := range samples(f) {
		f.Add(raw)
		f.Add(segment.Pack(nil, raw))
	}
}

func FuzzNodes(f *testing.F) {
	addSamples(f)
	f.Fuzz(func(t *testing.T, raw []byte) { requireDamage(t, raw) })
}

// What is read of a log is written and read to the same.
func FuzzTxReader(f *testing.F) {
	addSamples(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if readLog(raw, false) != nil {
			return
		}
		txs := readTxs(t, raw, false)
		for _, tx := range txs {
			for _, d := range tx.Datoms {
				if _, _, err := fressian.Decode(d.V); err != nil {
					return // an odd value may not be written
				}
			}
		}
		b, err := segment.AppendLogLeaf(nil, txs)
		if err != nil {
			return
		}
		again := readTxs(t, b, false)
		require.Len(t, again, len(txs))
		for i := range txs {
			require.Equal(t, txs[i].T, again[i].T)
			require.Equal(t, len(txs[i].Datoms), len(again[i].Datoms))
		}
	})
}

func FuzzLeaf(f *testing.F) {
	addSamples(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		leaf, err := segment.ParseLeaf(slices.Clone(raw))
		if err != nil {
			return
		}
		for i := range leaf.Len() {
			require.NoError(t, lookAt(leaf.Datom(i)))
		}
	})
}

func FuzzUnpack(f *testing.F) {
	addSamples(f)
	f.Fuzz(func(t *testing.T, stored []byte) {
		raw, err := segment.Unpack(nil, stored, 1<<20)
		if err == nil {
			require.LessOrEqual(t, len(raw), 1<<20)
		}
	})
}
