package edn

import "dclone"

// A Vector is what brackets hold.
type Vector []any

// A List is what parentheses hold.
type List []any

// A Set is what #{} holds: no two elements are [Equal], and they keep their order.
type Set []any

// Contains reports whether an element of s is [Equal] to v.
func (s Set) Contains(v any) bool {
	for _, e := range s {
		if Equal(e, v) {
			return true
		}
	}
	return false
}

// A Map is what braces hold: no two keys are [Equal], and the entries keep their order.
type Map []Entry

// An Entry is one key of a Map and its value.
type Entry struct{ Key, Value any }

// Get returns the value of key, and whether the map has that key. It looks at one entry after
// another.
func (m Map) Get(key any) (any, bool) {
	for _, e := range m {
		if Equal(e.Key, key) {
			return e.Value, true
		}
	}
	return nil, false
}

// A Tagged is an element with a tag this package does not know.
type Tagged struct {
	Tag   dclone.Symbol
	Value any
}

// A Char is one character. Clojure's are UTF-16 units; it cannot read one above U+FFFF.
type Char rune
