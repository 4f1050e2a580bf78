package eidmap

import (
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"dclone"
)

// Put adds runs to the map. A run that is there already is no change; one that would give an
// entity a second clone, or two entities the same clone, is an error.
func (m *Map) Put(runs []Run) error {
	var user []Run
	for _, r := range runs {
		if r.inUserSpace() {
			user = append(user, r)
			continue
		}
		if err := m.putRun(r); err != nil {
			return err
		}
	}
	slices.SortFunc(user, func(a, b Run) int {
		if a.Src.Eidx() != b.Src.Eidx() {
			return int(max(-1, min(1, a.Src.Eidx()-b.Src.Eidx())))
		}
		return int(a.Src.Partition() - b.Src.Partition())
	})
	return m.putUser(user)
}

// Fill is Put for the runs of an Assignment, in its order and into a map that was empty at their
// first: none can contradict another, so none is looked up.
func (m *Map) Fill(runs []Run) error {
	f := filler{m: m}
	last, err := m.lastRecord()
	if err != nil {
		return err
	}
	if last != nil {
		f.end = last.src + last.n
	}
	for _, r := range runs {
		if err := f.add(r); err != nil {
			return err
		}
	}
	return f.flush()
}

// A filler puts records together.
type filler struct {
	m    *Map
	open *record
	end  int64 // behind the greatest source eidx in eid.user
}

func (f *filler) add(r Run) error {
	if !r.inUserSpace() || r.Src.Eidx() < f.end { // or an eidx of two partitions
		return f.m.putRunRecords(r)
	}
	if f.open == nil || !f.open.meets(r) {
		if err := f.flush(); err != nil {
			return err
		}
		var err error
		if f.open, err = f.m.openRecord(r); err != nil {
			return err
		}
	}
	f.open.add(r.N, r.Src.Partition())
	f.end = f.open.src + f.open.n
	return nil
}

func (f *filler) flush() error {
	if f.open == nil {
		return nil
	}
	return f.m.putRecord(f.open)
}

func (m *Map) putRecord(r *record) error {
	m.cache.changed(r)
	if err := m.user.Put(key(r.src), r.encode()); err != nil {
		return err
	}
	return putRunRecord(m.userBack, dclone.EntityID(r.clone), dclone.EntityID(r.src), r.n)
}

// check finds what the map already says of r: known is true where it says the same of all of it.
// To be known in part is an error, as is a contradiction.
func (m *Map) check(r Run) (known bool, err error) {
	for i := range dclone.EntityID(r.N) {
		clone, ok, err := m.Clone(r.Src + i)
		if err != nil {
			return false, err
		}
		src, okBack, err := m.Source(r.Clone + i)
		if err != nil {
			return false, err
		}
		if ok && clone != r.Clone+i || okBack && src != r.Src+i || i > 0 && ok != known {
			return false, fmt.Errorf("bind entity %d to %d: the map has %d for it, and %d for the other",
				r.Src+i, r.Clone+i, clone, src)
		}
		known = ok
	}
	return known, nil
}

// putRun adds r to eid.run, joined to the run before it where the two meet.
func (m *Map) putRun(r Run) error {
	known, err := m.check(r)
	if err != nil || known {
		return err
	}
	if k, v := floor(m.run, int64(r.Src)); k != nil {
		before, err := decodeRun(k, v)
		if err != nil {
			return err
		}
		if before.Src+dclone.EntityID(before.N) == r.Src && before.Clone+dclone.EntityID(before.N) == r.Clone {
			r = Run{before.Src, before.Clone, before.N + r.N}
		}
	}
	return m.putRunRecords(r)
}

func (m *Map) putRunRecords(r Run) error {
	if err := putRunRecord(m.run, r.Src, r.Clone, r.N); err != nil {
		return err
	}
	return putRunRecord(m.runBack, r.Clone, r.Src, r.N)
}

func putRunRecord(b *bbolt.Bucket, from, to dclone.EntityID, n int64) error {
	v := binary.BigEndian.AppendUint64(nil, uint64(to))
	return b.Put(key(int64(from)), binary.AppendUvarint(v, uint64(n)))
}

func key(id int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(id)) }

// putUser adds runs, sorted by source eidx, to eid.user.
func (m *Map) putUser(runs []Run) error {
	var open *record
	flush := func() error {
		if open == nil {
			return nil
		}
		return m.putRecord(open)
	}
	for _, r := range runs {
		known, err := m.check(r)
		if err != nil {
			return err
		}
		if known {
			continue
		}
		shared, err := m.sharesEidx(open, r)
		if err != nil {
			return err
		}
		if shared {
			if err := m.putRun(r); err != nil {
				return err
			}
			continue
		}
		if open == nil || !open.meets(r) {
			if err := flush(); err != nil {
				return err
			}
			if open, err = m.openRecord(r); err != nil {
				return err
			}
		}
		open.add(r.N, r.Src.Partition())
	}
	return flush()
}

// sharesEidx reports whether some eidx of r belongs to another partition's entity already, be
// that in the map or in the record that is being put together.
func (m *Map) sharesEidx(open *record, r Run) (bool, error) {
	if open != nil && open.src+open.n > r.Src.Eidx() {
		return true, nil
	}
	if m.cache.beyond(r.Src.Eidx()) {
		return false, nil
	}
	before, err := m.recordBelow(r.Src.Eidx() + r.N - 1)
	return before != nil && before.src+before.n > r.Src.Eidx(), err
}

// meets reports whether r goes on where rec ends, and there is room.
func (r *record) meets(run Run) bool {
	return r.src+r.n == run.Src.Eidx() && r.clone+r.n == run.Clone.Eidx() && !r.full()
}

// openRecord returns the record that r extends, or a new one.
func (m *Map) openRecord(r Run) (*record, error) {
	k, v := floor(m.user, r.Src.Eidx())
	if k == nil {
		return &record{src: r.Src.Eidx(), clone: r.Clone.Eidx()}, nil
	}
	before, err := decodeRecord(k, v) // a copy of its own: it grows
	if err != nil || before.meets(r) {
		return before, err
	}
	return &record{src: r.Src.Eidx(), clone: r.Clone.Eidx()}, nil
}
