package live

import (
	"errors"
	"strings"

	"dclone"
	"dclone/datomic/live"
	"dclone/fressian"
)

// NeedsIndex reports whether an attribute, which may be under way, must get :db/index before it can become unique.
func (c *Clone) NeedsIndex(a dclone.EntityID) (bool, error) {
	if !c.conn.Indexes || a < 0 {
		return c.conn.Indexes, nil
	}
	basis, err := c.conn.DB.Refresh(c.ctx)
	if err != nil {
		return false, err
	}
	yes, _ := fressian.Append(nil, true)
	for datoms, err := range c.conn.DB.Datoms(c.ctx, live.Range{Attr: c.Ident(dclone.Kw("db", "index")), At: basis, End: a + 1}) {
		if err != nil {
			return false, err
		}
		for _, d := range datoms {
			if d.E == a && string(d.V) == string(yes) {
				return false, nil
			}
		}
	}
	return true, nil
}

// needsIndexJob reports whether a transaction is refused until an index job has indexed what it makes unique.
func needsIndexJob(err error) bool {
	var refused *live.Refused
	return errors.As(err, &refused) && strings.Contains(refused.Error(), "unique-without-index")
}

// indexes returns a helper that gives :db/index to attributes that are there, and become unique. Only behind that can be
// asked who holds their values.
func (m *making) indexes(datoms []dclone.Datom) ([]*frame, error) {
	t := m.t
	yes, _ := fressian.Append(nil, true)
	var forms []form
	for _, d := range datoms {
		if d.A == t.entity("db", "index") {
			t.indexed[d.E] = d.Added && string(d.V) == string(yes)
		}
		if d.A != t.entity("db", "unique") || !d.Added || m.new[d.E] {
			continue
		}
		t.step.Ends = true
		a, _, err := m.id(d.E)
		if err != nil {
			return nil, err
		}
		needs, err := t.Clone.NeedsIndex(a)
		if err != nil {
			return nil, err
		}
		if needs && !t.indexed[d.E] {
			forms = append(forms, form{added: true, e: a, a: t.Clone.Ident(dclone.Kw("db", "index")), v: yes})
		}
	}
	if forms == nil {
		return nil, nil
	}
	return []*frame{t.frame(0, forms)}, nil
}
