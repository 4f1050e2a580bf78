package backup

import (
	"context"
	"errors"
	"fmt"

	"dclone"
	"dclone/datomic/segment"
	"dclone/store"
)

// A Point is a restore point.
type Point struct {
	T       dclone.T
	Instant dclone.Instant // of its newest transaction
	ID      [16]byte       // of that transaction, a uuid
	Err     error          // why the two are not known
}

// Points returns the restore points of a backup, newest first. One whose root or log cannot be read
// has an Err, and is told of by the error; the others are returned all the same.
func Points(ctx context.Context, b *store.Backup) ([]Point, error) {
	ts, err := b.Points(ctx)
	if err != nil {
		return nil, err
	}
	points, errs := make([]Point, len(ts)), make([]error, len(ts))
	err = run(ctx, DefaultConcurrency, func(ctx context.Context, c crew) error {
		return c.each(ctx, len(ts), func(ctx context.Context, i int) error {
			points[i].T = ts[i]
			root, err := b.Root(ctx, ts[i])
			if err == nil {
				var p Point
				p, err = newest(ctx, b, root)
				points[i].Instant, points[i].ID = p.Instant, p.ID
			}
			points[i].Err, errs[i] = err, err
			return ctx.Err()
		})
	})
	return points, errors.Join(append(errs, err)...)
}

// newest returns the newest transaction of a root. It is in the tail, or in the last leaf of the
// log; in a database that nothing was transacted to, what is newest is the basis of the indexes.
func newest(ctx context.Context, from store.Segments, root store.Root) (Point, error) {
	p, err := lastTx(root.Tail, true)
	if err == nil {
		return p, nil
	}
	if !errors.Is(err, errNoTxs) {
		return p, fmt.Errorf("read log tail: %w", err)
	}
	p, err = newestBelow(ctx, from, node{id: root.Log, at: logRoot})
	if !errors.Is(err, errNoTxs) {
		return p, err
	}
	r, err := readIndexRoot(ctx, from, root.Index)
	if err != nil {
		return p, err
	}
	return Point{T: r.BasisT}, nil
}

func readIndexRoot(ctx context.Context, from store.Segments, id segment.ID) (*segment.IndexRoot, error) {
	_, raw, err := read(ctx, from, node{id: id, at: indexRoot})
	if err != nil {
		return nil, err
	}
	return segment.ParseIndexRoot(raw)
}

// newestBelow returns the newest transaction below a node of the log. Nodes may be empty.
func newestBelow(ctx context.Context, from store.Segments, n node) (Point, error) {
	children, raw, err := read(ctx, from, n)
	if err != nil {
		return Point{}, err
	}
	if n.at == logLeaf {
		return lastTx(raw, false)
	}
	for i := len(children) - 1; i >= 0; i-- {
		p, err := newestBelow(ctx, from, children[i])
		if !errors.Is(err, errNoTxs) {
			return p, err
		}
	}
	return Point{}, errNoTxs
}

// read gets a node and opens it.
func read(ctx context.Context, from store.Segments, n node) ([]node, []byte, error) {
	stored, err := from.Segment(ctx, n.id)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", n.at, err)
	}
	children, raw, err := n.open(stored, nil, glance)
	if err != nil {
		return nil, raw, fmt.Errorf("read %s: %w", n, err)
	}
	return children, raw, nil
}
