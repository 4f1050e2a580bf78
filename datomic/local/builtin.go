package local

import (
	"math"

	"dclone"
	"dclone/fressian"
)

// Builtin attributes whose datoms mean something to whoever reads or writes a log. Every
// database of Datomic Local numbers them alike.
const (
	AttrInstallPartition dclone.EntityID = 11
	AttrInstallValueType dclone.EntityID = 12
	AttrInstallAttribute dclone.EntityID = 13
	AttrAlterAttribute   dclone.EntityID = 19
	AttrTxInstant        dclone.EntityID = 50

	lastBuiltin = FirstEidx - 1
)

// IsBuiltin reports whether e is an entity of the bootstrap, or a number it keeps free.
func IsBuiltin(e dclone.EntityID) bool { return e >= 0 && e <= lastBuiltin }

const codeInstant = 0xc8

// Instant reads the value of :db/txInstant.
func Instant(v dclone.Value) (dclone.Instant, bool) { return fressian.Instant(v) }

// AppendInstant appends i as it is stored.
func AppendInstant(dst []byte, i dclone.Instant) []byte {
	return fressian.AppendInt(append(dst, codeInstant), int64(i))
}

// CompareValues orders stored values of one attribute as Datomic Local's indexes do. Values it
// takes for equal may differ in their bytes: 1.0M and 1.00M, URIs that differ in case.
func CompareValues(a, b dclone.Value) int { return compareValues(a, b) }

// IsNaN reports whether v is a float or a double that is not a number.
func IsNaN(v dclone.Value) bool {
	r := itemReader{b: v}
	it := r.next()
	return (it.kind == kindFloat || it.kind == kindDouble) && math.IsNaN(it.float)
}
