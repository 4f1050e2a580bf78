package fressian_test

import (
	"fmt"

	"dclone"
	"dclone/fressian"
)

// The worked example of the package comment.
func Example() {
	datum := func(e int64, name string) any {
		return fressian.Tagged{Tag: "datum", Fields: []any{true, e, dclone.Kw("db", name)}}
	}
	b, err := fressian.Append(nil, []any{datum(100, "ident"), datum(1<<42, "doc")})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("% X\n", b)

	v, rest, err := fressian.Decode(b)
	fmt.Println(v, len(rest), err)
	// Output:
	// E6 EF DF 64 61 74 75 6D 03 F5 50 64 CA CD DC 64 62 CD DF 69 64 65 6E 74 A0 F5 7E 04 00 00 00 00 00 CA 80 CD DD 64 6F 63
	// [{datum [true 100 :db/ident]} {datum [true 4398046511104 :db/doc]}] 0 <nil>
}
