package local

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
)

// everyDatom reads all datoms of l with a Scanner.
func everyDatom(t testing.TB, l *Log) (pointers []Pointer, datoms []dclone.Datom) {
	s := l.Scan(0, l.End())
	for s.Frame() {
		for s.Datom() {
			d := s.D
			d.V = append(dclone.Value(nil), d.V...)
			datoms = append(datoms, d)
			pointers = append(pointers, s.pointer())
		}
	}
	require.NoError(t, s.Err())
	return pointers, datoms
}

func TestDatomReader(t *testing.T) {
	l, _ := genLog(t, 7, 30_000).open()
	pointers, datoms := everyDatom(t, l)
	n := len(pointers)
	rnd := rand.New(rand.NewPCG(1, 2))
	for name, at := range map[string]func(i int) int{
		"in order":     func(i int) int { return i },
		"every 50th":   func(i int) int { return i * 50 % n },
		"backwards":    func(i int) int { return n - 1 - i },
		"at random":    func(int) int { return rnd.IntN(n) },
		"two streams":  func(i int) int { return i/2 + i%2*(n/2) },
		"many streams": func(i int) int { return (i/20 + i%20*(n/20)) % n },
		"wavering":     func(i int) int { return min(n-1, max(0, i+rnd.IntN(9)-4)) },
	} {
		t.Run(name, func(t *testing.T) {
			r := l.Reader()
			for i := range n {
				k := at(i)
				d, err := r.Datom(pointers[k])
				require.NoError(t, err)
				require.True(t, datoms[k].E == d.E && datoms[k].Tx == d.Tx && string(datoms[k].V) == string(d.V))
			}
		})
	}
}

func TestDatomReaderMisplaced(t *testing.T) {
	l, _ := genLog(t, 8, 1000).open()
	r := l.Reader()
	for _, p := range []Pointer{0, 20, 8<<16 | 16, 9<<16 | 17, Pointer(l.End()) << 16, Pointer(l.End()-3)<<16 | 20,
		Pointer(l.End()+100)<<16 | 20, 1<<64 - 1, 1<<64 - 1<<16} {
		_, err := r.Datom(p)
		var damage *DamageError
		require.ErrorAs(t, err, &damage, "%x", uint64(p))
	}
	d, err := r.Datom(8<<16 | 17)
	require.NoError(t, err)
	require.Equal(t, dclone.EntityID(50), d.A)
}
