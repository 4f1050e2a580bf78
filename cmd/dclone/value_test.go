package main

import (
	"testing"

	"dclone"
	"dclone/edn"
	"dclone/fressian"
)

// What no notation of EDN is for is written too, whatever a database holds.
func TestNotation(t *testing.T) {
	kw := func(name string) dclone.Keyword { return dclone.Kw("", name) }
	for _, c := range []struct {
		v    any
		want string
	}{
		{int64(7), "7"},
		{[]byte{0, 0xff}, `#bytes "00ff"`},
		{[]any{int64(1), nil, []any{"x"}}, `[1 nil ["x"]]`},
		{fressian.Objects{int64(1)}, "[1]"},
		{fressian.Set{int64(1), "x"}, `#{1 "x"}`},
		{fressian.Map{{Key: kw("a"), Value: fressian.Set{}}}, "{:a #{}}"},
		{fressian.Regex(`a\d`), `#regex "a\\d"`},
		{fressian.Tagged{Tag: "datomic/fn", Fields: []any{fressian.Map{{Key: kw("lang"), Value: kw("java")}}}}, "#db/fn {:lang :java}"},
		{fressian.Tagged{Tag: "dbid", Fields: []any{int64(3), fressian.Regex("x")}}, `#fressian/struct ["dbid" 3 #regex "x"]`},
		{[]int64{1, 2}, "[1 2]"},
		{[]int32{1, 2}, "[1 2]"},
		{[]float64{1.5}, "[1.5]"},
		{[]float32{1.5}, "[1.5]"},
		{[]bool{true}, "[true]"},
	} {
		if got := string(edn.Append(nil, notation(c.v))); got != c.want {
			t.Errorf("%#v: %s, want %s", c.v, got, c.want)
		}
		b, err := fressian.Append(nil, c.v)
		if err != nil {
			t.Fatal(err)
		}
		v, err := value(dclone.Datom{V: b})
		if err != nil || string(edn.Append(nil, v)) != c.want {
			t.Errorf("%#v: %v, %v", c.v, v, err)
		}
	}
	if _, err := value(dclone.Datom{V: []byte{0xfd}}); err == nil {
		t.Error("an end of a list is a value")
	}
}

func FuzzNotation(f *testing.F) {
	f.Add([]byte{0xc0, 0xe6, 0x01, 0x02})
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := value(dclone.Datom{V: b}); err == nil {
			edn.Append(nil, v)
		}
	})
}
