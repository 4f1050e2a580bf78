package verify

import (
	"fmt"

	"dclone"
	"dclone/eidmap"
)

// mapped is the entities the sidecar's map has, on either side. Once read, many goroutines may
// ask it.
type mapped struct{ src, clone eidmap.Set }

// sampleEvery is how many entities of a run lie between those that are looked up.
const sampleEvery = 1 << 10

// readMap reads the map, and makes sure that it is one-to-one and says the same both ways.
func (r *run) readMap() error {
	if r.mapped != nil {
		return nil
	}
	r.mapped = new(mapped)
	return r.withMap(func(m *eidmap.Map) error {
		return m.Each(func(run eidmap.Run) error {
			if given, err := r.given(m, run); err != nil || !given {
				return err // what a damaged length says is not believed
			}
			r.checkTwice(run)
			return r.checkRun(m, run)
		})
	})
}

// given makes sure that the ids of a run were given out.
func (r *run) given(m *eidmap.Map, run eidmap.Run) (bool, error) {
	last := run.Clone + dclone.EntityID(run.N-1)
	if r.live && !last.IsTx() { // the clone gives them out
		src, ok, err := m.Source(last)
		if want := run.Src + dclone.EntityID(run.N-1); err == nil && (!ok || src != want) {
			r.mapFinding(want, last, fmt.Sprintf(
				"source entity %d is in the map with clone entity %d, but that is looked up as %s", want, last, id(src, ok)))
			return false, nil
		}
		return err == nil, err
	}
	if last.Eidx() >= r.free(run.Clone.Partition()) {
		r.mapFinding(0, last, fmt.Sprintf(
			"clone entity %d is in the map, but its id is yet to be given out", last))
		return false, nil
	}
	return true, nil
}

// free returns the first eidx of a partition that the sidecar has not given out.
func (r *run) free(p dclone.Partition) int64 {
	switch p {
	case dclone.PartDB:
		return r.pos.Next.DB
	case dclone.PartTx:
		return int64(r.pos.Clone.T) + 1
	case dclone.PartUser:
		return r.pos.Next.Value
	}
	return r.pos.Next.User
}

// checkRun looks up the ends of a run, and entities between them, in both directions.
func (r *run) checkRun(m *eidmap.Map, run eidmap.Run) error {
	for i := int64(0); i < run.N; i = nextSample(i, run.N) {
		src, clone := run.Src+dclone.EntityID(i), run.Clone+dclone.EntityID(i)
		c, ok, err := m.Clone(src)
		if err != nil {
			return err
		}
		if !ok || c != clone {
			r.mapFinding(src, clone, fmt.Sprintf(
				"source entity %d is in the map with clone entity %d, but is looked up as %s", src, clone, id(c, ok)))
		}
		s, ok, err := m.Source(clone)
		if err != nil {
			return err
		}
		if !ok || s != src {
			r.mapFinding(src, clone, fmt.Sprintf(
				"source entity %d is in the map with clone entity %d, but that is looked up as %s", src, clone, id(s, ok)))
		}
	}
	return nil
}

// nextSample steps through a run by samples, its last entity among them.
func nextSample(i, n int64) int64 {
	if i < n-1 && i+sampleEvery >= n {
		return n - 1
	}
	return i + sampleEvery
}

func id(e dclone.EntityID, ok bool) string {
	if !ok {
		return "none"
	}
	return e.String()
}

// checkTwice makes sure that no entity of a run was in one before.
func (r *run) checkTwice(run eidmap.Run) {
	for i := range dclone.EntityID(run.N) {
		src, clone := run.Src+i, run.Clone+i
		if r.mapped.src.Has(src) {
			r.mapFinding(src, 0, fmt.Sprintf("source entity %d is in the map twice", src))
		}
		if r.mapped.clone.Has(clone) {
			r.mapFinding(0, clone, fmt.Sprintf("clone entity %d is in the map twice", clone))
		}
		r.mapped.src.Add(src)
		r.mapped.clone.Add(clone)
	}
}

func (r *run) mapFinding(src, clone dclone.EntityID, text string) {
	r.found.add(finding{Difference: Difference{Kind: KindMap, SourceEntity: src, CloneEntity: clone, Text: text}})
}

// known reports whether a clone's entity stands for one of the source.
func (r *run) known(clone dclone.EntityID) bool {
	return clone.T() <= r.clone.Born() || r.mapped.clone.Has(clone)
}
