package pro

import (
	"slices"

	"dclone"
)

// sliceLen is how many datoms Current and History yield at a time, or a few more.
const sliceLen = 512

// gather calls do with all that streams have of one key after the other, in the order of least. The
// group is good until do returns.
func gather(streams []stream, least func(x, y *dclone.Datom) int, do func(group []dclone.Datom) bool) error {
	cs, err := cursors(streams)
	defer func() { stopAll(cs) }()
	var group []dclone.Datom
	var key dclone.Datom
	for err == nil && len(cs) > 0 {
		best := cs[0]
		for _, c := range cs[1:] {
			if least(&c.all[0], &best.all[0]) < 0 {
				best = c
			}
		}
		key = best.all[0] // of which no other stream need have any
		group = append(group[:0], key)
		err = best.advance()
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

// upTo returns an entity's datoms as of tx, in the order they came about, each once.
func upTo(group []dclone.Datom, tx dclone.EntityID) []dclone.Datom {
	group = slices.DeleteFunc(group, func(d dclone.Datom) bool { return d.Tx > tx })
	slices.SortFunc(group, inTime)
	return slices.CompactFunc(group, func(x, y dclone.Datom) bool { return inTime(x, y) == 0 })
}
