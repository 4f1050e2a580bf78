package pro

import (
	"context"
	"errors"
	"slices"
	"sync"

	"dclone"
	"dclone/datomic/local"
	"dclone/datomic/segment"
	"dclone/schema"
	"dclone/source"
	"dclone/store"
)

// A snapshot is the database as of t.
type snapshot struct {
	conn *Conn
	t    dclone.T
	opt  source.Options
	gone excisions // that are pending: what they name is left out

	schema       *schema.Schema
	schemaDatoms []dclone.Datom
	maxInstant   dclone.Instant
	attributes   []source.AttributeCount

	mu    sync.Mutex
	now   *view
	views []*view // all there have been
}

// A view is the trees a snapshot is read from, and what of the log belongs with them.
type view struct {
	roots   *roots
	novelty *novelty
	lost    map[dclone.EntityID]bool // attributes to be read from novelty alone
}

// Snapshot returns the database as of t.
func (c *Conn) Snapshot(ctx context.Context, t dclone.T, opt source.Options) (source.Snapshot, error) {
	r := c.roots()
	if err := c.at1(ctx, t, func(*dclone.Tx) {}); err != nil {
		return nil, err
	}
	gone, err := c.pending(ctx, r)
	if err != nil {
		return nil, err
	}
	s := &snapshot{conn: c, t: t, opt: opt, gone: gone}
	if err := s.open(ctx, r); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *snapshot) open(ctx context.Context, r *roots) error {
	var err error
	if s.now, err = s.newView(ctx, r); err != nil {
		return err
	}
	if err := s.readSchema(ctx); err != nil {
		return err
	}
	if err := s.countAttributes(ctx); err != nil {
		return err
	}
	s.maxInstant = -1 << 63
	for all, err := range s.Current(ctx, local.AttrTxInstant) {
		if err != nil {
			return err
		}
		for _, d := range all {
			if i, ok := local.Instant(d.V); ok && d.E == d.Tx {
				s.maxInstant = max(s.maxInstant, i)
			}
		}
	}
	return nil
}

func (s *snapshot) Basis() dclone.T                     { return s.t }
func (s *snapshot) Born() dclone.T                      { return s.conn.Born() }
func (s *snapshot) MaxInstant() dclone.Instant          { return s.maxInstant }
func (s *snapshot) Schema() *schema.Schema              { return s.schema }
func (s *snapshot) SchemaDatoms() []dclone.Datom        { return s.schemaDatoms }
func (s *snapshot) Attributes() []source.AttributeCount { return s.attributes }

// Close removes the temporary files.
func (s *snapshot) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.views {
		v.novelty.close()
	}
	s.views = nil
	return nil
}

// newView makes ready to read from some roots, or from newer ones where those are gone.
func (s *snapshot) newView(ctx context.Context, r *roots) (*view, error) {
	for renewals := 0; ; renewals++ {
		v := &view{roots: r}
		err := s.fill(ctx, v)
		if err == nil {
			s.views = append(s.views, v)
			return v, nil
		}
		if renewals == maxRenewals {
			return nil, err
		}
		if r, err = s.conn.renew(ctx, r, err); err != nil {
			return nil, err
		}
	}
}

// fill reads what a view needs of the log: what is behind the indexes; or, as of a t they have
// passed, the attributes whose history they do not keep.
func (s *snapshot) fill(ctx context.Context, v *view) (err error) {
	from, want := max(v.roots.index.BasisT, s.conn.Born())+1, func(dclone.Datom) bool { return true }
	if s.t < v.roots.index.BasisT {
		if v.lost, err = s.withoutHistory(ctx, v); err != nil || len(v.lost) == 0 {
			return err
		}
		from, want = 0, func(d dclone.Datom) bool { return v.lost[d.A] }
	}
	v.novelty, err = readNovelty(ctx, s.conn.txs(ctx, v.roots, from, s.t), want, s.opt.MaxMemory, s.opt.TempDir)
	return err
}

// withoutHistory returns the attributes that have or ever had :db/noHistory, as the indexes say.
func (s *snapshot) withoutHistory(ctx context.Context, v *view) (map[dclone.EntityID]bool, error) {
	const valueTrue = 0xF5
	lost := map[dclone.EntityID]bool{}
	attributes, err := s.conn.named(ctx, v.roots, dclone.Kw("db", "noHistory"))
	if err != nil {
		return nil, err
	}
	for _, a := range attributes {
		err := gather(s.streams(ctx, v, a), byEntity, func(group []dclone.Datom) bool {
			for _, d := range group {
				if d.Added && len(d.V) == 1 && d.V[0] == valueTrue {
					lost[d.E] = true
				}
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return lost, nil
}

// view returns the one to read from, another than old where a segment of old was missing.
func (s *snapshot) view(ctx context.Context, old *view, cause error) (*view, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old == nil || errors.Is(cause, store.ErrMissing) && s.now != old {
		return s.now, nil
	}
	r, err := s.conn.renew(ctx, old.roots, cause)
	if err != nil {
		return nil, err
	}
	v, err := s.newView(ctx, r)
	if err != nil {
		return nil, err
	}
	s.now = v
	return v, nil
}

// streams returns where the datoms of an attribute are, in some tiers or in all.
func (s *snapshot) streams(ctx context.Context, v *view, a dclone.EntityID, tiers ...segment.Tier) []stream {
	streams := v.novelty.streams(ctx, a)
	if v.lost[a] {
		return streams
	}
	for _, t := range s.conn.trees(v.roots, segment.AEVT, tiers...) {
		t.ordered = s.inOrder(a)
		st := t.scan(ctx, stretch{a, a + 1})
		if !t.ordered {
			st = sorted(st)
		}
		streams = append(streams, st)
	}
	return streams
}

// trees returns those of an index, of some tiers or of all.
func (c *Conn) trees(r *roots, index segment.Index, tiers ...segment.Tier) (trees []tree) {
	for tier, id := range r.index.Trees[index] {
		if id != "" && (len(tiers) == 0 || slices.Contains(tiers, segment.Tier(tier))) {
			trees = append(trees, tree{nodes: c.nodes, index: index, root: id})
		}
	}
	return trees
}

// ordered are the types whose values a tree is sure to have in our order.
var ordered = map[string]bool{"ref": true, "long": true, "string": true, "keyword": true, "boolean": true,
	"instant": true, "uuid": true, "bytes": true, "symbol": true, "bigint": true, "bigdec": true}

// inOrder reports whether the trees have the values of an attribute in our order.
func (s *snapshot) inOrder(a dclone.EntityID) bool {
	if s.schema == nil {
		return false // it is about to be read
	}
	attr := s.schema.Attribute(a)
	return attr != nil && attr.ValueType.Namespace == "db.type" && ordered[attr.ValueType.Name]
}
