package eidmap

import (
	"fmt"

	"dclone"
	"dclone/fressian"
)

// Fressian's codes for the list a tuple is stored as.
const (
	codeNil       = 0xf7
	codeShortList = 0xe4 // plus the length, below 8
	codeList      = 0xec // the length follows as an int
)

// EachRef calls f with every entity id in v.
func EachRef(v dclone.Value, refs dclone.Refs, f func(dclone.EntityID)) error {
	_, err := Rewrite(nil, v, refs, func(e dclone.EntityID) (dclone.EntityID, error) {
		f(e)
		return e, nil
	})
	return err
}

// Rewrite appends v to dst with every entity id in it replaced by what to gives for it.
func Rewrite(dst []byte, v dclone.Value, refs dclone.Refs, to func(dclone.EntityID) (dclone.EntityID, error)) ([]byte, error) {
	switch {
	case refs == dclone.NoRefs:
		return append(dst, v...), nil
	case refs == dclone.WholeRef:
		dst, n, err := rewriteID(dst, v, to)
		if err == nil && n != len(v) {
			err = fmt.Errorf("read ref: %d bytes behind it", len(v)-n)
		}
		return dst, err
	}
	n, head, err := tupleLen(v)
	if err != nil {
		return dst, err
	}
	dst = append(dst, v[:head]...)
	rest := v[head:]
	for i := range n {
		size, err := fressian.Skip(rest)
		if err != nil {
			return dst, fmt.Errorf("read tuple element %d: %w", i, err)
		}
		if refs.Element(i) && rest[0] != codeNil {
			if dst, _, err = rewriteID(dst, rest[:size], to); err != nil {
				return dst, err
			}
		} else {
			dst = append(dst, rest[:size]...)
		}
		rest = rest[size:]
	}
	if len(rest) > 0 {
		return dst, fmt.Errorf("read tuple: %d bytes behind it", len(rest))
	}
	return dst, nil
}

func rewriteID(dst, v []byte, to func(dclone.EntityID) (dclone.EntityID, error)) ([]byte, int, error) {
	id, n, ok := fressian.Int(v)
	if !ok || id < 0 {
		return dst, 0, fmt.Errorf("read ref: it is not an entity id")
	}
	e, err := to(dclone.EntityID(id))
	if err != nil {
		return dst, 0, err
	}
	return fressian.AppendInt(dst, int64(e)), n, nil
}

// tupleLen returns the number of a tuple's elements, and the length of its head in bytes.
func tupleLen(v []byte) (n, head int, err error) {
	if len(v) > 0 && v[0] >= codeShortList && v[0] < codeList {
		return int(v[0] - codeShortList), 1, nil
	}
	if len(v) > 1 && v[0] == codeList {
		if count, size, ok := fressian.Int(v[1:]); ok && count >= 0 && count <= int64(len(v)) {
			return int(count), 1 + size, nil
		}
	}
	return 0, 0, fmt.Errorf("read tuple: it is no list")
}
