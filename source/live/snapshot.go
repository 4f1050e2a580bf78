package live

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"dclone"
	"dclone/datomic/live"
	"dclone/datomic/local"
	"dclone/schema"
	"dclone/source"
)

// sliceLen is how many datoms Current and History yield at a time, or a few more.
const sliceLen = 512

// A snapshot is the database as of t.
type snapshot struct {
	conn         *Conn
	t            dclone.T
	maxInstant   dclone.Instant
	schema       *schema.Schema
	schemaDatoms []dclone.Datom
	attributes   []source.AttributeCount
	lost         map[dclone.EntityID][]dclone.Datom // attributes that were read from the log
}

// Snapshot returns the database as of t.
func (c *Conn) Snapshot(ctx context.Context, t dclone.T, _ source.Options) (source.Snapshot, error) {
	s := &snapshot{conn: c, t: t}
	// Datomic refuses instants before that of the newest transaction, which therefore has the greatest.
	if err := c.at(ctx, t, func(tx *dclone.Tx) { s.maxInstant = tx.Instant }); err != nil {
		return nil, err
	}
	if err := s.readSchema(ctx); err != nil {
		return nil, fmt.Errorf("read schema of %s: %w", c.db, err)
	}
	if err := s.listAttributes(ctx); err != nil {
		return nil, err
	}
	if err := s.readLost(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *snapshot) Basis() dclone.T                     { return s.t }
func (s *snapshot) Born() dclone.T                      { return s.conn.Born() }
func (s *snapshot) MaxInstant() dclone.Instant          { return s.maxInstant }
func (s *snapshot) Schema() *schema.Schema              { return s.schema }
func (s *snapshot) SchemaDatoms() []dclone.Datom        { return s.schemaDatoms }
func (s *snapshot) Attributes() []source.AttributeCount { return s.attributes }
func (s *snapshot) Close() error                        { return nil }

type stream = iter.Seq2[[]dclone.Datom, error]

// Current yields the datoms of one attribute that hold.
func (s *snapshot) Current(ctx context.Context, a dclone.EntityID) stream {
	if all, is := s.lost[a]; is {
		return fromLog(all, fold)
	}
	return s.read(ctx, a, false, hold)
}

// Holders is Current: the values come anyway.
func (s *snapshot) Holders(ctx context.Context, a dclone.EntityID) stream { return s.Current(ctx, a) }

// History yields the datoms of all time.
func (s *snapshot) History(ctx context.Context, a dclone.EntityID) stream {
	if all, is := s.lost[a]; is {
		return fromLog(all, once)
	}
	return s.read(ctx, a, true, inTime)
}

// hold puts an entity's datoms in the order of their values, and leaves the oldest of those that are of one value.
func hold(of []dclone.Datom) []dclone.Datom {
	slices.SortStableFunc(of, func(x, y dclone.Datom) int {
		return cmp.Or(local.CompareValues(x.V, y.V), cmp.Compare(x.Tx, y.Tx))
	})
	kept := of[:0]
	for _, d := range of {
		if !repeats(kept, d.V) {
			kept = append(kept, d)
		}
	}
	return kept
}

// repeats reports whether v is among the last of some datoms, which are in the order of their values.
func repeats(of []dclone.Datom, v dclone.Value) bool {
	for i := len(of) - 1; i >= 0 && local.CompareValues(of[i].V, v) == 0; i-- {
		if string(of[i].V) == string(v) {
			return true
		}
	}
	return false
}

// inTime puts an entity's datoms in the order they came about.
func inTime(of []dclone.Datom) []dclone.Datom {
	slices.SortStableFunc(of, func(x, y dclone.Datom) int {
		return cmp.Or(cmp.Compare(x.Tx, y.Tx), source.Before(!x.Added, !y.Added), local.CompareValues(x.V, y.V))
	})
	return of
}

// read yields what take leaves of the datoms of one entity after the other.
func (s *snapshot) read(ctx context.Context, a dclone.EntityID, history bool, take func([]dclone.Datom) []dclone.Datom) stream {
	return func(yield func([]dclone.Datom, error) bool) {
		if s.schema.Attribute(a) == nil {
			return
		}
		g := grouper{take: take}
		for datoms, err := range s.conn.db.Datoms(ctx, live.Range{Attr: a, At: s.t, History: history, Chunk: s.conn.opt.Chunk}) {
			if err == nil {
				err = s.conn.pace.wait(ctx, len(datoms))
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for _, d := range datoms {
				g.add(d)
				if out := g.settled(sliceLen); out != nil && !yield(out, nil) {
					return
				}
			}
			if out := g.settled(1); out != nil && !yield(out, nil) {
				return
			}
			g.own()
		}
		if out := g.rest(); len(out) > 0 {
			yield(out, nil)
		}
	}
}

// A grouper gathers datoms, entity by entity.
type grouper struct {
	take  func([]dclone.Datom) []dclone.Datom
	all   []dclone.Datom
	from  int // where those of the last entity begin
	given int // how many were yielded, and are to be dropped
	owned int // how many of the last entity have values of their own, counted from the beginning of all
}

// add takes a datom in.
func (g *grouper) add(d dclone.Datom) {
	if g.given > 0 {
		g.all = g.all[:copy(g.all, g.all[g.given:])]
		g.from, g.owned, g.given = g.from-g.given, max(0, g.owned-g.given), 0
	}
	if len(g.all) > g.from && g.all[g.from].E != d.E {
		g.settle()
	}
	g.all = append(g.all, d)
}

// settle ends an entity.
func (g *grouper) settle() {
	of := g.all[g.from:]
	if len(of) > 1 {
		of = g.take(of)
	}
	g.all = g.all[:g.from+len(of)]
	g.from, g.owned = len(g.all), len(g.all)
}

// settled returns the entities that have ended, nil where they have not as many datoms as that.
func (g *grouper) settled(enough int) []dclone.Datom {
	if g.from < enough || g.given > 0 {
		return nil
	}
	g.given = g.from
	return g.all[:g.given]
}

// own copies the values of the last entity, for the memory they are in is about to go.
func (g *grouper) own() {
	for i := max(g.from, g.owned); i < len(g.all); i++ {
		g.all[i].V = slices.Clone(g.all[i].V)
	}
	g.owned = len(g.all)
}

// rest returns what is left in the end.
func (g *grouper) rest() []dclone.Datom {
	g.add(dclone.Datom{E: -1})
	return g.all[:g.from]
}
