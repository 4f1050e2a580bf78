package verify

import (
	"errors"
	"fmt"

	"dclone"
	"dclone/eidmap"
	"dclone/fit"
)

// A translator puts the source's datoms in the clone's terms.
type translator struct {
	m   *eidmap.Map
	fit *fit.Fit

	last struct {
		src, clone dclone.EntityID
		ok         bool
	}
	ref    func(dclone.EntityID) (dclone.EntityID, error)
	failed error // of the map
}

func newTranslator(m *eidmap.Map, f *fit.Fit) *translator {
	t := &translator{m: m, fit: f}
	t.last.src = -1
	t.ref = func(src dclone.EntityID) (dclone.EntityID, error) {
		e, ok, err := t.entity(src)
		if t.failed = err; err == nil && !ok {
			err = errUnmapped
		}
		return e, err
	}
	return t
}

var errUnmapped = errors.New("an entity has no clone")

// entity returns the clone of an entity, if it has one.
func (t *translator) entity(src dclone.EntityID) (dclone.EntityID, bool, error) {
	if e, ok := t.fit.Builtin(src); ok {
		return e, true, nil
	}
	return t.m.Clone(src)
}

// subject is entity for the entities of datoms, of which many in a row are the same.
func (t *translator) subject(src dclone.EntityID) (dclone.EntityID, bool, error) {
	if src == t.last.src {
		return t.last.clone, t.last.ok, nil
	}
	e, ok, err := t.entity(src)
	if err == nil {
		t.last.src, t.last.clone, t.last.ok = src, e, ok
	}
	return e, ok, err
}

// value appends a value as the clone should have it, if all it refers to has a clone.
func (t *translator) value(dst []byte, v dclone.Value, refs dclone.Refs) (out []byte, ok bool, err error) {
	if refs == dclone.NoRefs {
		return append(dst, v...), true, nil
	}
	out, err = eidmap.Rewrite(dst, v, refs, t.ref)
	if errors.Is(err, errUnmapped) {
		return dst, false, nil
	}
	if err != nil && t.failed == nil {
		err = dclone.InSource(fmt.Errorf("translate a ref: %w", err))
	}
	if err != nil {
		return dst, false, err
	}
	return out, true, nil
}
