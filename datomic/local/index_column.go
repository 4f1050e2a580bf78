package local

import (
	"cmp"
	"context"
	"slices"
)

// columnIndexer writes what one attribute contributes to the index files. First it settles the
// column: records that are in order of E get that of E, value, and transaction from the newest,
// which is the attribute's part of AEVT. Those it sorts by value, which is its part of AVET.
//
// It indexes one column after another.
type columnIndexer struct {
	*indexer
	values valueSorter
	out    pointerWriter

	col     *column
	w       *workspace
	temp    []Record // as much of w.scratch as is free while the column is settled
	settled stretch  // the column when it is settled
	giants  []giant
}

func newColumnIndexer(x *indexer) *columnIndexer {
	return &columnIndexer{indexer: x, values: valueSorter{
		reader: x.c.log.Reader(),
		table:  formTable{room: int(x.c.chunk) * arenaBytes},
	}}
}

// index writes the parts of one column and returns its settled records.
func (x *columnIndexer) index(ctx context.Context, col *column) (settled stretch, err error) {
	x.col, x.giants, x.w = col, nil, x.c.workspace(col.count)
	defer x.c.release(x.w)
	x.settled = stretch{x.c.area, col.start, col.count}
	if col.count > x.c.chunk { // its sorted runs are there still, when settled records come
		if x.settled, err = x.spill.reserve(col.count); err != nil {
			return settled, err
		}
	}
	x.values.begin(col.a)
	x.values.equal = x.orderTx
	if err := x.settle(ctx); err != nil {
		return settled, err
	}
	for _, g := range x.giants {
		if err := x.settleGiant(ctx, g); err != nil {
			return settled, err
		}
	}
	x.values.equal = nil
	return x.settled, x.sortColumn(ctx)
}

// sortColumn sorts the settled column by value.
func (x *columnIndexer) sortColumn(ctx context.Context) error {
	avet, at := x.out.to(x.avet, x.col.start), int64(0)
	vaet, isRef := x.refs[x.col.a]
	err := x.sortValues(ctx, x.settled, false, func(r []Record) error {
		if isRef {
			if err := vaet.write(at, r); err != nil {
				return err
			}
		}
		at += int64(len(r))
		return avet.write(r)
	})
	return cmp.Or(err, avet.flush())
}

// sortValues calls emit with the records of run in the order of their values, records with equal
// values in the order of the run, or else in reverse. Where their values are numbers, the E of
// the records are keys of these.
func (x *columnIndexer) sortValues(ctx context.Context, run stretch, reverse bool, emit func([]Record) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if run.n > int64(len(x.w.records)) {
		return x.sortParts(ctx, run, reverse, emit)
	}
	r := x.w.records[:run.n]
	if err := run.read(0, r); err != nil {
		return err
	}
	if reverse {
		slices.Reverse(r)
	}
	if err := x.values.sort(r, x.w.scratch); err != nil {
		return err
	}
	return emit(r)
}
