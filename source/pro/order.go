package pro

import (
	"bytes"
	"cmp"

	"dclone"
	"dclone/datomic/local"
	"dclone/source"
)

// codeStruct begins a value of a type that has no order, a database function.
const codeStruct = 0xEF

// compare orders values as the indexes do, where 1.0M and 1.00M are side by side, the newest first.
func compare(x, y dclone.Value) int {
	if c := local.CompareValues(x, y); c != 0 {
		return c
	}
	if len(x) > 0 && x[0] == codeStruct {
		return bytes.Compare(x, y)
	}
	return 0
}

// inTree is the order of one attribute's datoms in AEVT: by entity, value, and the newest first.
func inTree(x, y dclone.Datom) int {
	if x.E != y.E {
		return cmp.Compare(x.E, y.E)
	}
	if c := compare(x.V, y.V); c != 0 {
		return c
	}
	return cmp.Compare(y.Tx, x.Tx)
}

// inTime is the order in which an entity's datoms came about.
func inTime(x, y dclone.Datom) int {
	if c := cmp.Or(cmp.Compare(x.Tx, y.Tx), source.Before(!x.Added, !y.Added)); c != 0 {
		return c
	}
	return cmp.Or(compare(x.V, y.V), bytes.Compare(x.V, y.V))
}
