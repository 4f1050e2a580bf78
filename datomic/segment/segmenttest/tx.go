package segmenttest

import (
	"bytes"
	_ "embed"
	"testing"

	"dclone"
	"dclone/datomic/segment"
	"dclone/fressian"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// bootstrap is a log leaf, packed, of the transactions that a database is born with, as their
// datoms were found in the indexes of one that Datomic wrote.
//
//go:embed bootstrap.gz
var bootstrap []byte

const (
	// Born is the t of the newest transaction of the bootstrap.
	Born dclone.T = 66
	// FirstT is the t of the first transaction that is not of the bootstrap.
	FirstT dclone.T = 1000
	// FirstAttribute is the first entity id free for an attribute.
	FirstAttribute dclone.EntityID = 72

	attrTxInstant dclone.EntityID = 50
)

// Bootstrap returns the transactions that a database is born with.
func Bootstrap(t testing.TB) (txs []dclone.Tx) {
	t.Helper()
	raw, err := segment.Unpack(nil, bootstrap, segment.MaxSize)
	require.NoError(t, err)
	r := segment.NewTxReader(raw, false)
	for r.Next() {
		tx := *r.Tx()
		tx.Datoms = append([]dclone.Datom(nil), tx.Datoms...)
		for i := range tx.Datoms {
			tx.Datoms[i].V = bytes.Clone(tx.Datoms[i].V)
		}
		txs = append(txs, tx)
	}
	require.NoError(t, r.Err())
	return txs
}

// Value returns a value as a datom has it.
func Value(t testing.TB, v any) dclone.Value {
	t.Helper()
	b, err := fressian.Append(nil, v)
	require.NoError(t, err)
	return b
}

// Datom returns a datom for Tx.
func Datom(t testing.TB, e, a dclone.EntityID, v any, added bool) dclone.Datom {
	t.Helper()
	return dclone.Datom{E: e, A: a, V: Value(t, v), Added: added}
}

// Tx returns a transaction of those datoms, behind its instant: the t in seconds from the beginning
// of 2020. Its id depends on the t alone.
func Tx(t testing.TB, at dclone.T, datoms ...dclone.Datom) dclone.Tx {
	t.Helper()
	const begin dclone.Instant = 1577836800000
	tx := dclone.Tx{T: at, Instant: begin + dclone.Instant(at)*1000, ID: uuid.NewSHA1(uuid.Nil, []byte(at.String()))}
	tx.Datoms = append(tx.Datoms, Datom(t, dclone.TxID(at), attrTxInstant, tx.Instant, true))
	tx.Datoms = append(tx.Datoms, datoms...)
	for i := range tx.Datoms {
		tx.Datoms[i].Tx = dclone.TxID(at)
	}
	return tx
}
