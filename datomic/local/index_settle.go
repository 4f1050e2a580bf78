package local

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"dclone"
)

// settle settles the column but for giants, which it finds.
func (x *columnIndexer) settle(ctx context.Context) error {
	next, err := x.records(ctx)
	if err != nil {
		return err
	}
	aevt := x.out.to(x.aevt, x.col.start)
	records, at := x.w.records, int64(0)
	for carry := 0; ; {
		n, last, err := next(records[carry:])
		if err != nil {
			return err
		}
		r := records[:carry+n]
		if !last {
			r = wholeRuns(r)
		}
		if err := x.settleRuns(r, at); err != nil {
			return err
		}
		if err := x.settled.write(at, r); err != nil {
			return err
		}
		if err := aevt.write(r); err != nil {
			return err
		}
		if last {
			return aevt.flush()
		}
		at += int64(len(r))
		carry = copy(records, records[len(r):carry+n])
	}
}

// records returns a function that fills a slice with the next records in order of E, and says
// when it has come to the last.
func (x *columnIndexer) records(ctx context.Context) (func([]Record) (int, bool, error), error) {
	if x.col.count <= x.c.chunk {
		x.temp = x.w.scratch
		return func(dst []Record) (int, bool, error) {
			dst = dst[:x.col.count]
			err := x.c.area.read(x.col.start, dst)
			sortRecords(dst, x.w.scratch)
			return len(dst), true, err
		}, ctx.Err()
	}
	half := len(x.w.scratch) / 2
	x.temp = x.w.scratch[half:]
	m, err := x.c.merge(ctx, x.col, x.w, half)
	if err != nil {
		return nil, err
	}
	return func(dst []Record) (int, bool, error) {
		r, err := m.fill(dst)
		return len(r), len(r) < len(dst), cmp.Or(err, ctx.Err())
	}, nil
}

// wholeRuns cuts the last run of equal E off, which may go on, unless there is no other.
func wholeRuns(r []Record) []Record {
	for i := len(r) - 1; i > 0; i-- {
		if r[i].E != r[i-1].E {
			return r[:i]
		}
	}
	return r
}

// settleRuns settles the runs of r, the part of the column that begins at an index.
func (x *columnIndexer) settleRuns(r []Record, at int64) error {
	n := x.growGiant(r, at)
	r, at = r[n:], at+int64(n)
	for from, to := range runs(r) {
		switch n := to - from; {
		case n > len(x.temp):
			x.giants = append(x.giants, giant{r[from].E, at + int64(from), int64(n)})
		case n >= fewRecords:
			if err := x.settleLong(r[from:to]); err != nil {
				return err
			}
		}
	}
	for len(r) > 0 {
		n, err := x.settleShort(r)
		if err != nil {
			return err
		}
		r = r[n:]
	}
	return nil
}

func (x *columnIndexer) settleLong(r []Record) error {
	e := r[0].E
	slices.Reverse(r)
	err := x.values.sort(r, x.temp)
	setE(r, e)
	return err
}

// settleShort settles as many short runs at the head of r as x.temp has room for, and returns
// how many records that covers. The values of all of them are read together, in the order of the
// log: run by run they would be read at random where entities were updated at random.
func (x *columnIndexer) settleShort(r []Record) (covered int, err error) {
	list, covered := x.gather(r)
	if len(list) == 0 {
		return covered, nil
	}
	if err := x.values.prepare(list); err != nil {
		return 0, err
	}
	rest := list
	for from, to := range x.shortRuns(r[:covered]) {
		x.values.arrange(rest[:to-from], nil)
		rest = rest[to-from:]
	}
	if err := x.values.finish(list, nil); err != nil {
		return 0, err
	}
	for from, to := range x.shortRuns(r[:covered]) {
		for i := from; i < to; i++ {
			r[i].P = list[i-from].P
		}
		list = list[to-from:]
	}
	return covered, nil
}

// gather copies short runs to x.temp, each from its newest record to its oldest.
func (x *columnIndexer) gather(r []Record) (list []Record, covered int) {
	list = x.temp[:0]
	for from, to := range x.shortRuns(r) {
		if len(list)+to-from > len(x.temp) {
			return list, from
		}
		list = append(list, r[from:to]...)
		slices.Reverse(list[len(list)-(to-from):])
	}
	return list, len(r)
}

func (x *columnIndexer) shortRuns(r []Record) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		for from, to := range runs(r) {
			if n := to - from; n < fewRecords && n <= len(x.temp) && !yield(from, to) {
				return
			}
		}
	}
}

// orderTx puts records of one entity and value, which come from the newest transaction, in order
// where a transaction has two: its assertion before its retraction.
func (x *columnIndexer) orderTx(r []Record) error {
	var before dclone.Datom
	alike := 0
	for i := range r {
		d, err := x.values.reader.Datom(r[i].P)
		if err != nil {
			return err
		}
		if i == 0 || d.Tx != before.Tx {
			alike, before = 1, d
			continue
		}
		if alike++; alike > 2 || d.Added == before.Added {
			return x.saidTwice()
		}
		if d.Added {
			r[i-1], r[i] = r[i], r[i-1]
		}
	}
	return nil
}

// saidTwice is the error for two datoms that have all in common. Datomic Local leaves the second
// out of its index.
func (x *columnIndexer) saidTwice() error {
	return &OrderError{x.col.a, "one transaction says the same twice"}
}
