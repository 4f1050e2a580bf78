package state

import (
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/eidmap"
)

func FuzzIntent(f *testing.F) {
	seeds := []*Intent{
		{},
		{Frames: []Frame{{Length: 17}, {Length: 1 << 40, Digest: dclone.Digest{1}}}},
		{Commit: Commit{Position: Position{Phase: Current, Basis: 9}, Runs: []eidmap.Run{{Src: 1 << 45, Clone: 7, N: 3}},
			NotCarried: []dclone.NotCarried{{Attribute: ":a/b", Count: 1}},
			Schema:     []dclone.Datom{{E: 73, A: 10, V: dclone.Value("v"), Tx: dclone.TxID(8), Added: true}}}},
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, i := range seeds {
		b := i.encode()
		f.Add(b)
		f.Add(b[:len(b)/2])
		f.Add(append(b, 0xff, 0xff))
	}
	f.Add([]byte{2, '{', '}', 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		var i Intent
		if i.decode(b) != nil {
			return
		}
		require.LessOrEqual(t, len(i.Frames)*17+len(i.Commit.Runs)*3, len(b), "more than the bytes can hold")
		var again Intent
		require.NoError(t, again.decode(i.encode()))
		require.Equal(t, i, again)
	})
}

func TestIntentCut(t *testing.T) {
	i := Intent{Frames: []Frame{{Length: 300}}, Commit: Commit{Runs: []eidmap.Run{{Src: 1, Clone: 2, N: 3}},
		Schema: []dclone.Datom{{E: 73, A: 10, V: dclone.Value("value"), Tx: dclone.TxID(8)}}}}
	b := i.encode()
	whole := 0
	for n := range len(b) {
		var got Intent
		if got.decode(b[:n]) == nil {
			whole++ // where the list of datoms, which has no length, happens to end
		}
	}
	require.LessOrEqual(t, whole, 1)
}
