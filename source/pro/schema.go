package pro

import (
	"context"
	"fmt"
	"slices"

	"dclone"
	"dclone/datomic/segment"
	"dclone/fressian"
	"dclone/schema"
	"dclone/source"
)

// readSchema reads what the db partition has of builtin attributes. The log has the same, but to read
// it whole for that would take as long as a first copy.
func (s *snapshot) readSchema(ctx context.Context) error {
	idents, err := s.historyOfDB(ctx, dclone.AttrIdent)
	if err != nil {
		return err
	}
	all := idents
	seen := map[dclone.EntityID]bool{dclone.AttrIdent: true}
	for _, d := range idents {
		if seen[d.E] || !s.builtin(d) {
			continue
		}
		seen[d.E] = true
		more, err := s.historyOfDB(ctx, d.E)
		if err != nil {
			return err
		}
		all = append(all, more...)
	}
	s.schemaDatoms = all
	sc := new(schema.Schema)
	if err := s.apply(sc, all); err != nil {
		return err
	}
	s.schema = sc
	return nil
}

// builtin reports whether an ident is that of a builtin: of what the database was born with, or an upgrade
// has added, which alone may take such names.
func (s *snapshot) builtin(ident dclone.Datom) bool {
	if ident.Tx.T() <= s.Born() {
		return true
	}
	v, _, err := fressian.Decode(ident.V)
	kw, ok := v.(dclone.Keyword)
	return err == nil && ok && kw.IsReserved()
}

// historyOfDB returns what there is of an attribute in the db partition, which comes first.
func (s *snapshot) historyOfDB(ctx context.Context, a dclone.EntityID) (all []dclone.Datom, err error) {
	for datoms, err := range s.History(ctx, a) {
		if err != nil {
			return nil, err
		}
		for _, d := range datoms {
			if d.E.Partition() != dclone.PartDB {
				return all, nil
			}
			d.V = slices.Clone(d.V)
			all = append(all, d)
		}
	}
	return all, nil
}

// apply sorts datoms by transaction and adds them to a schema.
func (s *snapshot) apply(to *schema.Schema, all []dclone.Datom) error {
	source.SortSchema(all)
	for of := range source.ByTx(all) {
		if err := to.Apply(of); err != nil {
			return fmt.Errorf("read %s: %w", s.conn.db, err)
		}
	}
	return nil
}

// named returns the entities of the db partition that ever had a name, such as attributes of
// Datomic's own. Those a database was not born with got theirs when its schema was upgraded: the
// index tells.
func (c *Conn) named(ctx context.Context, r *roots, kw dclone.Keyword) (es []dclone.EntityID, err error) {
	has := func(d dclone.Datom) bool {
		v, _, err := fressian.Decode(d.V)
		return err == nil && v == kw && d.A == dclone.AttrIdent && d.Added
	}
	for _, tx := range c.born {
		for _, d := range tx.Datoms {
			if has(d) {
				return []dclone.EntityID{d.E}, nil
			}
		}
	}
	for _, t := range c.trees(r, segment.AEVT) {
		for all, err := range t.scan(ctx, stretch{dclone.AttrIdent, dclone.AttrIdent + 1}) {
			if err != nil {
				return nil, err
			}
			for _, d := range all {
				if d.E.Partition() == dclone.PartDB && has(d) {
					es = append(es, d.E)
				}
			}
			if all[len(all)-1].E.Partition() != dclone.PartDB {
				break
			}
		}
	}
	return es, nil
}
