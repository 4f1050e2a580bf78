package local

import (
	"context"
	"slices"

	"dclone"
)

// A bucket is a part of records that are to be sorted by value. No key that it has is in another.
type bucket struct {
	stretch
	single bool            // whether it has one key only
	key    dclone.EntityID // that one
}

// sortParts does the work of sortValues for more records than fit into memory. It sends them by
// their keys to buckets that may fit, and sorts one bucket after the other.
func (x *columnIndexer) sortParts(ctx context.Context, run stretch, reverse bool, emit func([]Record) error) error {
	keyed, err := x.spill.reserve(run.n)
	if err != nil {
		return err
	}
	if err := x.guess(run); err != nil {
		return err
	}
	err = x.key(ctx, run, reverse, keyed)
	for err == errNotShared { // and what they share is shorter than it was guessed
		err = x.key(ctx, run, reverse, keyed)
	}
	if err != nil {
		return err
	}
	buckets, err := x.distribute(ctx, keyed)
	if err != nil {
		return err
	}
	for _, b := range buckets {
		if err := x.sortBucket(ctx, b, emit); err != nil {
			return err
		}
	}
	return nil
}

// guess guesses what the forms of all values of run begin with.
func (x *columnIndexer) guess(run stretch) error {
	var some [samples]Record
	for i := range some {
		if err := run.read(int64(i)*run.n/samples, some[i:i+1]); err != nil {
			return err
		}
	}
	return x.values.guess(some[:])
}

// key copies run, or its reverse, and gives every record the key of its value.
func (x *columnIndexer) key(ctx context.Context, run stretch, reverse bool, keyed stretch) error {
	return x.eachPart(ctx, run, reverse, func(at int64, r []Record) error {
		if err := x.values.prepareBehind(r); err != nil {
			return err
		}
		if err := x.values.finish(r, nil); err != nil {
			return err
		}
		return keyed.write(at, r)
	})
}

// eachPart calls f with one part of run after the other, or of its reverse.
func (x *columnIndexer) eachPart(ctx context.Context, run stretch, reverse bool, f func(at int64, r []Record) error) error {
	for at := int64(0); at < run.n; at += int64(len(x.w.records)) {
		r := x.w.records[:min(run.n-at, int64(len(x.w.records)))]
		from := at
		if reverse {
			from = run.n - at - int64(len(r))
		}
		if err := run.read(from, r); err != nil {
			return err
		}
		if reverse {
			slices.Reverse(r)
		}
		if err := f(at, r); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// distribute sends records to buckets, in their order.
func (x *columnIndexer) distribute(ctx context.Context, keyed stretch) ([]bucket, error) {
	bounds, err := x.bounds(keyed)
	if err != nil {
		return nil, err
	}
	to, err := x.spill.reserve(keyed.n)
	if err != nil {
		return nil, err
	}
	buckets := make([]bucket, 2*len(bounds)+1)
	err = x.eachPart(ctx, keyed, false, func(_ int64, r []Record) error {
		for i := range r {
			buckets[bucketOf(bounds, r[i].E)].n++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	w := scatterer{area: to.area, per: len(x.w.scratch) / len(buckets), buf: x.w.scratch, fill: make([]int32, len(buckets))}
	for i := range buckets {
		b := &buckets[i]
		b.area, b.at = to.area, to.at
		to.at += b.n
		if b.single = i%2 == 1; b.single {
			b.key = bounds[i/2]
		}
		w.place, w.limit = append(w.place, b.at), append(w.limit, to.at)
	}
	err = x.eachPart(ctx, keyed, false, func(_ int64, r []Record) error {
		for i := range r {
			if err := w.add(bucketOf(bounds, r[i].E), r[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return buckets, w.flush()
}

// bounds returns keys between which about as many records lie as are half of what fits into
// memory. Each of these keys has a bucket to itself, so that a frequent one is with no other.
func (x *columnIndexer) bounds(keyed stretch) ([]dclone.EntityID, error) {
	room := int64(len(x.w.records))
	n := min(2*keyed.n/room, room/8)
	keys, err := sampleRuns([]stretch{keyed})
	if err != nil {
		return nil, err
	}
	var bounds []dclone.EntityID
	for i := int64(1); i <= n; i++ {
		bounds = append(bounds, keys[i*int64(len(keys))/(n+1)])
	}
	return slices.Compact(bounds), nil
}

func bucketOf(bounds []dclone.EntityID, key dclone.EntityID) int {
	i, is := slices.BinarySearchFunc(bounds, key, compareUnsigned)
	if is {
		return 2*i + 1
	}
	return 2 * i
}

// sortBucket calls emit with the records of b in the order of their values.
func (x *columnIndexer) sortBucket(ctx context.Context, b bucket, emit func([]Record) error) error {
	fits := b.n <= int64(len(x.w.records))
	done := b.single && x.values.exact(uint64(b.key))
	switch {
	case b.n == 0:
		return nil
	case done && x.values.equal == nil:
		return x.eachPart(ctx, b.stretch, false, func(_ int64, r []Record) error { return emit(r) })
	case done && !fits:
		return &OrderError{x.col.a, "an entity has one value too often"}
	case fits && x.values.numbers() && x.values.equal == nil:
		r := x.w.records[:b.n]
		if err := b.read(0, r); err != nil {
			return err
		}
		sortRecords(r, x.w.scratch)
		return emit(r)
	}
	return x.sortValues(ctx, b.stretch, false, emit)
}
