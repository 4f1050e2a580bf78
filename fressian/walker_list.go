package fressian

import "math"

// Items are the elements of a list that a Walker is within.
type Items struct {
	offset int
	left   int64
	open   bool // the end of the input ends it too
}

// Left returns how many elements are left, or -1 where only the end of the list will tell.
func (i *Items) Left() int { return int(i.left) }

// Items reads the head of a list, or of an array of objects. The caller reads its elements while
// More says that there are some.
func (w *Walker) Items() Items {
	if c, ok := w.code(); !ok || !isList(c) && c != codeObjects {
		if ok {
			w.fail(bad(w.off, "code %02X where a list belongs", c))
		}
		return Items{}
	}
	return w.items()
}

// Map reads the head of a map, whose items are its keys and values by turns.
func (w *Walker) Map() Items {
	if c, ok := w.code(); !ok || c != codeMap {
		if ok {
			w.fail(bad(w.off, "code %02X where a map belongs", c))
		}
		return Items{}
	}
	w.off++
	return w.Items()
}

// items enters a list or array of objects, which must be next.
func (w *Walker) items() Items {
	i := Items{offset: w.off, left: unknown}
	c := w.b[w.off]
	w.off++
	switch {
	case c >= codeList0 && c < codeList:
		i.left = int64(c - codeList0)
	case c == codeList:
		i.left = w.count(i.offset, "list")
	case c == codeObjects:
		i.left = w.count(i.offset, "array")
	}
	i.open = c == codeOpenList
	i.left = w.fits(i.offset, i.left, "list", "elements")
	w.enter(i.offset)
	return i
}

// More reports whether another element of i follows, and reads its end where none does. It reports
// false after an error.
func (w *Walker) More(i *Items) bool {
	switch {
	case w.err != nil:
		return false
	case i.left > 0:
		i.left--
		return true
	case i.left == 0:
	case w.off < len(w.b) && w.b[w.off] == codeEnd:
		w.off++
	case w.off == len(w.b) && !i.open:
		w.fail(short(i.offset, "list without its end"))
		return false
	case w.off < len(w.b):
		return true
	}
	w.leave()
	return false
}

// Longs reads an array of longs and appends them to dst.
func (w *Walker) Longs(dst []int64) []int64 {
	return walkArray(w, codeLongs, dst, w.Int)
}

// Ints reads an array of ints and appends them to dst.
func (w *Walker) Ints(dst []int32) []int32 {
	return walkArray(w, codeInts, dst, func() int32 {
		offset := w.off
		v := w.Int()
		if v < math.MinInt32 || v > math.MaxInt32 {
			w.fail(bad(offset, "int %d in an int array", v))
			return 0
		}
		return int32(v)
	})
}

// Bools reads an array of booleans and appends them to dst.
func (w *Walker) Bools(dst []bool) []bool {
	return walkArray(w, codeBools, dst, w.Bool)
}

func walkArray[T any](w *Walker, array byte, dst []T, element func() T) []T {
	c, ok := w.code()
	if ok && c != array {
		w.fail(bad(w.off, "code %02X where an array %02X belongs", c, array))
	}
	if w.err != nil {
		return dst
	}
	offset := w.off
	w.off++
	n := w.fits(offset, w.count(offset, "array"), "array", "elements")
	if dst == nil {
		dst = make([]T, 0, min(n, trustedArray))
	}
	for range n {
		v := element()
		if w.err != nil {
			break
		}
		dst = append(dst, v)
	}
	return dst
}

// trustedArray is how many elements of an array are allocated because a count says so.
const trustedArray = 8192
