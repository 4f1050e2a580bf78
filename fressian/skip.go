package fressian

// fixedSize holds, by code, the whole length of values that have one; 0 for the others.
var fixedSize = fixedSizes()

func fixedSizes() (size [256]uint8) {
	fill := func(from, to, n int) {
		for c := from; c <= to; c++ {
			size[c] = uint8(n)
		}
	}
	for i, end := range []int{codeInt2, codeInt3, codeInt4, codeInt5, codeInt6, codeInt7, codeRef0} {
		from := []int{codeInt1, codeInt2, codeInt3, codeInt4, codeInt5, codeInt6, codeInt7}[i]
		fill(from, end-1, i+1)
	}
	for n := range packed {
		size[codeBytes0+n] = uint8(1 + n)
		size[codeText0+n] = uint8(1 + n)
	}
	fill(codeRef0, codeType0-1, 1)
	fill(codeTrue, codeNull, 1)
	fill(codeDouble0, codeDouble1, 1)
	size[codeMinus1] = 1
	size[codeInt] = 9
	size[codeDouble] = 9
	size[codeFloat] = 5
	return size
}

// Skip returns how many bytes the value at the head of b takes. It does not need what went before
// that value. It looks at no more than it must: what it measures, a Decoder may still refuse.
func Skip(b []byte) (n int, err error) {
	if len(b) > 0 {
		if n := int(fixedSize[b[0]]); n > 0 && n <= len(b) {
			return n, nil
		}
	}
	d := Decoder{b: b}
	if err := d.skip(); err != nil {
		return 0, err
	}
	return d.off, nil
}

func (d *Decoder) skip() error {
	c, err := d.code()
	for err == nil && c == codePut {
		c, err = d.code()
	}
	switch {
	case err != nil:
		return err
	case fixedSize[c] > 0:
		_, err = d.take(d.off-1, int64(fixedSize[c])-1, "value")
		return err
	case isText(c):
		return d.skipRuns(c, codeText0, isText)
	case isBytes(c):
		return d.skipRuns(c, codeBytes0, isLongBytes)
	case isList(c):
		return d.skipList(c)
	case c == codeRef:
		_, err = d.count(d.off-1, "reference")
		return err
	}
	return d.skipStruct(c)
}

// skipRuns skips a string or bytes, of which c is the first code. Every run but the last is a
// chunk, and only codes that follow holds for may come after one.
func (d *Decoder) skipRuns(c, code0 byte, follow func(byte) bool) error {
	for {
		if _, err := d.run(c, code0, "run"); err != nil {
			return err
		}
		if c != codeTextChunk && c != codeBytesChunk {
			return nil
		}
		var err error
		if c, err = d.nextChunk("run"); err != nil {
			return err
		}
		if !follow(c) {
			return bad(d.off-1, "code %02X after a chunk", c)
		}
	}
}

func (d *Decoder) skipList(c byte) error {
	l, err := d.beginList(c)
	for err == nil && d.more(&l, &err) {
		err = d.skip()
	}
	d.leave()
	return err
}

func (d *Decoder) skipStruct(c byte) error {
	offset := d.off - 1
	if err := d.enter(offset); err != nil {
		return err
	}
	n, err := d.skipFields(offset, c)
	if err == nil {
		err = d.fits(offset, n, "struct", "fields")
	}
	for ; err == nil && n > 0; n-- {
		err = d.skip()
	}
	d.leave()
	return err
}

// skipFields returns how many values follow the head of a struct, whose code is c. A type it
// meets is kept without its tag.
func (d *Decoder) skipFields(offset int, c byte) (int64, error) {
	switch {
	case isArray(c):
		return d.countValues(offset, "array", "elements")
	case builtinFields(c) > 0:
		return int64(builtinFields(c)), nil
	case c == codeStruct:
		if err := d.skip(); err != nil {
			return 0, err
		}
		n, err := d.countValues(offset, "struct", "fields")
		d.types = append(d.types, structType{fields: int(n)})
		return n, err
	case isType(c):
		t, err := d.structType(c)
		return int64(t.fields), err
	}
	return 0, d.notAValue(c)
}
