package local

import (
	"cmp"
	"context"

	"dclone"
)

// A giant is records of one entity, too many to be settled in memory.
type giant struct {
	e  dclone.EntityID
	at int64 // in the column
	n  int64
}

// growGiant adds the records at the head of r, the part of the column that begins at an index,
// to the giant that ends there, and returns how many they are.
func (x *columnIndexer) growGiant(r []Record, at int64) int {
	if len(x.giants) == 0 {
		return 0
	}
	g, n := &x.giants[len(x.giants)-1], 0
	if g.at+g.n == at {
		for n < len(r) && r[n].E == g.e {
			n++
		}
	}
	g.n += int64(n)
	return n
}

func (x *columnIndexer) settleGiant(ctx context.Context, g giant) error {
	run := stretch{x.settled.area, x.settled.at + g.at, g.n}
	aevt, at := x.out.to(x.aevt, x.col.start+g.at), int64(0)
	err := x.sortValues(ctx, run, true, func(r []Record) error {
		setE(r, g.e)
		if err := run.write(at, r); err != nil {
			return err
		}
		at += int64(len(r))
		return aevt.write(r)
	})
	return cmp.Or(err, aevt.flush())
}
