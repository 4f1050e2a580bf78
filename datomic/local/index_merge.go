package local

import (
	"cmp"
	"context"
	"slices"
	"sort"

	"dclone"
)

// splitSamples is how many records are looked at to split a merge into parts of like size.
const splitSamples = 1024

// merge writes the pointers of sorted runs, merged, to a file. Records of equal E come run after
// run.
func (x *indexer) merge(ctx context.Context, runs []stretch, f pointerFile) error {
	parts, err := splitRuns(runs, x.c.opt.Jobs)
	if err != nil {
		return err
	}
	starts := make([]int64, len(parts))
	for i := 1; i < len(parts); i++ {
		starts[i] = starts[i-1] + countRecords(parts[i-1])
	}
	return parallel(ctx, x.c.opt.Jobs, len(parts), func(i int) error {
		return x.mergePart(ctx, parts[i], new(pointerWriter).to(f, starts[i]))
	})
}

func (x *indexer) mergePart(ctx context.Context, runs []stretch, to *pointerWriter) error {
	w := x.c.workspace(int64(len(runs)) * mergeBatch)
	defer x.c.release(w)
	m, err := newMerger(runs, w.scratch)
	if err != nil {
		return err
	}
	for {
		r, err := m.fill(w.records[:min(mergeBatch, len(w.records))])
		if err != nil {
			return err
		}
		if len(r) == 0 {
			return to.flush()
		}
		if err := to.write(r); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func countRecords(runs []stretch) (n int64) {
	for _, r := range runs {
		n += r.n
	}
	return n
}

// splitRuns splits runs into at most n parts, none of which shares an E with another.
func splitRuns(runs []stretch, n int) ([][]stretch, error) {
	samples, err := sampleRuns(runs)
	if err != nil {
		return nil, err
	}
	var parts [][]stretch
	rest := slices.Clone(runs)
	for i := 1; i < n && len(samples) > 0; i++ {
		part := slices.Clone(rest)
		for j := range rest {
			k, err := rest[j].find(samples[i*len(samples)/n])
			if err != nil {
				return nil, err
			}
			part[j].n = k
			rest[j].at, rest[j].n = rest[j].at+k, rest[j].n-k
		}
		parts = append(parts, part)
	}
	return append(parts, rest), nil
}

// sampleRuns returns the E of records taken at even distances, sorted.
func sampleRuns(runs []stretch) ([]dclone.EntityID, error) {
	step := countRecords(runs)/splitSamples + 1
	var samples []dclone.EntityID
	var r [1]Record
	at := step / 2
	for _, run := range runs {
		for ; at < run.n; at += step {
			if err := run.read(at, r[:]); err != nil {
				return nil, err
			}
			samples = append(samples, r[0].E)
		}
		at -= run.n
	}
	slices.SortFunc(samples, compareUnsigned)
	return samples, nil
}

func compareUnsigned(x, y dclone.EntityID) int { return cmp.Compare(uint64(x), uint64(y)) }

// find returns the index of the first record whose E is at least e, as an unsigned number.
func (s stretch) find(e dclone.EntityID) (int64, error) {
	var err error
	k := sort.Search(int(s.n), func(i int) bool {
		var r [1]Record
		if e := s.read(int64(i), r[:]); e != nil {
			err = e
		}
		return uint64(r[0].E) >= uint64(e)
	})
	return int64(k), err
}
