package local

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"dclone"
	"dclone/fressian"
)

const (
	attrValueType dclone.EntityID = 40
	typeRef       int64           = 20
)

// IndexOptions say how index files are made; none changes what they hold.
type IndexOptions struct {
	Jobs      int   // goroutines at work; one per processor where it is 0
	MaxMemory int64 // bytes for records and the sorting of them; DefaultMaxMemory where it is 0
}

// BuildIndex writes the index files of the log l and makes them durable. They mean nothing before
// WriteRoot has written the root that is returned; what has an older root is not touched. Where
// the root of the log's t is there already, nothing is written.
//
// The error is an *OrderError where it is not certain in which order Datomic Local has some
// values. No index is written then, and none is needed: Local makes its own.
func (d *Dir) BuildIndex(ctx context.Context, l *Log, opt IndexOptions) (Root, error) {
	if root, ok, err := ReadRoot(d.path); err != nil {
		return Root{}, err
	} else if ok && root.T > l.Basis() {
		return Root{}, fmt.Errorf("index %s: its index goes to t %d, its log to t %d", d.path, root.T, l.Basis())
	} else if ok && root.T == l.Basis() {
		return root, nil
	}
	c, err := l.Columns(ctx, ColumnOptions{Jobs: opt.Jobs, MaxMemory: opt.MaxMemory, TempDir: d.path, Keep: isRefType})
	if err != nil {
		return Root{}, fmt.Errorf("index %s: %w", d.path, err)
	}
	defer c.Close()
	c.chunk = min(max(c.chunk*2*recordSize/indexRecord, minChunk), maxIndexChunk)
	x := &indexer{c: c, spill: &spill{dir: d.path}, refs: map[dclone.EntityID]stretch{}}
	defer x.spill.close()
	root := Root{T: l.Basis(), NextEidx: c.MaxEidx() + 1}
	if err := x.write(ctx, d, root); err != nil {
		return Root{}, fmt.Errorf("index %s: %w", d.path, err)
	}
	return root, nil
}

// isRefType reports whether d makes its entity a ref attribute.
func isRefType(d dclone.Datom) bool {
	if d.A != attrValueType || !d.Added {
		return false
	}
	v, _, ok := fressian.Int(d.V)
	return ok && v == typeRef
}

// indexer makes the four index files of a log from its columns.
type indexer struct {
	c                      *Columns
	spill                  *spill
	refs                   map[dclone.EntityID]stretch // ref attributes, their records in order of value
	settled                []stretch                   // of each column, in order of entity, value, transaction
	eavt, aevt, avet, vaet pointerFile
}

// write creates the files, and removes them again where it fails.
func (x *indexer) write(ctx context.Context, d *Dir, root Root) (err error) {
	var files []*os.File
	defer func() {
		for _, f := range files {
			err = cmp.Or(err, f.Close())
		}
		if err != nil {
			for _, f := range files {
				os.Remove(f.Name())
			}
		}
	}()
	for i, p := range []*pointerFile{&x.eavt, &x.aevt, &x.avet, &x.vaet} {
		f, err := os.Create(filepath.Join(d.path, root.files()[i]))
		if err != nil {
			return err
		}
		p.f = f
		files = append(files, f)
	}
	if err := x.fill(ctx); err != nil {
		return err
	}
	if err := parallel(ctx, len(files), len(files), func(i int) error { return files[i].Sync() }); err != nil {
		return err
	}
	return d.sync()
}

func (x *indexer) fill(ctx context.Context) error {
	if err := x.findRefs(); err != nil {
		return err
	}
	if err := x.indexColumns(ctx); err != nil {
		return err
	}
	if err := x.merge(ctx, x.settled, x.eavt); err != nil {
		return err
	}
	var refs []stretch
	for _, col := range x.c.columns {
		if r, ok := x.refs[col.a]; ok {
			refs = append(refs, r)
		}
	}
	return x.merge(ctx, refs, x.vaet)
}

// findRefs makes a place for the records of every ref attribute.
func (x *indexer) findRefs() (err error) {
	for _, d := range x.c.Kept() {
		if col := x.c.column(d.E); col != nil {
			if x.refs[d.E], err = x.spill.reserve(col.count); err != nil {
				return err
			}
		}
	}
	return nil
}

// indexColumns writes AEVT and AVET, the largest columns first so that all goroutines end at
// about the same time.
func (x *indexer) indexColumns(ctx context.Context) error {
	x.settled = make([]stretch, len(x.c.columns))
	order := make([]int, len(x.c.columns))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(x.c.columns[j].count, x.c.columns[i].count) })
	free := sync.Pool{New: func() any { return newColumnIndexer(x) }}
	return parallel(ctx, x.c.opt.Jobs, len(order), func(i int) (err error) {
		ci := free.Get().(*columnIndexer)
		defer free.Put(ci)
		x.settled[order[i]], err = ci.index(ctx, x.c.columns[order[i]])
		return err
	})
}

// spill is a file area that grows. It is made when it is needed.
type spill struct {
	dir  string
	mu   sync.Mutex
	area *area
	end  int64
}

// reserve returns a place for n records.
func (s *spill) reserve(n int64) (r stretch, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.area == nil {
		if s.area, err = newFileArea(s.dir); err != nil {
			return r, err
		}
	}
	r = stretch{s.area, s.end, n}
	s.end += n
	return r, nil
}

func (s *spill) close() error {
	if s.area == nil {
		return nil
	}
	return s.area.close()
}
