package interop

import (
	"fmt"
	"path/filepath"
	"testing"
)

// ProDumps is all that a database of Datomic Pro says about itself.
type ProDumps struct {
	Log     []Tx             // d/tx-range, which leaves the bootstrap out
	IDs     map[int64]string // the uuid of each transaction, by t
	Current Indexes
	History Indexes
}

// Indexes are d/datoms of each index.
type Indexes struct{ EAVT, AEVT, AVET, VAET []Datom }

// DumpPro answers the dumps of the database at a peer's URI, read from storage anew: what a peer remembers of
// transactions it made itself is not always what was stored. The JVM is one that [StartPro] made.
func (j *JVM) DumpPro(t testing.TB, uri string) ProDumps {
	t.Helper()
	tmp := t.TempDir()
	j.Eval(t, fmt.Sprintf(`(pro/dump (pro/reopen %s) %s)`, Str(uri), Str(tmp)))
	indexes := func(prefix string) Indexes {
		read := func(name string) []Datom { return readDump(t, filepath.Join(tmp, prefix+name), ReadDatoms) }
		return Indexes{EAVT: read("eavt"), AEVT: read("aevt"), AVET: read("avet"), VAET: read("vaet")}
	}
	d := ProDumps{
		Log:     readDump(t, filepath.Join(tmp, "log"), ReadLog),
		IDs:     map[int64]string{},
		Current: indexes(""),
		History: indexes("history-"),
	}
	for _, id := range readDump(t, filepath.Join(tmp, "ids"), readIDs) {
		d.IDs[id.t] = id.uuid
	}
	return d
}
