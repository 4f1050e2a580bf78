package backup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dclone/store"
	"dclone/store/kvs"
)

// ErrAlive says that a transactor is at work on a storage.
var ErrAlive = errors.New("a transactor is alive there: stop it first")

// Restore copies a restore point into a storage, as the database of some name. By Datomic's rules that may be
// there already at another t, but not be another database, nor have another name; the error is a
// *kvs.CollisionError then, and a *RuleError where there is no such restore point. Peers see nothing of
// it before it is complete, and must be started anew. What was copied by one that failed counts
// for the next.
func Restore(ctx context.Context, from *store.Backup, to *kvs.Storage, name string, opt Options) (Report, error) {
	r := &restorer{tally: tally{progress: opt.Progress}, from: from, to: to}
	t, err := pick(ctx, from, opt, "restore")
	r.report.T = t
	if err != nil {
		return r.report, err
	}
	root, err := from.Root(ctx, t)
	if err != nil {
		return r.report, err
	}
	r.report.DatabaseID = root.DatabaseID
	if _, err := lastTx(root.Tail, true); err != nil && !errors.Is(err, errNoTxs) {
		return r.report, fmt.Errorf("restore log tail from %s: %w", from, err)
	}
	if err := to.CheckName(ctx, name, root.DatabaseID); err != nil {
		return r.report, err
	}
	err = r.quiet(ctx, opt, func() error { return r.copy(ctx, root, opt.Concurrency) })
	if err != nil {
		return r.report, err
	}
	return r.report, to.Publish(ctx, name, root)
}

// quiet does f where no transactor is alive. If one may have been started meanwhile, that is an error.
func (r *restorer) quiet(ctx context.Context, opt Options, f func() error) error {
	if opt.Force {
		return f()
	}
	wait := opt.AliveWait
	if wait <= 0 {
		wait = DefaultAliveWait
	}
	if err := r.checkAlive(ctx, wait); err != nil {
		return err
	}
	begin := time.Now()
	if err := f(); err != nil {
		return err
	}
	if time.Since(begin) < wait {
		return nil // a transactor takes as long to start
	}
	return r.checkAlive(ctx, wait)
}

func (r *restorer) checkAlive(ctx context.Context, wait time.Duration) error {
	alive, err := r.to.Alive(ctx, wait)
	if err == nil && alive {
		err = fmt.Errorf("restore into %s: %w", r.to, ErrAlive)
	}
	return err
}

// A restorer is a run of Restore.
type restorer struct {
	tally
	from *store.Backup
	to   *kvs.Storage
}

func (r *restorer) copy(ctx context.Context, root store.Root, workers int) error {
	return run(ctx, workers, func(ctx context.Context, crew crew) error {
		return r.nodes(ctx, crew, []node{{id: root.Index, at: indexRoot}, {id: root.Log, at: logRoot}})
	})
}

// Leaves are looked for, and written, so many at a time, and so many bytes of them.
const (
	groupLen   = 64
	groupBytes = 4 << 20
)

// nodes restores nodes and all that is below them. They are of one place, but for the two roots.
func (r *restorer) nodes(ctx context.Context, crew crew, nodes []node) error {
	if len(nodes) == 0 || !nodes[0].at.isLeaf() {
		return crew.each(ctx, len(nodes), func(ctx context.Context, i int) error {
			return r.node(ctx, crew, nodes[i])
		})
	}
	groups := (len(nodes) + groupLen - 1) / groupLen
	return crew.each(ctx, groups, func(ctx context.Context, i int) error {
		return r.leaves(ctx, nodes[i*groupLen:min((i+1)*groupLen, len(nodes))])
	})
}

// node restores what is below a node, whether the node is there or not, and then the node.
func (r *restorer) node(ctx context.Context, crew crew, n node) error {
	stored, children, err := r.read(ctx, n)
	if err != nil {
		return err
	}
	if err := r.nodes(ctx, crew, children); err != nil {
		return err
	}
	has, err := r.to.HasSegments(ctx, []string{n.id})
	if err != nil {
		return err
	}
	if has[n.id] {
		r.skipped()
		return ctx.Err()
	}
	return r.put(ctx, []string{n.id}, [][]byte{stored})
}

// leaves restores those of some leaves that are not there.
func (r *restorer) leaves(ctx context.Context, leaves []node) error {
	ids := make([]string, len(leaves))
	for i, n := range leaves {
		ids[i] = n.id
	}
	has, err := r.to.HasSegments(ctx, ids)
	if err != nil {
		return err
	}
	var lacking []string
	var vals [][]byte
	size := 0
	for _, n := range leaves {
		if has[n.id] {
			r.skipped()
			continue
		}
		stored, _, err := r.read(ctx, n)
		if err != nil {
			return err
		}
		lacking, vals = append(lacking, n.id), append(vals, stored)
		if size += len(stored); size >= groupBytes {
			if err := r.put(ctx, lacking, vals); err != nil {
				return err
			}
			lacking, vals, size = nil, nil, 0
		}
	}
	return r.put(ctx, lacking, vals)
}

// put writes segments.
func (r *restorer) put(ctx context.Context, ids []string, vals [][]byte) error {
	if len(ids) == 0 {
		return nil
	}
	if err := r.to.PutSegments(ctx, ids, vals); err != nil {
		return err
	}
	for _, val := range vals {
		r.copied(len(val))
	}
	return nil
}

// read reads a node of the backup, to its end.
func (r *restorer) read(ctx context.Context, n node) (stored []byte, children []node, err error) {
	stored, err = r.from.Segment(ctx, n.id)
	if err != nil {
		return nil, nil, fmt.Errorf("restore %s: %w", n.at, err)
	}
	if children, err = n.check(stored); err != nil {
		return nil, nil, fmt.Errorf("restore %s from %s: %w", n, r.from, err)
	}
	return stored, children, nil
}
