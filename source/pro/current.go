package pro

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"dclone"
	"dclone/datomic/segment"
)

// Current yields the datoms of one attribute that hold.
func (s *snapshot) Current(ctx context.Context, a dclone.EntityID) stream {
	tx := dclone.TxID(s.t)
	return s.read(ctx, a, byValue, s.present, func(group []dclone.Datom) []dclone.Datom { return current(group, tx) })
}

// current leaves of a group, whose values compare equal, those that hold as of tx. Such values may differ:
// 1.0M and 1.00M hold side by side, in the order they came in. A retraction hides all that is older in the same tiers and in the log
// behind them, as it does for peers; what an index job has left in the main tier without it holds.
func current(group []dclone.Datom, tx dclone.EntityID) []dclone.Datom {
	if len(group) > 1 {
		slices.SortFunc(group, inTime)
	}
	n := 0
	for _, d := range group {
		switch {
		case d.Tx > tx:
		case !d.Added:
			n = 0
		case !slices.ContainsFunc(group[:n], func(h dclone.Datom) bool { return bytes.Equal(h.V, d.V) }):
			group[n] = d
			n++
		}
	}
	return group[:n]
}

// present returns the tiers that have what holds: the history is wanted only as of a t that the
// indexes have passed.
func (s *snapshot) present(v *view) []segment.Tier {
	if s.t < v.roots.index.BasisT {
		return nil
	}
	return []segment.Tier{segment.Main, segment.Mid}
}

// Holders is Current: the leaves have the values anyway.
func (s *snapshot) Holders(ctx context.Context, a dclone.EntityID) stream { return s.Current(ctx, a) }

// History yields the datoms of all time. An entity's are in one slice.
func (s *snapshot) History(ctx context.Context, a dclone.EntityID) stream {
	tx := dclone.TxID(s.t)
	return s.read(ctx, a, byEntity, func(*view) []segment.Tier { return nil }, func(group []dclone.Datom) []dclone.Datom { return upTo(group, tx) })
}

// read yields what take leaves of each group of datoms. Where segments vanish it goes on in the
// trees that are there instead, behind the group it came to.
func (s *snapshot) read(ctx context.Context, a dclone.EntityID, order func(x, y *dclone.Datom) int,
	tiers func(*view) []segment.Tier, take func([]dclone.Datom) []dclone.Datom) stream {
	return func(yield func([]dclone.Datom, error) bool) {
		out := make([]dclone.Datom, 0, sliceLen)
		var last *dclone.Datom // of what was yielded
		left := false
		flush := func() bool {
			if len(out) == 0 {
				return true
			}
			left = !yield(out, nil)
			d := out[len(out)-1]
			last, out = &d, out[:0]
			return !left
		}
		v, err := s.view(ctx, nil, nil)
		for renewals := 0; err == nil; renewals++ {
			before := last
			err = gather(s.streams(ctx, v, a, tiers(v)...), order, func(group []dclone.Datom) bool {
				if last != nil && last == before && order(&group[0], last) <= 0 {
					return true
				}
				out = append(out, take(s.gone.from(group))...)
				return len(out) < sliceLen || flush()
			})
			if err == nil {
				flush()
			}
			if left || err == nil {
				return
			}
			if last != before {
				renewals = 0
			}
			if out = out[:0]; renewals < maxRenewals {
				v, err = s.view(ctx, v, err)
			}
		}
		yield(nil, fmt.Errorf("read attribute %d: %w", a, err))
	}
}
