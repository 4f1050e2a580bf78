package fressian_test

import (
	"testing"

	"dclone"
	"dclone/fressian"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// datomInts are the ints of a few thousand datoms: entity, attribute, t and op, a ref.
func datomInts() (vs []int64) {
	for i := range int64(4096) {
		vs = append(vs, 17<<42+100_000+i, 72+i%40, (2000+i/10)<<1|1, 17<<42+90_000+7*i)
	}
	return vs
}

var benchValues = map[string]any{
	"int":     int64(17<<42 + 5),
	"string":  "The quick brown fox jumps over the lazy dog",
	"keyword": dclone.Kw("artist.type", "person"),
	"uuid":    uuid.UUID{1, 2, 3},
	"tuple":   []any{int64(1), nil, "part", dclone.Kw("a", "b")},
	"struct":  fressian.Tagged{Tag: "datum", Fields: []any{true, int64(4), int64(1001), int64(10), "value", int64(99)}},
}

func BenchmarkAppendInt(b *testing.B) {
	vs := datomInts()
	buf := make([]byte, 0, 16)
	for i := 0; b.Loop(); i++ {
		buf = fressian.AppendInt(buf[:0], vs[i%len(vs)])
	}
}

func BenchmarkInt(b *testing.B) {
	var encoded []byte
	for _, v := range datomInts() {
		encoded = fressian.AppendInt(encoded, v)
	}
	rest := encoded
	for b.Loop() {
		_, n, ok := fressian.Int(rest)
		if rest = rest[n:]; !ok {
			rest = encoded
		}
	}
}

func benchEach(b *testing.B, run func(b *testing.B, v any, encoded []byte)) {
	for name, v := range benchValues {
		encoded, err := fressian.Append(nil, v)
		require.NoError(b, err)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			run(b, v, encoded)
		})
	}
}

func BenchmarkSkip(b *testing.B) {
	benchEach(b, func(b *testing.B, _ any, encoded []byte) {
		for b.Loop() {
			if _, err := fressian.Skip(encoded); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	benchEach(b, func(b *testing.B, _ any, encoded []byte) {
		for b.Loop() {
			if _, _, err := fressian.Decode(encoded); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	benchEach(b, func(b *testing.B, v any, encoded []byte) {
		buf := encoded
		var err error
		for b.Loop() {
			if buf, err = fressian.Append(buf[:0], v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
