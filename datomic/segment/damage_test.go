package segment_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"dclone"
	"dclone/datomic/segment"
	"dclone/datomic/segment/segmenttest"
	"dclone/fressian"

	"github.com/stretchr/testify/require"
)

// decoders are all that read bytes, by what they read.
var decoders = map[string]func(raw []byte) error{
	"backup root": func(raw []byte) error { _, err := segment.ParseBackupRoot(raw); return err },
	"index root":  func(raw []byte) error { _, err := segment.ParseIndexRoot(raw); return err },
	"root node":   func(raw []byte) error { _, err := segment.ParseRootNode(raw); return err },
	"dir node":    func(raw []byte) error { _, err := segment.ParseDirNode(raw); return err },
	"log dir":     func(raw []byte) error { _, err := segment.ParseLogDir(raw); return err },
	"children":    func(raw []byte) error { _, _, err := segment.Children(raw); return err },
	"check":       func(raw []byte) error { _, _, err := segment.Check(raw); return err },
	"kind":        func(raw []byte) error { _, err := segment.KindOf(raw); return err },
	"index leaf":  readLeaf,
	"log leaf":    func(raw []byte) error { return readLog(raw, false) },
	"log tail":    func(raw []byte) error { return readLog(raw, true) },
	"unpack":      func(raw []byte) error { _, err := segment.Unpack(nil, raw, 1<<20); return err },
}

func readLeaf(raw []byte) error {
	leaf, err := segment.ParseLeaf(raw)
	if err != nil {
		return err
	}
	for i := range leaf.Len() {
		if err := lookAt(leaf.Datom(i)); err != nil {
			return err
		}
	}
	return nil
}

func readLog(raw []byte, tail bool) error {
	r := segment.NewTxReader(raw, tail)
	for r.Next() {
		for _, d := range r.Tx().Datoms {
			if err := lookAt(d); err != nil {
				return err
			}
		}
	}
	return r.Err()
}

// lookAt panics where a datom that was read is none: nobody checks it again.
func lookAt(d dclone.Datom) error {
	if d.E < 0 || d.A < 0 || !d.Tx.IsTx() || len(d.V) == 0 {
		panic("an impossible datom was read")
	}
	_, rest, err := fressian.Decode(d.V)
	if err == nil && len(rest) > 0 {
		panic("a value does not stand alone")
	}
	return nil
}

// requireDamage runs all decoders on bytes that may be damaged.
func requireDamage(t *testing.T, raw []byte) {
	for name, decode := range decoders {
		if err := decode(raw); err != nil {
			var damage *segment.DamageError
			require.ErrorAs(t, err, &damage, name)
			require.LessOrEqual(t, damage.Offset, len(raw))
			require.GreaterOrEqual(t, damage.Offset, 0)
		}
	}
}

// samples returns one node of each kind, the largest, and a root file.
func samples(t testing.TB) (nodes map[segment.Kind][]byte) {
	db := segmenttest.Build(t, sampleTxs(t, 4), segmenttest.Options{Tail: 1, LeafDatoms: 12, Mid: 1})
	nodes = map[segment.Kind][]byte{segment.LogTail: db.Root.Tail, segment.RootFile: db.RootFile(t, 3)}
	for id := range db.Segments {
		raw := db.Raw(t, id)
		kind, _, err := segment.Children(raw)
		require.NoError(t, err)
		if len(raw) > len(nodes[kind]) {
			nodes[kind] = raw
		}
	}
	require.Len(t, nodes, 11)
	excised := segmenttest.Build(t, sampleTxs(t, 2), segmenttest.Options{Excised: true})
	for id := range excised.Segments {
		if raw := excised.Raw(t, id); raw[0] == 0xE6 && len(raw) > 200 {
			nodes[segment.Unknown] = raw
		}
	}
	require.NotEmpty(t, nodes[segment.Unknown], "the leaf of an excised log")
	return nodes
}

// A node cut short is damage, wherever it is cut; but a log tail may end behind any transaction.
func TestTruncated(t *testing.T) {
	for kind, raw := range samples(t) {
		t.Run(kind.String(), func(t *testing.T) {
			ends := 0
			for n := range len(raw) {
				requireDamage(t, raw[:n])
				_, _, err := segment.Check(raw[:n])
				switch {
				case kind == segment.LogTail:
					if readLog(raw[:n], true) == nil {
						ends++
					}
				case kind != segment.RootFile && n < len(raw)-12: // without its footer it is whole
					require.Error(t, err, n)
				}
			}
			if kind == segment.LogTail {
				require.Equal(t, 2, ends, "of nothing, and of no transaction")
			}
		})
	}
}

// A bit that was flipped is found by the footer, and does no harm where there is none.
func TestFlipped(t *testing.T) {
	for kind, raw := range samples(t) {
		t.Run(kind.String(), func(t *testing.T) {
			footer, err := fressian.CheckFooter(raw)
			require.NoError(t, err)
			for i := range raw {
				damaged := slices.Clone(raw)
				damaged[i] ^= 1 << (i % 8)
				requireDamage(t, damaged)
				if _, _, err := segment.Check(damaged); footer {
					require.Error(t, err)
				}
			}
		})
	}
}

// Bytes put together from those of nodes do no harm.
func TestScrambled(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, raw := range samples(t) {
		for range 300 {
			damaged := slices.Clone(raw)
			for range 1 + random.IntN(4) {
				from, to := random.IntN(len(raw)), random.IntN(len(raw))
				n := min(1+random.IntN(9), len(raw)-from, len(raw)-to)
				copy(damaged[to:], raw[from:from+n])
			}
			requireDamage(t, damaged)
		}
	}
}

// What a count or length claims is not allocated before it is there.
func TestAbsurdCounts(t *testing.T) {
	huge := []byte{0x76, 0x7F, 0xFF, 0xFF, 0xFF}
	nodes := samples(t)
	for kind, raw := range nodes {
		for i := range raw {
			damaged := slices.Concat(raw[:i], huge, raw[i:])
			n := allocated(func() { requireDamage(t, damaged) })
			require.Less(t, n, uint64(8<<20), "%s with a count at %d", kind, i)
		}
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
