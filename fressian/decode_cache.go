package fressian

// put reads a value to be cached. It takes its index before those inside it take theirs.
func (d *Decoder) put() (any, error) {
	offset, index := d.off-1, len(d.refs)
	d.refs = append(d.refs, ref{})
	begin, deepest := d.off+d.shared, d.deepest
	c, err := d.code()
	switch {
	case err != nil:
		return nil, err
	case c == codePut:
		// No writer does this, and it would nest without a struct or list to count.
		return nil, bad(offset, "cached twice")
	}
	d.deepest = d.depth
	v, err := d.rest(c)
	if err != nil {
		return nil, err
	}
	if index >= len(d.refs) {
		return nil, bad(offset, "caches emptied within a cached value")
	}
	d.refs[index] = ref{value: v, size: d.off + d.shared - begin, height: d.deepest - d.depth, whole: true}
	d.deepest = max(d.deepest, deepest)
	return v, nil
}

// farRef reads a reference whose index did not fit in its code.
func (d *Decoder) farRef() (any, error) {
	offset := d.off - 1
	index, err := d.count(offset, "reference")
	if err != nil {
		return nil, err
	}
	return d.lookup(offset, index)
}

// lookup returns the cached value that the reference at offset means.
func (d *Decoder) lookup(offset int, index int64) (any, error) {
	if index >= int64(len(d.refs)) {
		return nil, bad(offset, "reference to cached value %d of %d", index, len(d.refs))
	}
	r := d.refs[index]
	d.shared += r.size
	switch {
	case !r.whole:
		return nil, bad(offset, "reference to cached value %d within itself", index)
	case d.depth+r.height > MaxDepth:
		return nil, bad(offset, "nested deeper than %d", MaxDepth)
	case d.shared > sharedFloor+sharedFactor*len(d.b):
		return nil, bad(offset, "references stand for more than %d bytes", d.shared-r.size)
	}
	d.deepest = max(d.deepest, d.depth+r.height)
	return r.value, nil
}

// structHead reads the type of a struct.
func (d *Decoder) structHead() (structType, error) {
	c, err := d.code()
	if err != nil {
		return structType{}, err
	}
	if !isType(c) {
		return structType{}, bad(d.off-1, "code %02X where a struct belongs", c)
	}
	return d.structType(c)
}

// structType reads the type of a struct whose code c has just been read.
func (d *Decoder) structType(c byte) (structType, error) {
	offset := d.off - 1
	if c == codeStruct {
		return d.newType(offset)
	}
	index := int64(c) - codeType0
	if c == codeType {
		var err error
		if index, err = d.count(offset, "struct"); err != nil {
			return structType{}, err
		}
	}
	if index >= int64(len(d.types)) {
		return structType{}, bad(offset, "reference to struct type %d of %d", index, len(d.types))
	}
	return d.types[index], nil
}

// newType reads a type in full. Its fields are counted against what is left where they are read:
// a later struct may be of this type too.
func (d *Decoder) newType(offset int) (structType, error) {
	tag, err := d.string()
	if err != nil {
		return structType{}, err
	}
	fields, err := d.countValues(offset, "struct", "fields")
	if err != nil {
		return structType{}, err
	}
	t := structType{tag, int(fields)}
	d.types = append(d.types, t)
	return t, nil
}
