package segment

import (
	"fmt"

	"dclone"
	"dclone/fressian"

	"github.com/google/uuid"
)

const codeEnd = 0xFD // of a list

// AppendTx appends a transaction as it is in a tail, and in a leaf between its ED and FD.
func AppendTx(dst []byte, tx *dclone.Tx) ([]byte, error) {
	data := make([]any, len(tx.Datoms))
	for i, d := range tx.Datoms {
		if d.E < 0 || d.A < 0 || d.Tx != dclone.TxID(tx.T) {
			return dst, fmt.Errorf("write t %d: datom %d is of entity %d, attribute %d, transaction %d", tx.T, i, d.E, d.A, d.Tx)
		}
		// The numbers that recur are cached, as Datomic does.
		data[i] = node(tagDatum, d.Added, int64(d.E.Partition()), fressian.Cached{Value: d.E.Eidx()}, int64(d.A),
			fressian.Raw(d.V), fressian.Cached{Value: int64(tx.T)})
	}
	e := fressian.NewEncoder(dst)
	e.ResetCaches()
	err := e.Encode(fressian.Map{entry("id", uuid.UUID(tx.ID)), entry("t", int64(tx.T)), entry("data", data)})
	if err != nil {
		return dst, fmt.Errorf("write t %d: %w", tx.T, err)
	}
	return e.Bytes(), nil
}

// AppendLogLeaf appends a leaf of the log. It has no footer.
func AppendLogLeaf(dst []byte, txs []dclone.Tx) ([]byte, error) {
	b, err := appendTxs(append(dst, closedList), txs)
	if err != nil {
		return dst, err
	}
	return append(b, codeEnd), nil
}

// AppendLogTail appends a tail of the log, to which AppendTx may append more.
func AppendLogTail(dst []byte, txs []dclone.Tx) ([]byte, error) {
	b, err := appendTxs(append(dst, openList), txs)
	if err != nil {
		return dst, err
	}
	return b, nil
}

const (
	closedList = 0xED
	openList   = 0xEE
)

func appendTxs(dst []byte, txs []dclone.Tx) (_ []byte, err error) {
	for i := range txs {
		if dst, err = AppendTx(dst, &txs[i]); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// AppendLogDir appends the root of the log, or a dir.
func AppendLogDir(dst []byte, entries []LogEntry) ([]byte, error) {
	ids, err := objects(KindLogDir, len(entries), func(i int) ID { return entries[i].ID })
	if err != nil {
		return dst, err
	}
	list := make([]any, len(entries))
	for i, e := range entries {
		list[i] = node(tagLogDir, int64(e.T), ids[i])
	}
	return appendNode(dst, KindLogDir, list)
}
