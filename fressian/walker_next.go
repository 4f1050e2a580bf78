package fressian

// A Shape is what kind of value a Walker has before it, as far as readers of nodes need to know.
type Shape int

// The shapes.
const (
	IsOther Shape = iota
	IsMap
	IsList
	IsStruct // of no builtin type
)

// Next returns what follows: IsMap, IsList, IsStruct or IsOther. It reads nothing but marks.
func (w *Walker) Next() Shape {
	w.marks()
	switch {
	case w.off == len(w.b):
		return IsOther
	case w.b[w.off] == codeMap:
		return IsMap
	case isList(w.b[w.off]):
		return IsList
	case isType(w.b[w.off]):
		return IsStruct
	}
	return IsOther
}
