package local

import (
	"bytes"
	"context"
	"fmt"

	"dclone"
)

// tally is what the first reading of the log finds in one piece.
type tally struct {
	Piece
	first, last dclone.T
	counts      byAttribute[int64]
	retracted   byAttribute[bool]
	maxEidx     int64
	kept        []dclone.Datom
	places      []int64 // where the piece's records go, column by column
}

func (t *tally) count(ctx context.Context, l *Log, keep func(dclone.Datom) bool) error {
	s := l.Scan(t.From, t.To)
	for t.first = -1; s.Frame(); t.last = s.T() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if t.first < 0 {
			t.first = s.T()
		}
		for s.Datom() {
			if err := checkValue(s.D.V); err != nil {
				return &DamageError{l.Path(), s.Offset, fmt.Errorf("value of a datom of t %d: %w", s.T(), err)}
			}
			*t.counts.at(s.D.A)++
			if !s.D.Added {
				*t.retracted.at(s.D.A) = true
			}
			t.maxEidx = max(t.maxEidx, s.D.E.Eidx())
			if keep != nil && keep(s.D) {
				d := s.D
				d.V = bytes.Clone(d.V)
				t.kept = append(t.kept, d)
			}
		}
	}
	return s.Err()
}

// checkBorders reports whether t grows from piece to piece, as it must within each.
func checkBorders(path string, tallies []*tally) error {
	for i := 1; i < len(tallies); i++ {
		if before, t := tallies[i-1], tallies[i]; t.first <= before.last {
			return &DamageError{path, t.From, fmt.Errorf("t %d follows t %d", t.first, before.last)}
		}
	}
	return nil
}

// denseAttributes bounds the array of a byAttribute.
const denseAttributes = 1 << 16

// byAttribute holds one V for every attribute. Datomic Local numbers attributes from 73 up, so
// nearly all lie in an array; but nothing forbids larger ones.
type byAttribute[V any] struct {
	dense  []V
	sparse map[dclone.EntityID]*V
}

// at returns the V of a, the zero V at first. It stays where it is until the next call.
func (m *byAttribute[V]) at(a dclone.EntityID) *V {
	if uint64(a) < uint64(len(m.dense)) {
		return &m.dense[a]
	}
	return m.grow(a)
}

func (m *byAttribute[V]) grow(a dclone.EntityID) *V {
	if a < denseAttributes {
		dense := make([]V, min(denseAttributes, max(128, 2*a)))
		copy(dense, m.dense)
		m.dense = dense
		return &m.dense[a]
	}
	v := m.sparse[a]
	if v == nil {
		if m.sparse == nil {
			m.sparse = map[dclone.EntityID]*V{}
		}
		v = new(V)
		m.sparse[a] = v
	}
	return v
}

// get returns the V of a. Unlike at it changes nothing, so many may call it at once.
func (m *byAttribute[V]) get(a dclone.EntityID) (v V) {
	if uint64(a) < uint64(len(m.dense)) {
		return m.dense[a]
	}
	if p := m.sparse[a]; p != nil {
		v = *p
	}
	return v
}

// each calls f with every attribute that at was called with, and with others, whose V is zero.
func (m *byAttribute[V]) each(f func(dclone.EntityID, *V)) {
	for a := range m.dense {
		f(dclone.EntityID(a), &m.dense[a])
	}
	for a, v := range m.sparse {
		f(a, v)
	}
}
