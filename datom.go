package dclone

// A Datom is one assertion, or one retraction, of a value.
type Datom struct {
	E, A  EntityID
	V     Value
	Tx    EntityID // zero in tx-data, where the transaction is not yet known
	Added bool
}

// A Tx is one transaction of a log: its datoms in the order the log has them,
// :db/txInstant among them.
type Tx struct {
	T       T
	Instant Instant
	ID      [16]byte // a uuid, zero where the source gives none
	Datoms  []Datom
}
