package eidmap

import "dclone"

const (
	cacheSlots = 1 << 10
	cacheShift = 9 // ids that share a slot
)

// A Cache keeps records of the map that were decoded, over several transactions. Its zero value
// is ready. What changes the map tells it.
type Cache struct {
	byEidx [cacheSlots]*record // by an eidx they hold
	bySrc  [cacheSlots]*record // by their first
	runs   [cacheSlots]Run
	end    int64 // behind the last eidx of eid.user, where it is not 0
}

func slot(id int64) int64 { return id >> cacheShift & (cacheSlots - 1) }

// hash spreads first eidx, which may all be multiples of something.
func hash(src int64) int64 { return int64(uint64(src) * 0x9e3779b97f4a7c15 >> 54) }

// record returns one that holds an eidx.
func (c *Cache) record(eidx int64) *record {
	if r := c.byEidx[slot(eidx)]; r != nil && eidx >= r.src && eidx-r.src < r.n {
		return r
	}
	return nil
}

// recordAt returns the one that begins at src.
func (c *Cache) recordAt(src int64) *record {
	if r := c.bySrc[hash(src)]; r != nil && r.src == src {
		return r
	}
	return nil
}

func (c *Cache) put(eidx int64, r *record) {
	c.bySrc[hash(r.src)] = r
	if eidx >= r.src && eidx-r.src < r.n {
		c.byEidx[slot(eidx)] = r
	}
}

func (c *Cache) run(src dclone.EntityID) Run {
	r := c.runs[slot(int64(src))]
	if _, ok := r.lookup(src); !ok {
		return Run{}
	}
	return r
}

func (c *Cache) putRun(src dclone.EntityID, r Run) { c.runs[slot(int64(src))] = r }

// beyond reports whether eidx is behind all of eid.user, as those of new entities mostly are.
func (c *Cache) beyond(eidx int64) bool { return c.end != 0 && eidx >= c.end }

// changed takes a record that was written. Records only grow: those that were found before the
// change stay right about the ids they hold.
func (c *Cache) changed(r *record) {
	c.bySrc[hash(r.src)] = nil
	c.end = max(c.end, r.src+r.n)
}
