package pro

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"dclone"
)

// Current yields the datoms of one attribute that hold.
func (s *snapshot) Current(ctx context.Context, a dclone.EntityID) stream {
	tx := dclone.TxID(s.t)
	return s.read(ctx, a, byValue, func(group []dclone.Datom) []dclone.Datom { return current(group, tx) })
}

// current leaves of a group, whose values compare equal, those that hold as of tx, by their bytes.
func current(group []dclone.Datom, tx dclone.EntityID) []dclone.Datom {
	if len(group) > 1 {
		slices.SortStableFunc(group, func(x, y dclone.Datom) int { return bytes.Compare(x.V, y.V) })
	}
	n := 0
	for from := 0; from < len(group); {
		to := from + 1
		for to < len(group) && bytes.Equal(group[to].V, group[from].V) {
			to++
		}
		if d, ok := holds(group[from:to], tx); ok {
			group[n] = d
			n++
		}
		from = to
	}
	return group[:n]
}

// Holders is Current: the leaves have the values anyway.
func (s *snapshot) Holders(ctx context.Context, a dclone.EntityID) stream { return s.Current(ctx, a) }

// History yields the datoms of all time. An entity's are in one slice.
func (s *snapshot) History(ctx context.Context, a dclone.EntityID) stream {
	tx := dclone.TxID(s.t)
	return s.read(ctx, a, byEntity, func(group []dclone.Datom) []dclone.Datom { return upTo(group, tx) })
}

// read yields what take leaves of each group of datoms. Where segments vanish it goes on in the
// trees that are there instead, behind the group it came to.
func (s *snapshot) read(ctx context.Context, a dclone.EntityID, order func(x, y *dclone.Datom) int,
	take func([]dclone.Datom) []dclone.Datom) stream {
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
			err = gather(s.streams(ctx, v, a), order, func(group []dclone.Datom) bool {
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
