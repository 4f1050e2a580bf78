package fressian

// A listState is a list being read: how many elements are left, or, where only its end will tell,
// unknown.
type listState struct {
	offset int
	left   int64
	open   bool // the end of the input ends it too
}

const unknown = -1

// List reads a list in any form without keeping it. It calls element where an element begins, and
// element must read that one value.
func (d *Decoder) List(element func() error) error {
	_, err := read(d, func() (none any, err error) {
		c, err := d.code()
		if err != nil {
			return nil, err
		}
		if !isList(c) {
			return nil, bad(d.off-1, "code %02X where a list belongs", c)
		}
		l, err := d.beginList(c)
		for err == nil && d.more(&l, &err) {
			err = element()
		}
		d.leave()
		return nil, err
	})
	return err
}

func (d *Decoder) list(c byte) ([]any, error) {
	l, err := d.beginList(c)
	if err != nil {
		return nil, err
	}
	items := make([]any, 0, min(max(l.left, 0), trusted))
	for d.more(&l, &err) {
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	d.leave()
	return items, err
}

// beginList enters a list whose code c has just been read.
func (d *Decoder) beginList(c byte) (l listState, err error) {
	l = listState{offset: d.off - 1, left: unknown, open: c == codeOpenList}
	if err := d.enter(l.offset); err != nil {
		return l, err
	}
	switch {
	case c < codeList:
		l.left = int64(c - codeList0)
	case c == codeList:
		l.left, err = d.count(l.offset, "list")
	}
	if err != nil {
		return l, err
	}
	return l, d.fits(l.offset, l.left, "list", "elements")
}

// more reports whether another element follows, and reads the end of the list where none does.
func (d *Decoder) more(l *listState, err *error) bool {
	switch {
	case l.left > 0:
		l.left--
		return true
	case l.left == 0:
		return false
	case d.off < len(d.b) && d.b[d.off] == codeEnd:
		d.off++
		return false
	case d.off == len(d.b):
		if !l.open {
			*err = short(l.offset, "list without its end")
		}
		return false
	}
	return true
}
