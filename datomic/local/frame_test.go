package local

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/fressian"
	"dclone/historytest/seeds"
)

func randomDatom(r *rand.Rand, t dclone.T) dclone.Datom {
	v := []any{r.Int64(), "text", nil, true, dclone.Kw("a", "a"), []any{int64(1), nil}, dclone.Instant(-r.Int64N(1 << 40)), string(make([]byte, r.IntN(300)))}
	b, err := fressian.Append(nil, v[r.IntN(len(v))])
	if err != nil {
		panic(err)
	}
	return dclone.Datom{E: dclone.EntityID(r.Int64() >> r.IntN(63)), A: dclone.EntityID(r.Int64() >> r.IntN(63)), V: b, Tx: dclone.TxID(t), Added: r.IntN(2) == 0}
}

func TestFrameRoundTrip(t *testing.T) {
	for _, seed := range seeds.Of(t, 50) {
		r := rand.New(rand.NewPCG(seed, 0))
		var log []byte
		var want [][]dclone.Datom
		at := dclone.T(0)
		for range 1 + r.IntN(8) {
			at += 1 + dclone.T(r.Int64N(1<<r.IntN(35)))
			var datoms []dclone.Datom
			for range 1 + r.IntN(20) {
				datoms = append(datoms, randomDatom(r, at))
			}
			var err error
			log, err = AppendFrame(log, at, datoms)
			require.NoError(t, err)
			want = append(want, datoms)
		}
		s := newScanner(bytes.NewReader(log), "x", 0, int64(len(log)))
		for _, datoms := range want {
			require.True(t, s.Frame(), "DCLONE_SEED=%d", seed)
			require.Equal(t, datoms[0].Tx.T(), s.T())
			require.Equal(t, len(datoms), s.Count())
			if r.IntN(3) == 0 {
				continue // over what is left of the frame
			}
			for _, d := range datoms {
				require.True(t, s.Datom())
				require.Equal(t, d, s.D)
				again, n, err := ParseDatom(log[s.Offset:])
				require.NoError(t, err)
				require.Equal(t, s.Len, n)
				require.Equal(t, d, again)
			}
			require.False(t, s.Datom())
		}
		require.False(t, s.Frame())
		require.NoError(t, s.Err())
		require.Equal(t, int64(len(log)), s.End())
		require.Len(t, FrameLengths(log), len(want))
	}
}

// A datom of 65535 bytes in all is still short; one more makes it big.
func TestDatomBorder(t *testing.T) {
	for _, total := range []int{65533, 65534, 65535, 65536 + 4, 65537 + 4, 200_000} {
		d := dclone.Datom{E: 1, A: 2, Tx: dclone.TxID(3), Added: true}
		d.V = make(dclone.Value, total-len(AppendDatom(nil, d)))
		if total > 65535 {
			d.V = d.V[4:]
		}
		b := AppendDatom([]byte("before"), d)[6:]
		header := 2
		if total > maxShort {
			header = 6
			require.Equal(t, []byte{0, 0}, b[:2])
			d.V = d.V[:len(b)-len(AppendDatom(nil, dclone.Datom{E: 1, A: 2, Tx: d.Tx, Added: true}))-4]
		}
		n, got, ok := datomLen(b)
		require.True(t, ok)
		require.Equal(t, len(b), n)
		require.Equal(t, header, got)
		back, n, err := ParseDatom(b)
		require.NoError(t, err)
		require.Equal(t, len(b), n)
		require.Equal(t, d, back)
	}
}

