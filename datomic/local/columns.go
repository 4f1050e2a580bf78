package local

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"

	"dclone"
)

const (
	minPiece = 256 << 10 // bytes of log; less is not worth a task of its own

	// DefaultMaxMemory is what ColumnOptions.MaxMemory means where it is 0.
	DefaultMaxMemory = 64 << 20
)

// Columns are the datoms of a log, retractions among them, grouped by attribute. A column is
// kept as records of 16 bytes; who wants a value reads it with a [DatomReader].
//
// A log is read twice: once to count, which tells the place of every record, and once to put the
// records there. Reading twice is cheaper than remembering once.
type Columns struct {
	log     *Log
	opt     ColumnOptions
	columns []*column // by attribute
	area    *area     // their records, in log order, column after column
	chunk   int64     // records that one goroutine may sort at once
	free    chan *workspace
	datoms  int64
	maxEidx int64
	kept    []dclone.Datom
}

// ColumnOptions say how Columns are made; none changes what they hold.
type ColumnOptions struct {
	Jobs      int    // goroutines at work; one per processor where it is 0
	MaxMemory int64  // bytes for records and the sorting of them; DefaultMaxMemory where it is 0
	TempDir   string // where records go that MaxMemory has no room for; os.TempDir() where it is ""

	// Keep chooses datoms to be copied, values and all, for Kept. Those must be few: they are
	// not under MaxMemory. It is called from several goroutines at once.
	Keep func(dclone.Datom) bool
}

// A Record names one datom of a column.
type Record struct {
	E dclone.EntityID
	P Pointer
}

// A Pointer says where a datom lies in db.log: its offset, and in the low 16 bits what its
// length field says, 0 for a big datom. Index files are made of these.
type Pointer uint64

// maxOffset is where the part of the log ends that a Pointer can reach.
const maxOffset = 1 << 48

// Offset returns where the datom lies, from the start of db.log.
func (p Pointer) Offset() int64 { return int64(p >> 16) }

// An AttributeCount tells how many datoms a log has of one attribute, retractions included.
type AttributeCount struct {
	A         dclone.EntityID
	Count     int64
	Retracted bool // some of them are retractions
}

// column is where the records of one attribute are.
type column struct {
	a         dclone.EntityID
	count     int64
	retracted bool
	start     int64 // in the area
	runs      runState
}

// Columns reads l up to its End. Every datom is parsed, and its value is checked to be exactly
// one fressian value. Where log.idx proves wrong, l does without it from then on.
func (l *Log) Columns(ctx context.Context, opt ColumnOptions) (*Columns, error) {
	if opt.Jobs <= 0 {
		opt.Jobs = runtime.GOMAXPROCS(0)
	}
	if opt.MaxMemory <= 0 {
		opt.MaxMemory = DefaultMaxMemory
	}
	if opt.TempDir == "" {
		opt.TempDir = os.TempDir()
	}
	if l.End() >= maxOffset {
		return nil, fmt.Errorf("read %s: %d bytes are more than a pointer can reach", l.Path(), l.End())
	}
	c, err := readColumns(ctx, l, opt)
	if err != nil && ctx.Err() == nil && l.Trusts() {
		l.Distrust()
		c, err = readColumns(ctx, l, opt)
	}
	return c, err
}

func readColumns(ctx context.Context, l *Log, opt ColumnOptions) (*Columns, error) {
	pieces, err := l.Pieces(max(minPiece, l.End()/int64(8*opt.Jobs)))
	if err != nil {
		return nil, err
	}
	tallies := make([]*tally, len(pieces))
	err = parallel(ctx, opt.Jobs, len(pieces), func(i int) error {
		tallies[i] = &tally{Piece: pieces[i]}
		return tallies[i].count(ctx, l, opt.Keep)
	})
	if err == nil {
		err = checkBorders(l.Path(), tallies)
	}
	if err != nil {
		return nil, err
	}
	c := &Columns{log: l, opt: opt, free: make(chan *workspace, opt.Jobs)}
	c.sum(tallies)
	if err := c.makeArea(); err != nil {
		return nil, err
	}
	if err := c.scatter(ctx, tallies); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// sum gives every column its place, and within it every piece of the log its own.
func (c *Columns) sum(tallies []*tally) {
	var counts byAttribute[int64]
	var retracted byAttribute[bool]
	for _, t := range tallies {
		t.retracted.each(func(a dclone.EntityID, some *bool) {
			if *some {
				*retracted.at(a) = true
			}
		})
		t.counts.each(func(a dclone.EntityID, n *int64) { *counts.at(a) += *n })
		c.maxEidx = max(c.maxEidx, t.maxEidx)
		c.kept = append(c.kept, t.kept...)
		t.kept = nil
	}
	counts.each(func(a dclone.EntityID, n *int64) {
		if *n > 0 {
			c.columns = append(c.columns, &column{a: a, count: *n, retracted: retracted.get(a)})
		}
	})
	slices.SortFunc(c.columns, func(x, y *column) int { return cmp.Compare(x.a, y.a) })
	for _, col := range c.columns {
		col.start = c.datoms
		for _, t := range tallies {
			t.places = append(t.places, c.datoms)
			c.datoms += t.counts.get(col.a)
		}
	}
}

// makeArea shares MaxMemory out: to the records themselves where they leave as much again for
// the sorting, and else all of it to the sorting.
func (c *Columns) makeArea() (err error) {
	sorting := c.opt.MaxMemory
	if size := c.datoms * recordSize; size <= c.opt.MaxMemory/2 {
		c.area = &area{mem: make([]Record, c.datoms)}
		sorting -= size
	} else if c.area, err = newFileArea(c.opt.TempDir); err != nil {
		return err
	}
	c.chunk = max(sorting/(2*recordSize*int64(c.opt.Jobs)), minChunk)
	return nil
}

// Attributes returns the attributes that have datoms, by entity id.
func (c *Columns) Attributes() []AttributeCount {
	counts := make([]AttributeCount, len(c.columns))
	for i, col := range c.columns {
		counts[i] = AttributeCount{A: col.a, Count: col.count, Retracted: col.retracted}
	}
	return counts
}

// Datoms returns how many datoms the log has.
func (c *Columns) Datoms() int64 { return c.datoms }

// MaxEidx returns the largest eidx of all entities of the log, transactions among them. Datomic
// Local's next eidx is one more.
func (c *Columns) MaxEidx() int64 { return c.maxEidx }

// Kept returns the datoms that ColumnOptions.Keep chose, in the order of the log.
func (c *Columns) Kept() []dclone.Datom { return c.kept }

// Close frees what the columns hold outside of memory.
func (c *Columns) Close() error { return c.area.close() }

func (c *Columns) column(a dclone.EntityID) *column {
	i, ok := slices.BinarySearchFunc(c.columns, a, func(col *column, a dclone.EntityID) int {
		return cmp.Compare(col.a, a)
	})
	if !ok {
		return nil
	}
	return c.columns[i]
}
