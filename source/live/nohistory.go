package live

import (
	"cmp"
	"context"
	"slices"

	"dclone"
	"dclone/datomic/live"
	"dclone/datomic/local"
)

// readLost reads from the log the attributes of which the database does not tell what was true as of t: those with
// :db/noHistory, where it has gone past t. Datomic Local forgets nothing.
func (s *snapshot) readLost(ctx context.Context) error {
	if s.t >= s.conn.db.Basis() || s.conn.db.Info().Kind == live.KindLocal {
		return nil
	}
	lost := map[dclone.EntityID][]dclone.Datom{}
	noHistory, _ := s.schema.Entity(dclone.Kw("db", "noHistory"))
	for _, d := range s.schemaDatoms {
		if d.A == noHistory && d.Added && string(d.V) == valueTrue && d.E != noHistory {
			lost[d.E] = nil
		}
	}
	if len(lost) == 0 {
		return nil
	}
	for tx, err := range s.conn.log(ctx, s.conn.Born()+1, s.t, s.conn.opt.Chunk) {
		if err != nil {
			return err
		}
		for _, d := range tx.Datoms {
			if all, is := lost[d.A]; is {
				d.V = slices.Clone(d.V)
				lost[d.A] = append(all, d)
			}
		}
	}
	for _, all := range lost {
		slices.SortStableFunc(all, func(x, y dclone.Datom) int { return cmp.Compare(x.E, y.E) })
	}
	s.lost = lost
	return nil
}

const valueTrue = "\xF5"

// fromLog yields what take leaves of the datoms of one entity after the other.
func fromLog(all []dclone.Datom, take func([]dclone.Datom) []dclone.Datom) stream {
	return func(yield func([]dclone.Datom, error) bool) {
		var out []dclone.Datom
		for len(all) > 0 {
			n := 1
			for n < len(all) && all[n].E == all[0].E {
				n++
			}
			out = append(out, take(slices.Clone(all[:n]))...)
			all = all[n:]
			if len(out) >= sliceLen {
				if !yield(out, nil) {
					return
				}
				out = out[:0]
			}
		}
		if len(out) > 0 {
			yield(out, nil)
		}
	}
}

// fold leaves of an entity's datoms of all time those that hold: of each value the oldest assertion since the last
// retraction, by value.
func fold(of []dclone.Datom) []dclone.Datom {
	of = inTime(of)
	slices.SortStableFunc(of, func(x, y dclone.Datom) int { return local.CompareValues(x.V, y.V) })
	kept := of[:0]
	for len(of) > 0 {
		n := 1
		for n < len(of) && local.CompareValues(of[n].V, of[0].V) == 0 {
			n++
		}
		holds := -1
		for i, d := range of[:n] {
			switch {
			case !d.Added:
				holds = -1
			case holds < 0:
				holds = i
			}
		}
		if holds >= 0 {
			kept = append(kept, of[holds])
		}
		of = of[n:]
	}
	return kept
}

// once leaves out datoms that are there twice: the log has a retraction twice that a transaction asks for and implies, too.
func once(of []dclone.Datom) []dclone.Datom {
	return slices.CompactFunc(inTime(of), func(x, y dclone.Datom) bool {
		return x.Tx == y.Tx && x.Added == y.Added && string(x.V) == string(y.V)
	})
}
