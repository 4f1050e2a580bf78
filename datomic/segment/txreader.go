package segment

import (
	"errors"
	"fmt"
	"slices"

	"dclone"
	"dclone/fressian"
)

const attrTxInstant dclone.EntityID = 50 // :db/txInstant, in every database

// A TxReader reads the transactions of a log leaf or of a log's tail, one at a time.
type TxReader struct {
	r      *reader
	items  fressian.Items
	tx     dclone.Tx
	before dclone.T // t of the transaction before, or -1
}

// NewTxReader returns a TxReader of a leaf, unpacked, or of a tail. An empty tail has no
// transactions.
func NewTxReader(raw []byte, tail bool) *TxReader {
	r := &TxReader{r: newReader(KindLogLeaf, nil)}
	r.Reset(raw, tail)
	return r
}

// Reset makes r what NewTxReader returns, but keeps its memory. What Tx returned is good no more.
func (r *TxReader) Reset(raw []byte, tail bool) {
	r.r.kind = KindLogLeaf
	if tail {
		r.r.kind = LogTail
	}
	r.r.w.Reset(raw)
	r.before, r.tx = -1, dclone.Tx{T: -1, Datoms: r.tx.Datoms[:0]}
	r.items = fressian.Items{}
	if !tail || len(raw) > 0 {
		r.items = r.r.w.Items()
	}
}

// Next reads the next transaction. It reports false at the end, and where reading fails.
func (r *TxReader) Next() bool {
	if !r.r.ok() {
		return false
	}
	if !r.r.w.More(&r.items) {
		r.r.w.End()
		return false
	}
	r.before, r.r.spare = r.tx.T, r.r.spare[:0]
	r.tx = dclone.Tx{T: -1, Datoms: r.tx.Datoms[:0]}
	r.r.w.Next() // the caches are emptied here
	at := r.r.w.Offset()
	r.readTx()
	r.check(at)
	return r.r.ok()
}

// Tx returns the transaction that Next has read. It is good until the next Next.
func (r *TxReader) Tx() *dclone.Tx { return &r.tx }

// Offset returns how many bytes have been read: after Next, where the transaction ends. After an
// error it is 0.
func (r *TxReader) Offset() int { return r.r.w.Offset() }

// Err returns what stopped Next before the end.
func (r *TxReader) Err() error { return r.r.damage() }

func (r *TxReader) readTx() {
	entries := r.r.w.Map()
	for r.r.w.More(&entries) {
		at := r.r.w.Offset()
		ns, name := r.r.w.Keyword()
		if !r.r.w.More(&entries) {
			r.r.fail(at, errors.New("a key without a value"))
			return
		}
		switch {
		case ns != nil:
			r.r.w.Skip()
		case string(name) == "id":
			r.tx.ID = r.r.w.UUID()
		case string(name) == "t":
			r.tx.T = dclone.T(r.r.w.Int())
		case string(name) == "data":
			r.readData()
		default:
			r.r.w.Skip()
		}
	}
}

func (r *TxReader) readData() {
	items := r.r.w.Items()
	r.tx.Datoms = slices.Grow(r.tx.Datoms, min(max(items.Left(), 0), trusted))
	for r.r.w.More(&items) {
		r.readDatom()
	}
}

// readDatom reads a datom and appends it, unless reading fails.
func (r *TxReader) readDatom() {
	w := r.r.w
	at := w.Offset()
	r.r.head(tagDatum, 6)
	var d dclone.Datom
	d.Added = w.Bool()
	part, eidx, a := w.Int(), w.Int(), w.Int()
	d.V, r.r.spare = w.Value(r.r.spare)
	t := w.Int()
	if !r.r.ok() {
		return
	}
	if uint64(part) > uint64(dclone.MaxPartition) || uint64(eidx) > dclone.MaxEidx ||
		uint64(a) > dclone.MaxEidx || uint64(t) > dclone.MaxEidx {
		r.r.fail(at, fmt.Errorf("a datom with partition %d, eidx %d, attribute %d, t %d", part, eidx, a, t))
		return
	}
	d.E, d.A = dclone.MakeEntityID(dclone.Partition(part), eidx), dclone.EntityID(a)
	d.Tx = dclone.TxID(dclone.T(t))
	if a == int64(attrTxInstant) && d.E == d.Tx && d.Added {
		r.readInstant(at, d.V)
	}
	r.tx.Datoms = append(r.tx.Datoms, d)
}

// readInstant reads when the transaction was.
func (r *TxReader) readInstant(at int, v dclone.Value) {
	ms, ok := fressian.Instant(v)
	if !ok {
		r.r.fail(at, errors.New("the instant of a transaction is none"))
		return
	}
	r.tx.Instant = ms
}

// check fails where the transaction that begins at an offset does not fit in the log, or its
// datoms not in it.
func (r *TxReader) check(at int) {
	switch {
	case !r.r.ok():
	case r.tx.T < 0 || r.tx.T > dclone.MaxEidx:
		r.r.fail(at, errors.New("a transaction with no t, or a wrong one"))
	case r.tx.T <= r.before:
		r.r.fail(at, fmt.Errorf("t %d follows t %d", r.tx.T, r.before))
	}
	tx := dclone.TxID(max(r.tx.T, 0))
	for i := 0; i < len(r.tx.Datoms) && r.r.ok(); i++ {
		if d := &r.tx.Datoms[i]; d.Tx != tx {
			r.r.fail(at, fmt.Errorf("datom %d of t %d belongs to t %d", i, r.tx.T, d.Tx.T()))
		}
	}
}
