package fressian

import "slices"

// few is how many keys a cache searches without a map. Most values that stand alone need no more.
const few = 16

// A cache numbers keys in the order they come.
type cache[K comparable] struct {
	keys  []K
	index map[K]int // of all keys, once there are more than a few
}

// intern returns the index of k, giving it the next one where it is new.
func (c *cache[K]) intern(k K) (index int, known bool) {
	if index, known = c.find(k); known {
		return index, true
	}
	index = len(c.keys)
	c.keys = append(c.keys, k)
	switch {
	case c.index != nil:
		c.index[k] = index
	case len(c.keys) > few:
		c.index = make(map[K]int, 2*len(c.keys))
		for i, k := range c.keys {
			c.index[k] = i
		}
	}
	return index, false
}

func (c *cache[K]) find(k K) (index int, known bool) {
	if c.index != nil {
		index, known = c.index[k]
		return index, known
	}
	index = slices.Index(c.keys, k)
	return index, index >= 0
}

// cut forgets all but the first n keys.
func (c *cache[K]) cut(n int) {
	if c.index != nil {
		for _, k := range c.keys[n:] {
			delete(c.index, k)
		}
	}
	clear(c.keys[n:]) // let the collector have their strings
	c.keys = c.keys[:n]
}

// A refKey names a value in the priority cache: a string by its text, and anything else by its
// encoding without caches.
type refKey struct {
	text  bool
	value string
}

// A structType is a struct tag with its number of fields.
type structType struct {
	tag    string
	fields int
}

// cached writes v through the priority cache. A value takes its index before those inside it.
func (e *Encoder) cached(v any) error {
	for again, ok := v.(Cached); ok; again, ok = v.(Cached) {
		v = again.Value
	}
	if s, ok := v.(string); ok {
		return e.cachedText(s)
	}
	if e.plain || tooShortToCache(v) {
		return e.value(v)
	}
	key := Encoder{plain: true, depth: e.depth}
	if err := key.value(v); err != nil {
		return err
	}
	if index, known := e.refs.intern(refKey{value: string(key.buf)}); known {
		e.ref(index)
		return nil
	}
	e.code(codePut)
	return e.value(v)
}

func (e *Encoder) cachedText(s string) error {
	if e.plain || s == "" {
		return e.text(s)
	}
	if index, known := e.refs.intern(refKey{text: true, value: s}); known {
		e.ref(index)
		return nil
	}
	e.code(codePut)
	return e.text(s)
}

// tooShortToCache reports whether v is written in full each time, because a reference would save
// a byte at most.
func tooShortToCache(v any) bool {
	switch v := v.(type) {
	case nil, bool:
		return true
	case int64:
		return SizeInt(v) <= 2
	case float64:
		return v == 0 || v == 1
	}
	return false
}

func (e *Encoder) ref(index int) {
	if index < packedRefs {
		e.code(codeRef0 + byte(index))
		return
	}
	e.code(codeRef)
	e.int(int64(index))
}
