package eidmap

import (
	"slices"

	"dclone"
)

// First says where the ids of a clone begin that a first copy gives out.
type First struct {
	DB    int64    // eidx in PartDB
	User  int64    // eidx in all user partitions
	Value int64    // eidx in PartUser, for entities that occur only as values
	T     dclone.T // of the transactions that stand for the source's
}

// An Assignment gives every entity of a first copy its id before anything is written: its rank
// among those of its kind. So ids keep their order, need no order of writing, and come out the
// same whenever they are computed again. Many goroutines may use it.
type Assignment struct {
	first        First
	db, tx, live *Set // entities with datoms: schema, transactions, users' by id
	byEidx       Set  // live by eidx
	value        *Set // entities without
	shared       map[dclone.EntityID]dclone.EntityID
	next         First
}

// Entities are the source entities a first copy carries, builtins excepted.
type Entities struct {
	DB, Tx, User Set // by partition, those that have datoms of their own; of DB all, of Tx those that are needed
	Value        Set // the others
}

// Assign gives out ids from first on.
func Assign(e *Entities, first First) *Assignment {
	a := &Assignment{first: first, db: &e.DB, tx: &e.Tx, live: &e.User, value: &e.Value,
		shared: map[dclone.EntityID]dclone.EntityID{}}
	var late []dclone.EntityID
	a.eachUser(func(src dclone.EntityID, owner bool) {
		if owner {
			a.byEidx.Add(dclone.EntityID(src.Eidx()))
		} else {
			late = append(late, src)
		}
	})
	a.next = First{
		DB:    first.DB + a.db.freeze(),
		User:  first.User + a.byEidx.freeze(),
		Value: first.Value + a.value.freeze(),
		T:     first.T + dclone.T(a.tx.freeze()),
	}
	for _, src := range late {
		a.shared[src] = dclone.MakeEntityID(ClonePartition(src.Partition()), a.next.User)
		a.next.User++
	}
	return a
}

// Next returns the ids behind all that were given out.
func (a *Assignment) Next() First { return a.next }

// Clone returns the clone's entity for a source entity, if the first copy carries it.
func (a *Assignment) Clone(src dclone.EntityID) (dclone.EntityID, bool) {
	switch p := src.Partition(); p {
	case dclone.PartDB:
		if n, ok := a.db.rank(src); ok {
			return dclone.MakeEntityID(dclone.PartDB, a.first.DB+n), true
		}
	case dclone.PartTx:
		if n, ok := a.tx.rank(src); ok {
			return dclone.TxID(a.first.T + dclone.T(n)), true
		}
	default:
		if a.live.Has(src) {
			return a.user(src, p)
		}
	}
	n, ok := a.value.rank(src)
	return dclone.MakeEntityID(dclone.PartUser, a.first.Value+n), ok
}

func (a *Assignment) user(src dclone.EntityID, p dclone.Partition) (dclone.EntityID, bool) {
	if len(a.shared) > 0 {
		if clone, ok := a.shared[src]; ok {
			return clone, true
		}
	}
	n, ok := a.byEidx.rank(dclone.EntityID(src.Eidx()))
	return dclone.MakeEntityID(ClonePartition(p), a.first.User+n), ok
}

// eachUser calls f with the users' entities by eidx. Of several with the same eidx the one of
// the lowest partition owns it.
func (a *Assignment) eachUser(f func(src dclone.EntityID, owner bool)) {
	chunks := map[int64][]dclone.Partition{} // by the high bits of the eidx
	for _, k := range a.live.sortedKeys() {
		id := dclone.EntityID(k << chunkBits)
		chunks[id.Eidx()] = append(chunks[id.Eidx()], id.Partition())
	}
	bases := make([]int64, 0, len(chunks))
	for b := range chunks {
		bases = append(bases, b)
	}
	slices.Sort(bases)
	owners := make([]dclone.Partition, chunkSize)
	for _, base := range bases {
		clear(owners)
		var late []dclone.EntityID
		for _, p := range chunks[base] {
			first := dclone.MakeEntityID(p, base)
			for low := range a.live.chunks[int64(first)>>chunkBits].all() {
				if owners[low] == 0 {
					owners[low] = p
				} else {
					late = append(late, first+dclone.EntityID(low))
				}
			}
		}
		for low, p := range owners {
			if p != 0 {
				f(dclone.MakeEntityID(p, base+int64(low)), true)
			}
		}
		for _, src := range late {
			f(src, false)
		}
	}
}

// Runs yields the whole assignment as runs, as Map.Put wants them.
func (a *Assignment) Runs() func(yield func(Run) bool) {
	return func(yield func(Run) bool) {
		j := &joiner{yield: yield}
		for _, s := range []*Set{a.db, a.tx, a.value} {
			for src := range s.All() {
				clone, _ := a.Clone(src)
				j.add(src, clone)
			}
		}
		a.eachUser(func(src dclone.EntityID, _ bool) {
			clone, _ := a.Clone(src)
			j.add(src, clone)
		})
		j.flush()
	}
}

// A joiner joins pairs that follow each other into runs.
type joiner struct {
	yield func(Run) bool
	run   Run
	done  bool
}

func (j *joiner) add(src, clone dclone.EntityID) {
	n := dclone.EntityID(j.run.N)
	if n > 0 && j.run.Src+n == src && j.run.Clone+n == clone {
		j.run.N++
		return
	}
	j.flush()
	j.run = Run{src, clone, 1}
}

func (j *joiner) flush() {
	if j.run.N > 0 && !j.done {
		j.done = !j.yield(j.run)
	}
	j.run = Run{}
}
