// Package eidmap keeps which entity of the clone stands for which entity of the source.
//
// The map is one-to-one. It lives in bbolt as runs, because both databases count entity ids up:
// consecutive source ids mostly have consecutive clone ids. Two pairs of buckets hold it:
//
//	eid.run  first source id:8          → first clone id:8 length:uvarint     and back, eid.run.back
//	eid.user first source eidx:8        → first clone eidx:uvarint pieces     and back, eid.user.back
//
// The second is for entities of user partitions. Datomic Local picks a partition at random for
// each transaction but counts the eidx up, so a run of eidx is long where a run of ids is short.
// A clone keeps the partition ([ClonePartition]), and the pieces say which partition each part of
// the run has:
//
//	piece := n:4 delta+8:4                one byte, 1 ≤ n ≤ 15, -7 ≤ delta ≤ 7, delta from the piece before
//	       | 00 n:uvarint partition:uvarint
//
// What does not fit there is in eid.run: schema and transaction entities, entities that occur
// only as values, an eidx that two user partitions share.
package eidmap

import (
	"cmp"
	"slices"

	"dclone"
)

// A Run maps N consecutive ids, all of one partition on either side.
type Run struct {
	Src, Clone dclone.EntityID
	N          int64
}

// Join sorts runs by source id and joins those that meet on both sides.
func Join(runs []Run) []Run {
	slices.SortFunc(runs, func(a, b Run) int { return cmp.Compare(a.Src, b.Src) })
	joined := runs[:0]
	for _, r := range runs {
		if n := len(joined) - 1; n >= 0 {
			if last := &joined[n]; last.Src+dclone.EntityID(last.N) == r.Src && last.Clone+dclone.EntityID(last.N) == r.Clone {
				last.N += r.N
				continue
			}
		}
		joined = append(joined, r)
	}
	return joined
}

// lookup returns the clone id of src, if the run has it.
func (r Run) lookup(src dclone.EntityID) (dclone.EntityID, bool) {
	if src < r.Src || int64(src-r.Src) >= r.N {
		return 0, false
	}
	return r.Clone + (src - r.Src), true
}

// ClonePartition returns the partition the clone of an entity of user partition p has. It is p,
// but for PartUser: the clone keeps that for entities that occur only as values, because it is
// the one partition in which Datomic Local never allocates.
func ClonePartition(p dclone.Partition) dclone.Partition {
	if p == dclone.PartUser {
		return FirstUser
	}
	return p
}

// FirstUser is the first partition Datomic Local allocates users' entities in.
const FirstUser dclone.Partition = 17

// inUserSpace reports whether r belongs in eid.user: both sides keep partition and direction.
func (r Run) inUserSpace() bool {
	p := r.Src.Partition()
	return p != dclone.PartDB && p != dclone.PartTx && r.Clone.Partition() == ClonePartition(p)
}
