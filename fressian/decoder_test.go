package fressian_test

import (
	"errors"
	"io"
	"math"
	"testing"

	"dclone"
	"dclone/fressian"

	"github.com/stretchr/testify/require"
)

func TestDecoderOffset(t *testing.T) {
	d := fressian.NewDecoder(parseHex("05DB61CFCFCFCF00000003"))
	for _, offset := range []int{0, 1, 3} {
		require.Equal(t, offset, d.Offset())
		require.Equal(t, 11-offset, d.Remaining())
		_, err := d.Decode()
		require.Equal(t, offset == 3, err != nil)
	}
}

func TestDecoderEnd(t *testing.T) {
	for _, hex := range []string{"", "FE", "CFCFCFCF00000000150E033D"} {
		d := fressian.NewDecoder(parseHex(hex))
		for range 2 {
			_, err := d.Decode()
			require.Equal(t, io.EOF, err, hex)
		}
		_, _, err := fressian.Decode(parseHex(hex))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, hex)
	}
}

func TestDecoderFooter(t *testing.T) {
	e := fressian.NewEncoder(nil)
	require.NoError(t, e.Encode(dclone.Kw("a", "b")))
	e.Footer()
	b := e.Bytes()

	d := fressian.NewDecoder(b)
	_, err := d.Decode()
	require.NoError(t, err)
	require.NoError(t, d.Footer())
	require.Zero(t, d.Remaining())
	require.ErrorIs(t, d.Footer(), io.ErrUnexpectedEOF, "no second footer")

	for i := range b {
		b[i] ^= 1
		_, err := readAll(b)
		require.Error(t, err, "byte %d changed", i)
		b[i] ^= 1
	}
}

// List, Struct and Int read what Decode reads, a part at a time.
func TestDecoderParts(t *testing.T) {
	type datum struct {
		e int64
		v any
	}
	want := []datum{{1, "x"}, {1 << 40, dclone.Kw("a", "b")}, {-5, dclone.Kw("a", "b")}}
	write := []func(e *fressian.Encoder, items []any) error{
		func(e *fressian.Encoder, items []any) error { return e.Encode(items) },
		func(e *fressian.Encoder, items []any) error {
			return errors.Join(e.BeginList(), e.Encode(items[0]), e.Encode(items[1]), e.Encode(items[2]), e.EndList())
		},
		func(e *fressian.Encoder, items []any) error {
			return errors.Join(e.BeginOpenList(), e.Encode(items[0]), e.Encode(items[1]), e.Encode(items[2]))
		},
	}
	for _, write := range write {
		var items []any
		for _, w := range want {
			items = append(items, fressian.Tagged{Tag: "datum", Fields: []any{w.e, w.v}})
		}
		e := fressian.NewEncoder(nil)
		require.NoError(t, write(e, items))

		var got []datum
		d := fressian.NewDecoder(e.Bytes())
		require.NoError(t, d.List(func() error {
			tag, fields, err := d.Struct()
			require.NoError(t, err)
			require.Equal(t, "datum", tag)
			require.Equal(t, 2, fields)
			id, err := d.Int()
			require.NoError(t, err)
			v, err := d.Decode()
			got = append(got, datum{id, v})
			return err
		}))
		require.Equal(t, want, got)
		require.Zero(t, d.Remaining())
	}
}

func TestDecoderPartsRefuse(t *testing.T) {
	d := fressian.NewDecoder(parseHex("DB61"))
	_, err := d.Int()
	require.EqualError(t, err, "read fressian at offset 0: string where an int belongs")

	d = fressian.NewDecoder(parseHex("05"))
	require.EqualError(t, d.List(nil), "read fressian at offset 0: code 05 where a list belongs")

	d = fressian.NewDecoder(parseHex("C8"))
	_, _, err = d.Struct()
	require.EqualError(t, err, "read fressian at offset 0: code C8 where a struct belongs")

	d = fressian.NewDecoder(parseHex("E601"))
	require.ErrorIs(t, d.List(func() error { return errors.New("never called") }), io.ErrUnexpectedEOF)

	d = fressian.NewDecoder(parseHex("ED01"))
	require.ErrorIs(t, d.List(func() error { _, err := d.Int(); return err }), io.ErrUnexpectedEOF)

	stop := errors.New("stop")
	d = fressian.NewDecoder(parseHex("E60102"))
	require.Equal(t, stop, d.List(func() error { return stop }))
	_, err = d.Decode()
	require.Equal(t, stop, err)
}

// The bits of a float survive decoding, though encoding makes one NaN of all and drops -0.0.
func TestDecodeFloatBits(t *testing.T) {
	v, _, err := fressian.Decode(parseHex("FA8000000000000000"))
	require.NoError(t, err)
	require.Equal(t, uint64(1)<<63, math.Float64bits(v.(float64)))
	v, _, err = fressian.Decode(parseHex("FA7FF8000000000001"))
	require.NoError(t, err)
	require.Equal(t, uint64(0x7FF8000000000001), math.Float64bits(v.(float64)))
}

// What a Decoder returns does not change with its input.
func TestDecodedHoldsNoInput(t *testing.T) {
	for _, v := range vectors(t, "bytes", "reads") {
		got, err := readAll(v.bytes)
		require.NoError(t, err)
		clear(v.bytes)
		requireSame(t, values(parseForms(v.value, true)), got, v.name)
	}
}
