package fressian

import (
	"bytes"
	"slices"
)

// alone is a value being written so that it stands alone, with caches of its own.
type alone struct {
	dst   []byte
	texts numbered // namespaces and names so far, as they were written
	types numbered // types of structs, as they were written
}

// numbered numbers byte strings, which it does not copy, in the order they come. It is a cache that
// allocates nothing while there are few.
type numbered struct {
	keys  [][]byte
	index map[string]int // of all keys, once there are more than a few
}

func (n *numbered) reset() { n.keys, n.index = n.keys[:0], nil }

// intern returns the number of key, giving it the next one where it is new.
func (n *numbered) intern(key []byte) (number int, known bool) {
	if n.index != nil {
		number, known = n.index[string(key)]
	} else {
		number = slices.IndexFunc(n.keys, func(k []byte) bool { return bytes.Equal(k, key) })
		known = number >= 0
	}
	if known {
		return number, true
	}
	n.keys = append(n.keys, key)
	if n.index == nil && len(n.keys) > few {
		n.index = make(map[string]int, 2*len(n.keys))
		for i, k := range n.keys {
			n.index[string(k)] = i
		}
	} else if n.index != nil {
		n.index[string(key)] = len(n.keys) - 1
	}
	return len(n.keys) - 1, false
}

// standAlone writes the value that has just been skipped, and began at from, to spare.
func (w *Walker) standAlone(from int, spare []byte) (v, rest []byte) {
	end, start := w.off, len(spare)
	w.alone.dst = spare
	w.alone.texts.reset()
	w.alone.types.reset()
	w.off = from
	w.again++
	w.write(start)
	w.again--
	rest = w.alone.dst
	w.alone.dst = nil
	if w.err != nil {
		return nil, spare
	}
	w.off = end
	w.spent += len(rest) - start
	return rest[start:len(rest):len(rest)], rest
}

// write copies the value at off, without its references, to what began at start.
func (w *Walker) write(start int) {
	c, ok := w.code()
	if !ok {
		return
	}
	if w.spent+len(w.alone.dst)-start > sharedFloor+sharedFactor*w.size {
		w.fail(bad(w.off, "references stand for more than %d bytes", sharedFloor+sharedFactor*w.size))
		return
	}
	from := w.off
	switch {
	case isRef(c):
		from := w.follow()
		w.write(start)
		w.back(from)
	case c == codePut:
		w.off++
		w.write(start)
	case fixedSize[c] > 0 || isText(c) || isBytes(c):
		w.skip()
		w.copyFrom(from)
	case isList(c) || c == codeObjects:
		w.writeItems(start, c)
	case isType(c):
		w.writeStruct(start)
	case c == codeKey || c == codeSym:
		w.off++
		w.copyFrom(from)
		w.writeText(start)
		w.writeText(start)
	default:
		w.writeFields(start, c)
	}
}

// copyFrom copies what was read since from.
func (w *Walker) copyFrom(from int) {
	if w.err == nil {
		w.alone.dst = append(w.alone.dst, w.b[from:w.off]...)
	}
}

func (w *Walker) writeItems(start int, c byte) {
	from := w.off
	i := w.items()
	w.copyFrom(from)
	for w.More(&i) {
		w.write(start)
	}
	if c == codeClosedList || c == codeOpenList {
		w.alone.dst = append(w.alone.dst, codeEnd)
	}
}

// writeFields copies an array, or a builtin struct.
func (w *Walker) writeFields(start int, c byte) {
	from := w.off
	w.enter(from)
	n := w.fields(c)
	w.copyFrom(from)
	for ; n > 0 && w.err == nil; n-- {
		w.write(start)
	}
	w.leave()
}

func (w *Walker) writeStruct(start int) {
	w.enter(w.off)
	t := w.structType()
	a := &w.alone
	spelled := AppendInt(appendRun([]byte{codeStruct}, t.tag), int64(t.fields))
	switch index, known := a.types.intern(spelled); {
	case !known:
		a.dst = append(a.dst, spelled...)
	case index < packedTypes:
		a.dst = append(a.dst, codeType0+byte(index))
	default:
		a.dst = AppendInt(append(a.dst, codeType), int64(index))
	}
	for n := t.fields; n > 0 && w.err == nil; n-- {
		w.write(start)
	}
	w.leave()
}

// appendRun appends CESU-8 as a string, in chunks where it must.
func appendRun(dst, text []byte) []byte {
	e := Encoder{buf: dst}
	e.chunks(text)
	return e.buf
}

// writeText copies a namespace or name through the cache of its own.
func (w *Walker) writeText(start int) {
	text, ok := w.textAt()
	if !ok || len(text) == 1 {
		w.write(start) // nil, "", or what a Decoder will refuse
		return
	}
	w.skip()
	a := &w.alone
	switch index, known := a.texts.intern(text); {
	case !known:
		a.dst = append(append(a.dst, codePut), text...)
	case index < packedRefs:
		a.dst = append(a.dst, codeRef0+byte(index))
	default:
		a.dst = AppendInt(append(a.dst, codeRef), int64(index))
	}
}

// textAt returns the string at off as it is stored, where there is one or a reference to one. It
// reads nothing.
func (w *Walker) textAt() (text []byte, ok bool) {
	at := w.off
	if at < len(w.b) && w.b[at] == codePut {
		w.off++
	}
	s := stretch{from: w.off}
	if w.off < len(w.b) && isRef(w.b[w.off]) {
		s = w.lookup()
		w.off = s.from
	}
	if w.err == nil && w.off < len(w.b) && isText(w.b[w.off]) {
		w.skipRuns(isText)
		ok = w.err == nil
	}
	if !ok {
		if w.err == nil {
			w.off = at
		}
		return nil, false
	}
	text = w.b[s.from:w.off]
	w.off = at
	return text, true
}
