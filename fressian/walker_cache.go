package fressian

func isRef(c byte) bool { return c >= codeRef0 && c < codeType0 || c == codeRef }

// A putting is a value being read that will be cached.
type putting struct {
	offset, index, resets int
}

// put reads the CD before a value to be cached. settle must follow once the value is read.
func (w *Walker) put() putting {
	p := putting{offset: w.off, index: len(w.refs), resets: w.resets}
	w.off++
	w.shared = false
	if w.off < len(w.b) {
		switch w.b[w.off] {
		case codePut:
			w.fail(bad(p.offset, "cached twice"))
		case codeReset, codeFooter:
			w.fail(bad(p.offset, "caches emptied within a cached value"))
		}
	}
	if w.again == 0 {
		w.refs = append(w.refs, stretch{})
	}
	return p
}

func (w *Walker) settle(p putting) {
	plain := !w.shared
	w.shared = true
	switch {
	case w.err != nil || w.again > 0:
		return
	case w.resets != p.resets:
		w.fail(bad(p.offset, "caches emptied within a cached value"))
		return
	}
	s := stretch{p.offset + 1, w.off, plain}
	if end := w.off; isRef(w.b[s.from]) {
		// So that no reference leads to another.
		w.off = s.from
		s = w.lookup()
		w.off = end
	}
	w.refs[p.index] = s
}

// lookup reads a reference and returns the cached value it means.
func (w *Walker) lookup() stretch {
	offset, c := w.off, w.b[w.off]
	w.off++
	w.shared = true
	index := int64(c - codeRef0)
	if c == codeRef {
		index = w.count(offset, "reference")
	}
	switch {
	case w.err != nil:
	case index >= int64(len(w.refs)):
		w.fail(bad(offset, "reference to cached value %d of %d", index, len(w.refs)))
	case w.refs[index].to == 0:
		w.fail(bad(offset, "reference to cached value %d within itself", index))
	default:
		return w.refs[index]
	}
	return stretch{}
}

// follow reads a reference, goes where it leads and returns from where, for back.
func (w *Walker) follow() (from int) {
	s := w.lookup()
	from = w.off
	w.off = s.from
	w.again++
	w.enter(from)
	return from
}

// back goes back to where follow left.
func (w *Walker) back(from int) {
	w.again--
	w.leave()
	if w.err == nil {
		w.off = from
	}
}

// Struct reads the head of a struct of no builtin type. The caller reads its fields.
func (w *Walker) Struct() (tag []byte, fields int) {
	if w.off < len(w.b) {
		if index := int(w.b[w.off]) - codeType0; uint(index) < packedTypes && index < len(w.types) {
			w.off++
			return w.types[index].tag, w.types[index].fields
		}
	}
	c, ok := w.code()
	if ok && !isType(c) {
		w.fail(bad(w.off, "code %02X where a struct belongs", c))
	}
	t := w.structType()
	return t.tag, t.fields
}

// structType reads the type of a struct, which must be next.
func (w *Walker) structType() (t walkedType) {
	if w.err != nil {
		return t
	}
	offset, c := w.off, w.b[w.off]
	w.off++
	w.shared = true
	if c == codeStruct {
		return w.newType(offset)
	}
	index := int64(c) - codeType0
	if c == codeType {
		index = w.count(offset, "struct")
	}
	if w.err == nil && index >= int64(len(w.types)) {
		w.fail(bad(offset, "reference to struct type %d of %d", index, len(w.types)))
	}
	if w.err != nil {
		return t
	}
	return w.types[index]
}

func (w *Walker) newType(offset int) walkedType {
	t := walkedType{tag: w.text()}
	t.fields = int(w.fits(offset, w.count(offset, "struct"), "struct", "fields"))
	if w.again == 0 {
		w.types = append(w.types, t)
	}
	return t
}
