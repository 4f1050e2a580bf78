package local

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"

	"dclone"
	"dclone/datomic/local"
	"dclone/schema"
	"dclone/source"
)

// sliceLen is how many datoms Current yields at a time.
const sliceLen = 512

// A snapshot is the log up to some t, its datoms grouped by attribute.
type snapshot struct {
	log        *local.Log
	columns    *local.Columns
	schema     *schema.Schema
	maxInstant dclone.Instant
	retracted  map[dclone.EntityID]bool // attributes that have retractions
}

// Snapshot reads the log up to t.
func (c *Conn) Snapshot(ctx context.Context, t dclone.T, opt source.Options) (source.Snapshot, error) {
	at, err := c.log.At(t)
	if err != nil {
		return nil, err
	}
	if at.Basis() != t {
		return nil, fmt.Errorf("read %s as of t %d: %w", c.log.Path(), t, source.ErrNoTx)
	}
	var newest atomic.Int64
	newest.Store(int64(-1 << 63))
	keep := func(d dclone.Datom) bool {
		if d.A == local.AttrTxInstant && d.E == d.Tx && d.Added {
			if i, ok := local.Instant(d.V); ok {
				raise(&newest, int64(i))
			}
		}
		return d.E.Partition() == dclone.PartDB && local.IsBuiltin(d.A)
	}
	columns, err := at.Columns(ctx, local.ColumnOptions{
		Jobs: opt.Jobs, MaxMemory: opt.MaxMemory, TempDir: opt.TempDir, Keep: keep})
	if err != nil {
		return nil, err
	}
	s := &snapshot{log: at, columns: columns, schema: new(schema.Schema), maxInstant: dclone.Instant(newest.Load()),
		retracted: map[dclone.EntityID]bool{}}
	for _, a := range columns.Attributes() {
		s.retracted[a.A] = a.Retracted
	}
	for txn := range source.ByTx(columns.Kept()) {
		if err := s.schema.Apply(txn); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func raise(a *atomic.Int64, v int64) {
	for old := a.Load(); v > old && !a.CompareAndSwap(old, v); old = a.Load() {
	}
}

func (s *snapshot) Basis() dclone.T              { return s.log.Basis() }
func (s *snapshot) Born() dclone.T               { return local.BootstrapT }
func (s *snapshot) MaxInstant() dclone.Instant   { return s.maxInstant }
func (s *snapshot) Schema() *schema.Schema       { return s.schema }
func (s *snapshot) SchemaDatoms() []dclone.Datom { return s.columns.Kept() }
func (s *snapshot) Close() error                 { return s.columns.Close() }

func (s *snapshot) Attributes() []source.AttributeCount {
	var counts []source.AttributeCount
	for _, a := range s.columns.Attributes() {
		counts = append(counts, source.AttributeCount{A: a.A, Count: a.Count})
	}
	return counts
}

// History yields the datoms of all time.
func (s *snapshot) History(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error] {
	return func(yield func([]dclone.Datom, error) bool) {
		f := folder{reader: s.log.Reader(), yield: yield}
		for records, err := range s.columns.Records(ctx, a) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, r := range records {
				if !f.read(r.P) || !f.full(false) {
					return
				}
			}
		}
		f.full(true)
	}
}

// Current yields the datoms that hold.
func (s *snapshot) Current(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error] {
	return s.fold(ctx, a, true)
}

// Holders reads no values where the attribute has no retractions and an entity has one datom.
func (s *snapshot) Holders(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error] {
	return s.fold(ctx, a, s.retracted[a])
}

func (s *snapshot) fold(ctx context.Context, a dclone.EntityID, values bool) iter.Seq2[[]dclone.Datom, error] {
	return func(yield func([]dclone.Datom, error) bool) {
		f := folder{reader: s.log.Reader(), yield: yield, attr: a, values: values}
		for records, err := range s.columns.Records(ctx, a) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, r := range records {
				if !f.record(r) {
					return
				}
			}
		}
		if f.settle() {
			f.full(true)
		}
	}
}

// A folder gathers datoms, sorted by entity and then by t, and keeps those that hold.
type folder struct {
	reader *local.DatomReader
	yield  func([]dclone.Datom, error) bool
	attr   dclone.EntityID
	values bool          // every datom is to be read
	alone  *local.Record // the one datom of entity so far, not yet read
	entity dclone.EntityID
	from   int // where the datoms of entity begin
	datoms []dclone.Datom
	arena  []byte
}

// record takes in what a column names.
func (f *folder) record(r local.Record) bool {
	if r.E != f.entity {
		if !f.settle() || !f.full(false) {
			return false
		}
		f.entity = r.E
		if !f.values {
			f.alone = &r
			return true
		}
	}
	if first := f.alone; first != nil {
		if f.alone = nil; !f.read(first.P) {
			return false
		}
	}
	return f.read(r.P)
}

// read takes a datom in. Its value is copied: the reader's memory is good only until it reads on.
func (f *folder) read(p local.Pointer) bool {
	d, err := f.reader.Datom(p)
	if err != nil {
		f.yield(nil, err)
		return false
	}
	at := len(f.arena)
	f.arena = append(f.arena, d.V...)
	d.V = f.arena[at:len(f.arena):len(f.arena)]
	f.datoms = append(f.datoms, d)
	return true
}

// full yields what is gathered when it is enough for a slice, or in the end all that is left.
func (f *folder) full(end bool) bool {
	if len(f.datoms) < sliceLen && !(end && len(f.datoms) > 0) {
		return true
	}
	ok := f.yield(f.datoms, nil)
	f.datoms, f.arena, f.from = f.datoms[:0], f.arena[:0], 0
	return ok
}

// settle drops of one entity's datoms those that do not hold. A value holds if no retraction of
// an equal one is newer. Equal is what Datomic Local's index takes for equal, not what has the
// same bytes: a retraction of 1.0M ends 1.00M too, while assertions of both hold side by side.
func (f *folder) settle() bool {
	if f.alone != nil {
		f.datoms = append(f.datoms, dclone.Datom{E: f.entity, A: f.attr, Added: true})
		f.alone = nil
	}
	run := f.datoms[f.from:]
	switch {
	case len(run) == 1 && run[0].Added:
	case len(run) == 1:
		f.datoms = f.datoms[:f.from]
	case len(run) > 1:
		f.datoms = f.datoms[:f.from+f.hold(run)]
	}
	f.from = len(f.datoms)
	return true
}

// hold moves the datoms that hold to the front of run and returns how many those are.
func (f *folder) hold(run []dclone.Datom) int {
	slices.SortStableFunc(run, func(x, y dclone.Datom) int { return local.CompareValues(x.V, y.V) })
	ended := nanEnds(run)
	n := 0
	for from := 0; from < len(run); {
		to := from + 1
		for to < len(run) && local.CompareValues(run[from].V, run[to].V) == 0 {
			to++
		}
		last := ended
		for _, d := range run[from:to] {
			if !d.Added {
				last = max(last, d.Tx)
			}
		}
		first := n
		for _, d := range run[from:to] {
			if d.Added && d.Tx >= last && !slices.ContainsFunc(run[first:n], func(h dclone.Datom) bool {
				return string(h.V) == string(d.V)
			}) {
				run[n] = d
				n++
			}
		}
		from = to
	}
	return n
}

// nanEnds returns the newest transaction that retracts NaN, which Datomic Local takes for equal
// to every number.
func nanEnds(run []dclone.Datom) (tx dclone.EntityID) {
	for _, d := range run {
		if !d.Added && local.IsNaN(d.V) {
			tx = max(tx, d.Tx)
		}
	}
	return tx
}
