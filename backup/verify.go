package backup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dclone"
	"dclone/datomic/segment"
	"dclone/store"
)

// Verify looks whether a restore point is whole. It reports all that is missing or bad; what only a
// missing or unreadable node leads to it cannot know of. The error is not about that: where
// there is one, Verify did not come to the end.
func Verify(ctx context.Context, b *store.Backup, opt Options) (Report, error) {
	v := &verifier{tally: tally{progress: opt.Progress}, b: b, readAll: opt.ReadAll, seen: map[idKey]place{}, bad: map[string]Bad{},
		missing: map[string]Bad{}}
	t, err := pick(ctx, b, opt, "verify")
	v.report.T = t
	if err != nil {
		return v.report, err
	}
	root, err := b.Root(ctx, t)
	var damage *segment.DamageError
	if errors.As(err, &damage) {
		v.bad[""] = Bad{Kind: "root", File: rootFile(t), Why: err.Error(), Leads: true}
		return v.result(), nil
	} else if err != nil {
		return v.report, err
	}
	v.version = root.Version
	v.report.DatabaseID = root.DatabaseID
	if err := checkTxs(root.Tail, true, node{}); err != nil {
		v.bad[""] = Bad{Kind: "log tail", File: rootFile(t), Why: err.Error()}
	}
	err = run(ctx, opt.Concurrency, func(ctx context.Context, crew crew) error {
		return v.nodes(ctx, crew, []node{{id: root.Index, at: indexRoot}, {id: root.Log, at: logRoot}})
	})
	v.checkEnd(ctx, root)
	if err == nil && len(v.missing)+len(v.bad) > 0 {
		_, err = b.Root(ctx, t) // or all of it has gone meanwhile, which says nothing of segments
	}
	return v.result(), err
}

// checkEnd looks whether the log comes to the restore point. Where it cannot be read, that is known.
func (v *verifier) checkEnd(ctx context.Context, root store.Root) {
	t := v.report.T
	p, err := newest(ctx, v.b, root)
	if _, known := v.bad[""]; known || err != nil || p.Instant == 0 || p.T >= t {
		return
	}
	v.bad[""] = Bad{Kind: "root", File: rootFile(t), Why: fmt.Sprintf("the log ends at t %d, before the restore point", p.T)}
}

func rootFile(t dclone.T) string { return fmt.Sprintf("roots/%d", t) }

// A verifier is a run of Verify.
type verifier struct {
	tally
	b       *store.Backup
	readAll bool
	version int // of the backup's format

	// Under the tally's lock.
	seen    map[idKey]place
	missing map[string]Bad
	bad     map[string]Bad
}

func (v *verifier) result() Report {
	r := v.report
	r.Missing, r.Unreadable = byID(v.missing), byID(v.bad)
	return r
}

func byID(bad map[string]Bad) (sorted []Bad) {
	for _, id := range slices.Sorted(maps.Keys(bad)) {
		sorted = append(sorted, bad[id])
	}
	return sorted
}

func (v *verifier) nodes(ctx context.Context, crew crew, nodes []node) error {
	return crew.each(ctx, len(nodes), func(ctx context.Context, i int) error {
		return v.node(ctx, crew, nodes[i])
	})
}

// node looks at a node, and at what is below it. A leaf that several dirs name is looked at for each.
func (v *verifier) node(ctx context.Context, crew crew, n node) error {
	before, again := v.first(n)
	if again && before != n.at {
		v.note(v.bad, n, fmt.Errorf("one node names it as %s, another as %s", before, n.at))
	}
	if again && (before != n.at || n.at != treeLeaf || !v.readAll) {
		return ctx.Err()
	}
	if n.at.isLeaf() && !v.readAll {
		return v.present(ctx, n)
	}
	stored, err := v.b.Segment(ctx, n.id)
	if err != nil {
		return v.trouble(ctx, n, err)
	}
	children, err := n.examine(stored)
	if err == nil && strings.Contains(n.id, "_") && v.version >= 3 {
		err = v.inItsCase(ctx, n)
	}
	if err != nil {
		v.note(v.bad, n, err)
	}
	return v.nodes(ctx, crew, children)
}

// first notes that something names a node. Where it is not the first, it tells as what the first did.
func (v *verifier) first(n node) (before place, again bool) {
	key := keyOf(n.id)
	v.mu.Lock()
	before, again = v.seen[key]
	if !again {
		v.seen[key] = n.at
	}
	v.mu.Unlock()
	if !again {
		v.add(func(r *Report) { r.Total++ })
	}
	return before, again
}

// present looks whether a segment is there.
func (v *verifier) present(ctx context.Context, n node) error {
	has, err := v.b.HasSegment(ctx, n.id)
	if err == nil && !has {
		if _, err = v.b.Segment(ctx, n.id); err == nil && v.version >= 3 {
			err = errElsewhere
		}
	}
	if err != nil {
		return v.trouble(ctx, n, err)
	}
	return nil
}

var errElsewhere = errors.New("its file is not where Datomic looks for it")

// inItsCase looks whether the file of a segment whose id has letters of both cases is there under its
// own name.
func (v *verifier) inItsCase(ctx context.Context, n node) error {
	has, err := v.b.HasSegment(ctx, n.id)
	if err == nil && !has {
		err = errElsewhere
	}
	return err
}

// trouble notes that a segment is missing, or could not be read. It is an error where the root, which was
// read before, cannot be read any more either: that says nothing of the segment.
func (v *verifier) trouble(ctx context.Context, n node, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, store.ErrMissing) {
		v.note(v.missing, n, store.ErrMissing)
		return nil
	}
	if _, err := v.b.Root(ctx, v.report.T); err != nil {
		return err
	}
	v.note(v.bad, n, err)
	return nil
}

// note takes a segment down. What was found first is kept.
func (v *verifier) note(in map[string]Bad, n node, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, known := in[n.id]; !known {
		in[n.id] = Bad{ID: n.id, Kind: n.at.String(), File: v.file(n.id), Why: err.Error(), Leads: !n.at.isLeaf()}
	}
}

// file is where Datomic keeps a segment.
func (v *verifier) file(id string) string {
	if v.version < 3 || len(id) < 2 {
		return "values/" + id
	}
	return "values/" + id[len(id)-2:] + "/" + id
}
