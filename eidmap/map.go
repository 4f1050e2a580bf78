package eidmap

import (
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"dclone"
)

var (
	bucketRun      = []byte("eid.run")
	bucketRunBack  = []byte("eid.run.back")
	bucketUser     = []byte("eid.user")
	bucketUserBack = []byte("eid.user.back")
)

// A Map is the map as one bbolt transaction sees it. It is good until that ends, and for one
// goroutine.
type Map struct {
	run, runBack, user, userBack *bbolt.Bucket
	cache                        *Cache
}

// Create makes the map's buckets, empty.
func Create(tx *bbolt.Tx) error {
	for _, name := range [][]byte{bucketRun, bucketRunBack, bucketUser, bucketUserBack} {
		if tx.Bucket(name) != nil {
			if err := tx.DeleteBucket(name); err != nil {
				return err
			}
		}
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return nil
}

// In returns the map that tx sees. A cache, which may be nil, keeps records from one transaction
// to the next.
func In(tx *bbolt.Tx, cache *Cache) (*Map, error) {
	m := &Map{tx.Bucket(bucketRun), tx.Bucket(bucketRunBack), tx.Bucket(bucketUser), tx.Bucket(bucketUserBack), cache}
	if m.run == nil || m.runBack == nil || m.user == nil || m.userBack == nil {
		return nil, fmt.Errorf("open entity-id map: the file holds none")
	}
	if cache == nil {
		m.cache = new(Cache)
	}
	if m.cache.end == 0 {
		if _, err := m.lastRecord(); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Clone returns the clone's entity for a source entity, if it has one.
func (m *Map) Clone(src dclone.EntityID) (dclone.EntityID, bool, error) {
	if p := src.Partition(); p != dclone.PartDB && p != dclone.PartTx {
		rec, err := m.recordOf(src.Eidx())
		if err != nil {
			return 0, false, err
		}
		if rec != nil && rec.at(src.Eidx()-rec.src) == p {
			return dclone.MakeEntityID(ClonePartition(p), rec.clone+src.Eidx()-rec.src), true, nil
		}
	}
	r, ok, err := m.runOf(src)
	clone, _ := r.lookup(src)
	return clone, ok, err
}

// Source returns the source's entity for one of the clone, if it has one.
func (m *Map) Source(clone dclone.EntityID) (dclone.EntityID, bool, error) {
	k, v := floor(m.runBack, int64(clone))
	if k != nil {
		r, err := decodeRun(k, v)
		if err != nil {
			return 0, false, err
		}
		if src, ok := r.lookup(clone); ok {
			return src, true, nil
		}
	}
	k, v = floor(m.userBack, clone.Eidx())
	if k == nil {
		return 0, false, nil
	}
	r, err := decodeRun(k, v)
	if err != nil {
		return 0, false, err
	}
	eidx, ok := r.lookup(dclone.EntityID(clone.Eidx()))
	if !ok {
		return 0, false, nil
	}
	rec, err := m.recordOf(int64(eidx))
	if err != nil || rec == nil {
		return 0, false, err
	}
	p := rec.at(int64(eidx) - rec.src)
	return dclone.MakeEntityID(p, int64(eidx)), ClonePartition(p) == clone.Partition(), nil
}

// runOf finds the run of eid.run that holds src.
func (m *Map) runOf(src dclone.EntityID) (Run, bool, error) {
	if r := m.cache.run(src); r.N > 0 {
		return r, true, nil
	}
	k, v := floor(m.run, int64(src))
	if k == nil {
		return Run{}, false, nil
	}
	r, err := decodeRun(k, v)
	if err != nil {
		return Run{}, false, err
	}
	if _, ok := r.lookup(src); !ok {
		return Run{}, false, nil
	}
	m.cache.putRun(src, r)
	return r, true, nil
}

// recordOf finds the record of eid.user that holds a source eidx, nil where none does.
func (m *Map) recordOf(eidx int64) (*record, error) {
	if rec := m.cache.record(eidx); rec != nil {
		return rec, nil
	}
	if m.cache.beyond(eidx) {
		return nil, nil
	}
	rec, err := m.recordBelow(eidx)
	if err != nil || rec == nil || eidx-rec.src >= rec.n {
		return nil, err
	}
	return rec, nil
}

// recordBelow finds the last record of eid.user that begins at or before a source eidx.
func (m *Map) recordBelow(eidx int64) (*record, error) {
	k, v := floor(m.user, eidx)
	if k == nil {
		return nil, nil
	}
	if len(k) == 8 {
		if rec := m.cache.recordAt(int64(binary.BigEndian.Uint64(k))); rec != nil {
			return rec, nil
		}
	}
	rec, err := decodeRecord(k, v)
	if err != nil {
		return nil, err
	}
	m.cache.put(eidx, rec)
	return rec, nil
}

// lastRecord finds the last record of eid.user, and tells the cache where it ends.
func (m *Map) lastRecord() (*record, error) {
	k, v := m.user.Cursor().Last()
	if k == nil {
		return nil, nil
	}
	rec, err := decodeRecord(k, v)
	if err == nil {
		m.cache.end = rec.src + rec.n
	}
	return rec, err
}

// floor returns the entry with the greatest key at or below id.
func floor(b *bbolt.Bucket, id int64) (k, v []byte) {
	var key [8]byte
	binary.BigEndian.PutUint64(key[:], uint64(id))
	c := b.Cursor()
	k, v = c.Seek(key[:])
	if k != nil && string(k) == string(key[:]) {
		return k, v
	}
	if k == nil {
		return c.Last()
	}
	return c.Prev()
}

func decodeRun(k, v []byte) (Run, error) {
	if len(k) != 8 || len(v) < 9 {
		return Run{}, errRecord
	}
	n, used := binary.Uvarint(v[8:])
	if used <= 0 || n == 0 || n > dclone.MaxEidx {
		return Run{}, errRecord
	}
	return Run{
		Src:   dclone.EntityID(binary.BigEndian.Uint64(k)),
		Clone: dclone.EntityID(binary.BigEndian.Uint64(v)),
		N:     int64(n),
	}, nil
}

// Each calls f with every run of the map: those of eid.run by source id, then those of eid.user
// by source eidx.
func (m *Map) Each(f func(Run) error) error {
	err := m.run.ForEach(func(k, v []byte) error {
		r, err := decodeRun(k, v)
		if err != nil {
			return err
		}
		return f(r)
	})
	if err != nil {
		return err
	}
	return m.user.ForEach(func(k, v []byte) error {
		rec, err := decodeRecord(k, v)
		if err != nil {
			return err
		}
		return rec.each(f)
	})
}

func (r *record) each(f func(Run) error) error {
	at := int64(0)
	for _, p := range r.pieces {
		err := f(Run{
			Src:   dclone.MakeEntityID(p.p, r.src+at),
			Clone: dclone.MakeEntityID(ClonePartition(p.p), r.clone+at),
			N:     p.end - at,
		})
		if err != nil {
			return err
		}
		at = p.end
	}
	return nil
}
