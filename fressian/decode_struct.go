package fressian

import (
	"math"
	"math/big"

	"dclone"

	"github.com/google/uuid"
)

// tagged reads a struct whose code c has just been read.
func (d *Decoder) tagged(c byte) (any, error) {
	offset := d.off - 1
	if err := d.enter(offset); err != nil {
		return nil, err
	}
	t, err := d.structType(c)
	if err != nil {
		return nil, err
	}
	if c, ok := tagCodes[t.tag]; ok {
		return d.spelledOut(offset, t, c)
	}
	if err := d.fits(offset, int64(t.fields), "struct", "fields"); err != nil {
		return nil, err
	}
	fields, err := d.values(int64(t.fields))
	if err != nil {
		return nil, err
	}
	d.leave()
	return Tagged{t.tag, fields}, nil
}

// spelledOut reads a struct whose tag has the code c, though it was written without it. For an
// array that is refused: its length would be told twice, by the type and by its first field.
func (d *Decoder) spelledOut(offset int, t structType, c byte) (any, error) {
	if want := builtinFields(c); t.fields != want || want == 0 {
		return nil, bad(offset, "struct %q of %d fields", t.tag, t.fields)
	}
	d.leave() // builtin enters again
	return d.builtin(c)
}

// builtin reads a struct that is no array, whose code c has just been read.
func (d *Decoder) builtin(c byte) (v any, err error) {
	offset := d.off - 1
	if err := d.enter(offset); err != nil {
		return nil, err
	}
	switch c {
	case codeKey:
		v, err = d.named()
	case codeSym:
		var k dclone.Keyword
		k, err = d.named()
		v = dclone.Symbol(k)
	case codeInst:
		var ms int64
		ms, err = d.int()
		v = dclone.Instant(ms)
	case codeUUID:
		v, err = d.uuid(offset)
	case codeBigInt:
		v, err = d.bigInt(offset)
	case codeBigDec:
		v, err = d.bigDec(offset)
	default:
		v, err = d.wrapper(offset, c)
	}
	if err != nil {
		return nil, err
	}
	d.leave()
	return v, nil
}

// wrapper reads the builtin structs of one field that say how to take a string or list.
func (d *Decoder) wrapper(offset int, c byte) (any, error) {
	switch c {
	case codeURI:
		s, err := d.string()
		return dclone.URI(s), err
	case codeRegex:
		s, err := d.string()
		return Regex(s), err
	case codeSet:
		items, err := as[[]any](d, "a list")
		return Set(items), err
	}
	items, err := as[[]any](d, "a list")
	if len(items)%2 != 0 {
		return nil, bad(offset, "map of a list of %d", len(items))
	}
	m := make(Map, len(items)/2)
	for i := range m {
		m[i] = Entry{items[2*i], items[2*i+1]}
	}
	return m, err
}

// named reads the namespace and name of a keyword or symbol. No namespace and an empty one differ.
func (d *Decoder) named() (k dclone.Keyword, err error) {
	offset := d.off
	v, err := d.value()
	if err != nil {
		return k, err
	}
	switch v := v.(type) {
	case nil:
	case string:
		k.Namespace, k.EmptyNamespace = v, v == ""
	default:
		return k, bad(offset, "%T where a namespace belongs", v)
	}
	k.Name, err = d.string()
	return k, err
}

func (d *Decoder) uuid(offset int) (id uuid.UUID, err error) {
	b, err := d.byteString()
	if err != nil {
		return id, err
	}
	if len(b) != len(id) {
		return id, bad(offset, "uuid of %d bytes", len(b))
	}
	return uuid.UUID(b), nil
}

func (d *Decoder) bigInt(offset int) (*big.Int, error) {
	b, err := d.byteString()
	if err != nil {
		return nil, err
	}
	if len(b) == 0 {
		return nil, bad(offset, "number of no bytes")
	}
	return bigInt(b), nil
}

func (d *Decoder) bigDec(offset int) (v dclone.Decimal, err error) {
	if v.Unscaled, err = d.bigInt(offset); err != nil {
		return v, err
	}
	scale, err := d.int()
	if err != nil {
		return v, err
	}
	if scale < math.MinInt32 || scale > math.MaxInt32 {
		return v, bad(offset, "bigdec with scale %d", scale)
	}
	v.Scale = int32(scale)
	return v, nil
}
