package fressian

// Value reads any value and returns the bytes of one that stands alone and is the same. They are
// those of the input where it uses no caches; a keyword or symbol has always the form that Append
// gives it. What has to be written anew is appended to spare, which is returned too: v may alias it.
func (w *Walker) Value(spare []byte) (v, rest []byte) {
	w.marks()
	if w.off < len(w.b) {
		c := w.b[w.off]
		if n := int(fixedSize[c]); n > 0 && n <= len(w.b)-w.off && !isRef(c) {
			w.off += n
			return w.b[w.off-n : w.off : w.off], spare
		}
	}
	from, resets, index := w.off, w.resets, len(w.refs)
	w.shared = false
	w.skip()
	switch {
	case w.err != nil:
		return nil, spare
	case w.resets != resets:
		w.fail(bad(from, "caches emptied within a value"))
		return nil, spare
	case !w.shared:
		return w.b[from:w.off:w.off], spare
	}
	if s := w.cachedWhole(from, index); s.plain {
		return w.b[s.from:s.to:s.to], spare
	}
	return w.standAlone(from, spare)
}

// cachedWhole returns the cached value that the value at from, which has been skipped, is a
// reference to, or would have been cached as at index.
func (w *Walker) cachedWhole(from, index int) (s stretch) {
	switch c := w.b[from]; {
	case c == codePut:
		return w.refs[index]
	case isRef(c):
		end := w.off
		w.off = from
		s = w.lookup()
		w.off = end
	}
	return s
}

// Skip reads any value.
func (w *Walker) Skip() { w.skip() }

func (w *Walker) skip() {
	c, ok := w.code()
	switch {
	case !ok:
	case isRef(c):
		w.lookup()
	case fixedSize[c] > 0:
		w.take(w.off, int64(fixedSize[c]), "value")
	case isText(c):
		w.skipRuns(isText)
	case isBytes(c):
		w.skipRuns(isLongBytes)
	case isList(c) || c == codeObjects:
		for i := w.items(); w.More(&i); {
			w.skip()
		}
	case c == codePut:
		p := w.put()
		w.skip()
		w.settle(p)
	default:
		w.skipStruct(c)
	}
}

// skipRuns skips a string or bytes. Only codes that follow holds for may come after a chunk.
func (w *Walker) skipRuns(follow func(byte) bool) {
	for {
		offset, c := w.off, w.b[w.off]
		if n := int64(fixedSize[c]); n > 0 {
			w.take(offset, n, "run")
			return
		}
		w.off++
		w.take(offset, w.count(offset, "run"), "run")
		switch {
		case w.err != nil || c != codeTextChunk && c != codeBytesChunk:
			return
		case w.off == len(w.b):
			w.fail(short(w.off, "nothing after a chunk"))
			return
		case !follow(w.b[w.off]):
			w.fail(bad(w.off, "code %02X after a chunk", w.b[w.off]))
			return
		}
	}
}

func (w *Walker) skipStruct(c byte) {
	w.enter(w.off)
	for n := w.fields(c); n > 0 && w.err == nil; n-- {
		w.skip()
	}
	w.leave()
}

// fields reads the head of a struct, builtin or not, or of an array, and returns how many values
// follow it.
func (w *Walker) fields(c byte) int64 {
	offset := w.off
	switch {
	case w.err != nil:
		return 0
	case isType(c):
		return w.fits(offset, int64(w.structType().fields), "struct", "fields")
	case isArray(c):
		w.off++
		return w.fits(offset, w.count(offset, "array"), "array", "elements")
	case builtinFields(c) > 0:
		w.off++
		w.shared = w.shared || c == codeKey || c == codeSym
		return int64(builtinFields(c))
	case c == codeEnd:
		w.fail(bad(offset, "end of a list where a value belongs"))
		return 0
	}
	w.fail(bad(offset, "code %02X begins no value", c))
	return 0
}
