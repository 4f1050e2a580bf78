package segment_test

import (
	"bytes"
	"compress/gzip"
	"strings"
	"sync"
	"testing"

	"dclone/datomic/segment"

	"github.com/stretchr/testify/require"
)

func TestPackRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 100, 54_000, 1 << 20} {
		raw := bytes.Repeat([]byte("ab\x00\xff"), n/4+1)[:n]
		stored := segment.Pack([]byte("before"), raw)
		require.True(t, bytes.HasPrefix(stored, []byte("before\x1f\x8b")))
		got, err := segment.Unpack([]byte("head"), stored[len("before"):], n)
		require.NoError(t, err)
		require.Equal(t, "head"+string(raw), string(got))
		if n > 0 {
			_, err = segment.Unpack(nil, stored[len("before"):], n-1)
			require.ErrorContains(t, err, "it unpacks to more than")
		}
	}
}

func TestUnpackPlain(t *testing.T) {
	got, err := segment.Unpack([]byte{1}, []byte{0xEE, 5}, 2)
	require.NoError(t, err)
	require.Equal(t, []byte{1, 0xEE, 5}, got)
	_, err = segment.Unpack(nil, []byte{0xEE, 5}, 1)
	require.EqualError(t, err, "read packed segment at offset 0: it has 2 bytes, more than 1")
	got, err = segment.Unpack(nil, nil, 1)
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestUnpackDamaged(t *testing.T) {
	text := []byte(strings.Repeat("some text ", 20))
	whole := segment.Pack(nil, text)
	before := []byte("before")
	for n := 2; n < len(whole); n++ {
		got, err := segment.Unpack(before, whole[:n], segment.MaxSize)
		require.Error(t, err)
		require.Equal(t, before, got)
	}
	for name, stored := range map[string][]byte{
		"two members":  append(bytes.Clone(whole), whole...),
		"garbage":      append(bytes.Clone(whole), 0),
		"a wrong sum":  flipped(whole, len(whole)-5),
		"a wrong size": flipped(whole, len(whole)-1),
		"a method":     flipped(whole, 2),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := segment.Unpack(nil, stored, segment.MaxSize)
			var damage *segment.DamageError
			require.ErrorAs(t, err, &damage)
			require.Equal(t, segment.Packed.String(), damage.Kind)
		})
	}
	got, err := segment.Unpack(nil, whole, segment.MaxSize) // the damaged ones have spoiled nothing
	require.NoError(t, err)
	require.Equal(t, text, got)
}

func flipped(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 0x55
	return b
}

// A small segment may claim to be large, and may be.
func TestUnpackBomb(t *testing.T) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	require.NoError(t, err)
	zeros := make([]byte, 1<<20)
	for range 64 {
		_, _ = z.Write(zeros)
	}
	require.NoError(t, z.Close())
	require.Less(t, allocated(func() {
		_, err = segment.Unpack(nil, b.Bytes(), 1<<20)
	}), uint64(4<<20))
	require.ErrorContains(t, err, "it unpacks to more than 1048576 bytes")

	liar := segment.Pack(nil, []byte("x"))
	copy(liar[len(liar)-4:], "\xff\xff\xff\x7f")
	require.Less(t, allocated(func() { _, err = segment.Unpack(nil, liar, segment.MaxSize) }), uint64(1<<20))
	require.Error(t, err)
}

func TestUnpackAtOnce(t *testing.T) {
	text := []byte(strings.Repeat("some text ", 2000))
	whole := segment.Pack(nil, text)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				got, err := segment.Unpack(nil, whole, segment.MaxSize)
				if err != nil || !bytes.Equal(got, text) {
					t.Errorf("unpacked otherwise: %v", err)
					return
				}
			}
		})
	}
	wait.Wait()
}
