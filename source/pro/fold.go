package pro

import (
	"slices"

	"dclone"
)

// sliceLen is how many datoms Current and History yield at a time, or a few more.
const sliceLen = 512

// gather calls do with all that streams have of one key after the other: same says what is of one
// key, least in which order they come.
func gather(streams []stream, least func(x, y *dclone.Datom) int, do func(group []dclone.Datom) bool) error {
	cs, err := cursors(streams)
	defer func() { stopAll(cs) }()
	var group []dclone.Datom
	for err == nil && len(cs) > 0 {
		first := &cs[0].all[0]
		for _, c := range cs[1:] {
			if least(&c.all[0], first) < 0 {
				first = &c.all[0]
			}
		}
		key := *first
		group = group[:0]
		for i := 0; i < len(cs) && err == nil; i++ {
			c := cs[i]
			for err == nil && len(c.all) > 0 && least(&c.all[0], &key) == 0 {
				group = append(group, c.all[0])
				err = c.advance()
			}
			if err == nil && len(c.all) == 0 {
				c.stop()
				cs = slices.Delete(cs, i, i+1)
				i--
			}
		}
		if err == nil && !do(group) {
			return nil
		}
	}
	return err
}

// byValue orders datoms of one attribute by entity and value.
func byValue(x, y *dclone.Datom) int {
	switch {
	case x.E < y.E:
		return -1
	case x.E > y.E:
		return 1
	}
	return compare(x.V, y.V)
}

// byEntity orders them by entity.
func byEntity(x, y *dclone.Datom) int {
	switch {
	case x.E < y.E:
		return -1
	case x.E > y.E:
		return 1
	}
	return 0
}

// holds returns the datom that says, as of tx, that a value holds. The group is all there is of
// one entity and value.
func holds(group []dclone.Datom, tx dclone.EntityID) (d dclone.Datom, ok bool) {
	if len(group) == 1 {
		return group[0], group[0].Added && group[0].Tx <= tx
	}
	slices.SortFunc(group, inTime)
	for _, x := range group {
		switch {
		case x.Tx > tx:
			return d, ok
		case !x.Added:
			ok = false
		case !ok:
			d, ok = x, true
		}
	}
	return d, ok
}

// upTo returns an entity's datoms as of tx, in the order they came about, each once.
func upTo(group []dclone.Datom, tx dclone.EntityID) []dclone.Datom {
	group = slices.DeleteFunc(group, func(d dclone.Datom) bool { return d.Tx > tx })
	slices.SortFunc(group, inTime)
	return slices.CompactFunc(group, func(x, y dclone.Datom) bool { return inTime(x, y) == 0 })
}
