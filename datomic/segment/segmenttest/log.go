package segmenttest

import (
	"slices"

	"dclone"
	"dclone/datomic/segment"
	"dclone/fressian"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// log stores the log of the transactions and returns the id of its root. There is always a dir.
func (b *builder) log(txs []dclone.Tx) segment.ID {
	var leaves, dirs []segment.LogEntry
	for txs := range slices.Chunk(txs, b.o.LeafTxs) {
		write := segment.AppendLogLeaf
		if b.o.Excised {
			write = b.excisedLeaf
		}
		leaves = append(leaves, segment.LogEntry{T: txs[0].T, ID: b.put(write(nil, txs))})
	}
	for leaves := range slices.Chunk(leaves, b.o.DirLeaves) {
		dirs = append(dirs, segment.LogEntry{T: leaves[0].T, ID: b.put(segment.AppendLogDir(nil, leaves))})
	}
	if len(dirs) == 0 {
		dirs = append(dirs, segment.LogEntry{ID: b.put(segment.AppendLogDir(nil, nil))})
	}
	dirs[0].T = 0 // what Datomic writes
	return b.put(segment.AppendLogDir(nil, dirs))
}

// excisedLeaf writes a leaf as excision does: one list with a footer, and caches that all
// transactions share.
func (b *builder) excisedLeaf(dst []byte, txs []dclone.Tx) ([]byte, error) {
	list := make([]any, len(txs))
	for i, tx := range txs {
		data := make([]any, len(tx.Datoms))
		for j, d := range tx.Datoms {
			v, _, err := fressian.Decode(d.V)
			require.NoError(b.t, err)
			data[j] = fressian.Tagged{Tag: "datum", Fields: []any{d.Added, int64(d.E.Partition()),
				fressian.Cached{Value: d.E.Eidx()}, int64(d.A), v, fressian.Cached{Value: int64(tx.T)}}}
		}
		list[i] = fressian.Map{
			{Key: dclone.Kw("", "id"), Value: uuid.UUID(tx.ID)},
			{Key: dclone.Kw("", "t"), Value: int64(tx.T)},
			{Key: dclone.Kw("", "data"), Value: data},
		}
	}
	e := fressian.NewEncoder(dst)
	if err := e.Encode(list); err != nil {
		return dst, err
	}
	e.Footer()
	return e.Bytes(), nil
}
