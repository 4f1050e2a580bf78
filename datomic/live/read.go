package live

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"

	"dclone"
	"dclone/datomic/local"
	"dclone/fressian"
)

// DefaultChunk is how many datoms come in a part unless another number is asked for.
const DefaultChunk = 8192

// A Range says which datoms to read of an attribute.
type Range struct {
	Attr    dclone.EntityID
	At      dclone.T
	History bool            // the datoms of all time up to At, else those that hold as of it
	End     dclone.EntityID // only of entities before; 0 is no bound
	Chunk   int             // datoms in a part, 0 is DefaultChunk
}

// Datoms yields datoms in the order of Datomic's index AEVT, in slices that are good until the next is asked for.
func (d *DB) Datoms(ctx context.Context, r Range) iter.Seq2[[]dclone.Datom, error] {
	if r.End == 0 {
		r.End = math.MaxInt64
	}
	parts := d.child.stream(ctx, "datoms", d.handle, int64(r.Attr), int64(r.At), r.History, int64(r.End), chunk(r.Chunk))
	return func(yield func([]dclone.Datom, error) bool) {
		var all []dclone.Datom
		var w fressian.Walker
		var spare []byte
		for part, err := range parts {
			if err == nil {
				w.Reset(part)
				all = all[:0]
				spare = spare[:0]
				for items := w.Items(); w.More(&items); {
					var one dclone.Datom
					one, spare = walkDatom(&w, &items, spare)
					all = append(all, one)
				}
				w.End()
				err = w.Err()
			}
			if err != nil {
				yield(nil, fmt.Errorf("read attribute %d of %s: %w", r.Attr, d.name, err))
				return
			}
			if len(all) > 0 && !yield(all, nil) {
				return
			}
		}
	}
}

func chunk(n int) int64 {
	if n <= 0 {
		n = DefaultChunk
	}
	return int64(n)
}

// walkDatom reads a datom, of which the first value is next in items.
func walkDatom(w *fressian.Walker, items *fressian.Items, spare []byte) (dclone.Datom, []byte) {
	var d dclone.Datom
	d.E = dclone.EntityID(w.Int())
	more := w.More(items)
	d.A = dclone.EntityID(w.Int())
	more = more && w.More(items)
	op := w.Int()
	d.Tx, d.Added = dclone.TxID(dclone.T(op>>1)), op&1 == 1
	if !more || !w.More(items) || op < 0 || d.E < 0 || d.A < 0 {
		w.Fail(&frameError{"a datom that is none"})
		return dclone.Datom{}, spare
	}
	d.V, spare = w.Value(spare)
	return d, spare
}

// TxRange yields the transactions from one t up to another, which is not one of them, as the database's log has them. A
// Tx is good until the next is asked for.
func (d *DB) TxRange(ctx context.Context, from, to dclone.T, size int) iter.Seq2[*dclone.Tx, error] {
	parts := d.child.stream(ctx, "txs", d.handle, int64(from), int64(to), chunk(size))
	return func(yield func(*dclone.Tx, error) bool) {
		l := logReader{yield: yield}
		for part, err := range parts {
			if err == nil {
				err = l.part(part)
			}
			if err != nil {
				yield(nil, fmt.Errorf("read log of %s: %w", d.name, err))
				return
			}
			if l.left {
				return
			}
		}
		if l.missing > 0 {
			yield(nil, fmt.Errorf("read log of %s: t %d ends early", d.name, l.tx.T))
		}
	}
}

// A logReader puts transactions together.
type logReader struct {
	yield   func(*dclone.Tx, error) bool
	w       fressian.Walker
	tx      dclone.Tx
	missing int64 // datoms of tx
	left    bool  // by who asked
	spare   []byte
}

func (l *logReader) part(part []byte) error {
	w := &l.w
	w.Reset(part)
	l.spare = l.spare[:0]
	items := w.Items()
	for w.More(&items) {
		if l.missing == 0 {
			l.head(&items)
		} else {
			var d dclone.Datom
			d, l.spare = walkDatom(w, &items, l.spare)
			l.tx.Datoms = append(l.tx.Datoms, d)
			l.missing--
		}
		if w.Err() == nil && l.missing == 0 {
			l.tx.Instant = instantOf(&l.tx)
			if l.left = !l.yield(&l.tx, nil); l.left {
				return nil
			}
		}
	}
	w.End()
	if l.missing > 0 {
		for i := range l.tx.Datoms { // the part's memory is about to go
			l.tx.Datoms[i].V = slices.Clone(l.tx.Datoms[i].V)
		}
	}
	return w.Err()
}

// head reads what comes before the datoms of a transaction.
func (l *logReader) head(items *fressian.Items) {
	w := &l.w
	l.tx = dclone.Tx{T: dclone.T(w.Int()), Datoms: l.tx.Datoms[:0]}
	more := w.More(items)
	if !w.Nil() {
		l.tx.ID = w.UUID()
	}
	more = more && w.More(items)
	l.missing = w.Int()
	if !more || l.missing < 0 || l.tx.T < 0 {
		w.Fail(&frameError{"a transaction that is none"})
	}
}

// instantOf returns the instant of a transaction, 0 where it has none.
func instantOf(tx *dclone.Tx) dclone.Instant {
	for _, d := range tx.Datoms {
		if d.A == local.AttrTxInstant && d.E == d.Tx && d.Added {
			i, _ := local.Instant(d.V)
			return i
		}
	}
	return 0
}

// Present returns those of some attributes that have datoms, of all time up to t.
func (d *DB) Present(ctx context.Context, t dclone.T, as []dclone.EntityID) ([]dclone.EntityID, error) {
	ids := make([]any, len(as))
	for i, a := range as {
		ids[i] = int64(a)
	}
	found, err := askFor[[]any](ctx, d.child, "present", d.handle, int64(t), ids)
	if err != nil {
		return nil, fmt.Errorf("list attributes of %s: %w", d.name, err)
	}
	var present []dclone.EntityID
	for _, v := range found {
		id, _ := v.(int64)
		present = append(present, dclone.EntityID(id))
	}
	return present, nil
}

// Stats returns about how many datoms the database says it has of its attributes, by ident.
func (d *DB) Stats(ctx context.Context) (map[dclone.Keyword]int64, error) {
	items, err := askFor[[]any](ctx, d.child, "stats", d.handle)
	if err != nil {
		return nil, fmt.Errorf("read statistics of %s: %w", d.name, err)
	}
	all := map[dclone.Keyword]int64{}
	for i := 0; i+1 < len(items); i += 2 {
		kw, _ := items[i].(dclone.Keyword)
		all[kw], _ = items[i+1].(int64)
	}
	return all, nil
}

// Lookup returns the entities that hold values of a unique attribute in the database as it is pinned, 0 where none does.
func (d *DB) Lookup(ctx context.Context, a dclone.EntityID, values []dclone.Value) ([]dclone.EntityID, error) {
	vs := make([]any, len(values))
	for i, v := range values {
		vs[i] = fressian.Raw(v)
	}
	found, err := askFor[[]any](ctx, d.child, "lookup", d.handle, int64(a), vs)
	if err == nil && len(found) != len(values) {
		err = fmt.Errorf("%d answers for %d values", len(found), len(values))
	}
	if err != nil {
		return nil, fmt.Errorf("look up values of attribute %d of %s: %w", a, d.name, err)
	}
	es := make([]dclone.EntityID, len(found))
	for i, v := range found {
		id, _ := v.(int64)
		es[i] = dclone.EntityID(id)
	}
	return es, nil
}
