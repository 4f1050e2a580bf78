package pro

import (
	"context"
	"iter"
	"maps"
	"slices"

	"dclone"
	"dclone/datomic/segment"
	"dclone/source"
)

// countAttributes finds out which attributes have datoms, and how many about. The dirs of AEVT tell,
// but for leaves that may span attributes, which are read. Counts are those of all time the indexes
// know, later ones than t too, and what several trees have counts several times.
func (s *snapshot) countAttributes(ctx context.Context) error {
	counts, err := map[dclone.EntityID]int64(nil), error(nil)
	v, err := s.view(ctx, nil, nil)
	for renewals := 0; err == nil; renewals++ {
		if counts, err = s.counts(ctx, v); err == nil {
			break
		}
		if renewals < maxRenewals {
			v, err = s.view(ctx, v, err)
		}
	}
	if err != nil {
		return err
	}
	for _, a := range slices.Sorted(maps.Keys(counts)) {
		s.attributes = append(s.attributes, source.AttributeCount{A: a, Count: counts[a]})
	}
	return nil
}

func (s *snapshot) counts(ctx context.Context, v *view) (map[dclone.EntityID]int64, error) {
	counts := map[dclone.EntityID]int64{}
	if v.novelty != nil {
		maps.Copy(counts, v.novelty.counts)
	}
	for _, t := range s.conn.trees(v.roots, segment.AEVT) {
		unsure, err := t.countSure(ctx, counts)
		if err != nil {
			return nil, err
		}
		read := func(ctx context.Context, ref spanRef) (datoms, error) { return t.read(ctx, everything, ref) }
		for d, err := range ahead(ctx, unsure, read) {
			if err != nil {
				return nil, err
			}
			for _, d := range d.all {
				counts[d.A]++
			}
		}
	}
	return counts, nil
}

var everything = stretch{0, endKey.A}

// countSure adds what spans of one attribute hold, and returns the others.
func (t tree) countSure(ctx context.Context, counts map[dclone.EntityID]int64) (iter.Seq2[spanRef, error], error) {
	var unsure []spanRef
	for ref, err := range t.spans(ctx, everything) {
		if err != nil {
			return nil, err
		}
		if ref.next.A-ref.Key.A <= 1 {
			counts[ref.Key.A] += int64(ref.Count)
		} else {
			unsure = append(unsure, ref)
		}
	}
	return func(yield func(spanRef, error) bool) {
		for _, ref := range unsure {
			if !yield(ref, nil) {
				return
			}
		}
	}, nil
}