func TestFrameLimits(t *testing.T) {
	d := dclone.Datom{A: 50, V: dclone.Value{0xf5}}
	_, err := AppendFrame(nil, 1, nil)
	require.Error(t, err)
	_, err = AppendFrame(nil, -1, []dclone.Datom{d})
	require.Error(t, err)
	_, err = AppendFrame(nil, MaxT+1, []dclone.Datom{d})
	require.Error(t, err)
	b, err := AppendFrame(nil, MaxT, []dclone.Datom{d})
	require.NoError(t, err)
	h, err := parseHeader(b)
	require.NoError(t, err)
	require.Equal(t, header{MaxT, 1}, h)
	for _, count := range []int{1, 1<<20 - 1, 1 << 20, MaxCount} {
		for _, at := range []dclone.T{0, 1, 2, 3, MaxT} {
			got, err := parseHeader(header{at, count}.append(nil))
			require.NoError(t, err)
			require.Equal(t, header{at, count}, got)
		}
	}
	_, err = AppendTx(nil, 1, d, make([]dclone.Datom, MaxCount))
	require.Error(t, err)
}

// A length that a file only claims costs no memory.
func TestClaims(t *testing.T) {
	boast := header{1, MaxCount}.append(nil)
	boast = append(boast, 0, 0, 0x03, 0xff, 0xff, 0xff) // a datom of 64 MiB, which is not there
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := newScanner(bytes.NewReader(boast), "x", 0, int64(len(boast)))
	for s.Frame() {
		for s.Datom() {
		}
	}
	require.Error(t, s.Err())
	require.Empty(t, FrameLengths(boast))
	_, _, err := ParseDatom(boast[8:])
	require.Error(t, err)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func FuzzScanner(f *testing.F) {
	s := newSample(f, 4, 0)
	n := 0
	for _, b := range [][]byte{s.log, s.log[len(bootstrap):], s.log[s.from[8]:], s.log[:100], {}, header{5, 1}.append(nil)} {
		f.Add(b)
		f.Add(append(slices.Clone(b), 0))
		n++
	}
	if n == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, log []byte) {
		s := newScanner(bytes.NewReader(log), "x", 0, int64(len(log)))
		frames, datoms := 0, 0
		last := dclone.T(-1)
		for s.Frame() {
			require.Greater(t, s.T(), last)
			last = s.T()
			for s.Datom() {
				datoms++
				require.Equal(t, dclone.TxID(last), s.D.Tx)
				require.GreaterOrEqual(t, s.D.E, dclone.EntityID(0))
				require.GreaterOrEqual(t, s.D.A, dclone.EntityID(0))
				require.LessOrEqual(t, s.Offset+int64(s.Len), int64(len(log)))
			}
			if s.Err() == nil {
				frames++
			}
		}
		require.LessOrEqual(t, datoms*12, len(log))
		if s.Err() == nil {
			require.Equal(t, int64(len(log)), s.End())
			require.Len(t, FrameLengths(log), frames)
		} else {
			require.Contains(t, s.Err().Error(), "offset", fmt.Sprint(s.Err()))
		}
	})
}

func FuzzDatom(f *testing.F) {
	n := 0
	for seed := range uint64(8) {
		f.Add(AppendDatom(nil, randomDatom(rand.New(rand.NewPCG(seed, 0)), dclone.T(seed))))
		n++
	}
	if n == 0 {
		f.Fatal("no seeds")
	}
	f.Add([]byte{0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		d, n, err := ParseDatom(b)
		if err != nil {
			return
		}
		require.LessOrEqual(t, n, len(b))
		back, m, err := ParseDatom(AppendDatom(nil, d))
		require.NoError(t, err)
		require.Equal(t, d, back)
		require.LessOrEqual(t, m, n, "written longer than it was")
	})
}

func TestInstant(t *testing.T) {
	for _, i := range []dclone.Instant{0, 1, -1, 1 << 40, -1 << 40, 1<<63 - 1, -1 << 63} {
		got, ok := Instant(AppendInstant(nil, i))
		require.True(t, ok)
		require.Equal(t, i, got)
		want, err := fressian.Append(nil, i)
		require.NoError(t, err)
		require.Equal(t, want, AppendInstant(nil, i))
	}
	for _, v := range []dclone.Value{nil, {}, {0xc8}, {0xc8, 0xf7}, {0xc8, 0x01, 0x01}, {0x01}, {0xc8, 0xf8, 1}} {
		_, ok := Instant(v)
		require.False(t, ok, "% x", []byte(v))
	}
}
