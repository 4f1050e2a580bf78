package live

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"dclone"
	"dclone/schema"
	"dclone/source"
)

// readSchema reads what entities of the db partition have of builtin attributes, and what that says.
func (s *snapshot) readSchema(ctx context.Context) error {
	end := dclone.MakeEntityID(dclone.PartDB+1, 0)
	names, err := s.conn.until(ctx, dclone.AttrIdent, s.t, end)
	if err != nil {
		return err
	}
	all := names
	seen := map[dclone.EntityID]bool{dclone.AttrIdent: true}
	for _, d := range names {
		builtin, err := s.conn.builtin(d)
		if err != nil {
			return err
		}
		if seen[d.E] || !builtin {
			continue
		}
		seen[d.E] = true
		more, err := s.conn.until(ctx, d.E, s.t, end)
		if err != nil {
			return err
		}
		all = append(all, more...)
	}
	source.SortSchema(all)
	s.schemaDatoms, s.schema = all, new(schema.Schema)
	for of := range source.ByTx(all) {
		if s.conn.inLog {
			if err := s.asInLog(ctx, of); err != nil {
				return err
			}
		}
		if err := s.schema.Apply(of); err != nil {
			return err
		}
	}
	return nil
}

// builtin reports whether an ident's datom is of something the database was born with, or got by an upgrade of its base
// schema.
func (c *Conn) builtin(d dclone.Datom) (bool, error) {
	if d.Tx.T() <= c.Born() {
		return true, nil
	}
	kw, err := keyword(d)
	return kw.IsReserved(), err
}

// asInLog puts datoms of one transaction in the order that has it. What is not there comes last.
func (s *snapshot) asInLog(ctx context.Context, of []dclone.Datom) error {
	type fact struct {
		e, a  dclone.EntityID
		v     string
		added bool
	}
	of0 := func(d dclone.Datom) fact { return fact{d.E, d.A, string(d.V), d.Added} }
	place := map[fact]int{}
	err := s.conn.at(ctx, of[0].Tx.T(), func(tx *dclone.Tx) {
		for i, d := range tx.Datoms {
			if d.E.Partition() == dclone.PartDB {
				place[of0(d)] = i + 1
			}
		}
	})
	slices.SortStableFunc(of, func(x, y dclone.Datom) int {
		i, j := place[of0(x)], place[of0(y)]
		return cmp.Or(source.Before(i > 0, j > 0), cmp.Compare(i, j))
	})
	return err
}

// listAttributes finds out which attributes have datoms.
func (s *snapshot) listAttributes(ctx context.Context) error {
	var installed []dclone.EntityID
	for a := range s.schema.Attributes() {
		installed = append(installed, a.ID)
	}
	present, err := s.conn.db.Present(ctx, s.t, installed)
	if err != nil {
		return err
	}
	stats, err := s.conn.db.Stats(ctx)
	if err != nil {
		return fmt.Errorf("count datoms: %w", err)
	}
	for _, a := range present {
		s.attributes = append(s.attributes, source.AttributeCount{A: a, Count: max(stats[s.schema.Ident(a)], 1)})
	}
	return nil
}
