package dclone

import "strconv"

// An EntityID names an entity: its partition in the high bits, its eidx in the low 42.
// A negative EntityID never comes from a database.
type EntityID int64

// A T counts transactions. T 0 is the first of the bootstrap; the transaction entity of t is TxID(t).
type T int64

// A Partition is the high part of an entity id.
type Partition int64

const (
	eidxBits = 42
	eidxMask = 1<<eidxBits - 1

	// MaxEidx is the largest eidx an entity id can hold.
	MaxEidx = eidxMask
	// MaxPartition is the largest partition a non-negative entity id can hold.
	MaxPartition Partition = 1<<(63-eidxBits) - 1
)

// The partitions every database is born with.
const (
	PartDB   Partition = 0 // schema: attributes, partitions, builtins
	PartTx   Partition = 3 // transaction entities
	PartUser Partition = 4 // Datomic Local never allocates here
)

// MakeEntityID joins a partition and an eidx. Both must be in range.
func MakeEntityID(p Partition, eidx int64) EntityID {
	return EntityID(int64(p)<<eidxBits | eidx)
}

// TxID returns the entity id of transaction t.
func TxID(t T) EntityID { return MakeEntityID(PartTx, int64(t)) }

// Partition returns the partition of e.
func (e EntityID) Partition() Partition { return Partition(int64(e) >> eidxBits) }

// Eidx returns the part of e that counts within all partitions.
func (e EntityID) Eidx() int64 { return int64(e) & eidxMask }

// IsTx reports whether e is a transaction entity.
func (e EntityID) IsTx() bool { return e.Partition() == PartTx }

// T returns the t of a transaction entity.
func (e EntityID) T() T { return T(e.Eidx()) }

func (e EntityID) String() string { return strconv.FormatInt(int64(e), 10) }
func (t T) String() string        { return strconv.FormatInt(int64(t), 10) }
