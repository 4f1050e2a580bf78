package pro

import (
	"cmp"
	"iter"
	"slices"
	"sync"

	"dclone"
)

// A stream is some of the datoms of one attribute, in the order of a tree, in slices. They are not
// overwritten, however long they are held.
type stream = iter.Seq2[[]dclone.Datom, error]

// A cursor walks a stream.
type cursor struct {
	next func() ([]dclone.Datom, error, bool)
	stop func()
	all  []dclone.Datom // what is left of the present slice; its head is where the cursor is
}

// cursors returns one on each stream that has datoms. Whatever it returns is to be stopped. The
// streams are begun all at once, because each has to wait for its first segment.
func cursors(streams []stream) ([]*cursor, error) {
	cs := make([]*cursor, len(streams))
	errs := make([]error, len(streams))
	var begun sync.WaitGroup
	for i, s := range streams {
		cs[i] = &cursor{}
		cs[i].next, cs[i].stop = iter.Pull2(s)
		if len(streams) == 1 {
			errs[i] = cs[i].fill()
		} else {
			begun.Go(func() { errs[i] = cs[i].fill() })
		}
	}
	begun.Wait()
	if err := cmp.Or(errs...); err != nil {
		return cs, err
	}
	return slices.DeleteFunc(cs, func(c *cursor) bool {
		if len(c.all) == 0 {
			c.stop()
		}
		return len(c.all) == 0
	}), nil
}

func stopAll(cs []*cursor) {
	for _, c := range cs {
		c.stop()
	}
}

// fill gets the next slice that is not empty, none at the end.
func (c *cursor) fill() error {
	for c.all = nil; len(c.all) == 0; {
		all, err, ok := c.next()
		if err != nil || !ok {
			return err
		}
		c.all = all
	}
	return nil
}

// advance moves to the next datom.
func (c *cursor) advance() error {
	if c.all = c.all[1:]; len(c.all) > 0 {
		return nil
	}
	return c.fill()
}

// sorted puts what a stream has of one entity in order, for attributes whose values a tree may
// have in another.
func sorted(s stream) stream {
	return func(yield func([]dclone.Datom, error) bool) {
		var open []dclone.Datom // of the entity that may have more
		for all, err := range s {
			if err != nil {
				yield(nil, err)
				return
			}
			open = append(open, all...)
			from := len(open) - 1
			for from > 0 && open[from-1].E == open[from].E {
				from--
			}
			if from == 0 {
				continue
			}
			if !yield(sortEntities(open[:from:from]), nil) {
				return
			}
			open = slices.Clone(open[from:])
		}
		if len(open) > 0 {
			yield(sortEntities(open), nil)
		}
	}
}

func sortEntities(all []dclone.Datom) []dclone.Datom {
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].E == all[from].E {
			to++
		}
		if to-from > 1 {
			slices.SortStableFunc(all[from:to], inTree)
		}
		from = to
	}
	return all
}
