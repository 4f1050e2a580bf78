package desttest

import (
	"slices"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/eidmap"
	"dclone/fressian"
	"dclone/historytest"
)

// replayed compares the transactions behind the first copy, one by one.
func (c *comparison) replayed() {
	clone := c.own()
	held := holdings{}
	for _, tx := range c.src.Txs {
		if tx.T <= c.pos.Basis {
			held.apply(tx)
			continue
		}
		require.NotEmpty(c.t, clone, "source t %d has no transaction in the clone", tx.T)
		c.transaction(tx, clone[0], held)
		clone = clone[1:]
		held.apply(tx)
	}
	require.Empty(c.t, clone, "transactions that the source has not")
}

// own returns the replayed transactions of the clone, those that were cut in parts as one, and without helpers.
func (c *comparison) own() (txs []historytest.Tx) {
	var open *historytest.Tx
	for _, tx := range c.clone.Txs {
		if tx.T <= c.pos.Loaded || !c.caps.Verbatim && c.helper(tx) {
			continue
		}
		_, stands := c.from[dclone.TxID(tx.T)]
		if !c.caps.Verbatim && !stands && len(tx.Datoms) > manyDatoms { // a part
			if open == nil {
				open = &historytest.Tx{}
			}
			open.Datoms = append(open.Datoms, c.butInstant(tx)...)
			continue
		}
		if open != nil {
			tx.Datoms = append(open.Datoms, tx.Datoms...)
			open = nil
		}
		txs = append(txs, tx)
	}
	require.Nil(c.t, open, "a transaction of which only parts are there")
	return txs
}

// manyDatoms is how many a transaction has that may be a part.
const manyDatoms = 1000

// helper reports whether a transaction only mints entities.
func (c *comparison) helper(tx historytest.Tx) bool {
	said := c.butInstant(tx)
	return len(said) > 0 && !slices.ContainsFunc(said, func(d dclone.Datom) bool {
		v, _, _ := fressian.Decode(d.V)
		return c.clone.Name[d.A] != dclone.Kw("db", "doc") || v != "dclone"
	})
}

// butInstant returns the datoms of a transaction without that of its instant.
func (c *comparison) butInstant(tx historytest.Tx) []dclone.Datom {
	return slices.DeleteFunc(slices.Clone(tx.Datoms), func(d dclone.Datom) bool {
		return d.E == dclone.TxID(d.Tx.T()) && c.clone.Name[d.A] == dclone.Kw("db", "txInstant")
	})
}

// transaction compares one of the source with the clone's.
func (c *comparison) transaction(src, clone historytest.Tx, held holdings) {
	told := func(d dclone.Datom) bool { return c.src.Name[d.A] == dclone.Kw("db", "txInstant") && d.E == d.Tx }
	if !c.mayLack(historytest.Fact{A: c.src.Keyword[dclone.Kw("db", "txInstant")]}) || clone.Instant < src.Instant {
		require.Equal(c.t, src.Instant, clone.Instant, "instant of source t %d", src.T)
	}
	if e := c.to[dclone.TxID(src.T)]; e.IsTx() || !c.referred(src.T) {
		require.Equal(c.t, dclone.TxID(clone.T), e, "what transaction t %d of the source became", src.T)
	}
	var want, have []datom
	for _, d := range src.Datoms {
		f := historytest.Fact{E: d.E, A: d.A, V: string(d.V)}
		_, carried := c.to[d.E]
		switch {
		case told(d), c.lost(f), !carried && c.mayLack(f):
		case !c.caps.Verbatim && (derived(c.src.Name[d.A]) || held.redundant(d)):
		default:
			f = c.translate(f)
			want = append(want, datom{f, d.Added})
		}
	}
	for _, d := range c.butInstant(clone) {
		if c.caps.Verbatim || !derived(c.clone.Name[d.A]) {
			have = append(have, datom{historytest.Fact{E: d.E, A: d.A, V: string(d.V)}, d.Added})
		}
	}
	if c.caps.Verbatim {
		require.Equal(c.t, want, have, "source t %d, clone t %d", src.T, clone.T)
		return
	}
	for _, w := range want {
		i := slices.IndexFunc(have, func(h datom) bool { return h == w })
		if i < 0 && !w.added { // it is retracted as it was last said, or as it was first
			i = slices.IndexFunc(have, func(h datom) bool {
				return !h.added && h.E == w.E && h.A == w.A && same(dclone.Value(h.V), dclone.Value(w.V))
			})
		}
		if i < 0 && c.mayLack(historytest.Fact{E: c.from[w.E], A: c.from[w.A]}) {
			continue
		}
		require.GreaterOrEqual(c.t, i, 0, "source t %d, clone t %d: missing %s of %s", src.T, clone.T, c.line(w.Fact, w.added), c.clone.Name[w.A])
		have = slices.Delete(have, i, i+1)
	}
	for _, h := range have {
		require.Fail(c.t, "too much", "source t %d, clone t %d: %s of %s", src.T, clone.T, c.line(h.Fact, h.added), c.clone.Name[h.A])
	}
}

type datom struct {
	historytest.Fact
	added bool
}

// holdings are the values that hold.
type holdings map[holder][]dclone.Value

type holder struct{ e, a dclone.EntityID }

func (h holdings) apply(tx historytest.Tx) {
	for _, d := range tx.Datoms {
		at := holder{d.E, d.A}
		if !d.Added {
			h[at] = slices.DeleteFunc(h[at], func(v dclone.Value) bool { return same(v, d.V) })
		}
	}
	for _, d := range tx.Datoms {
		if at := (holder{d.E, d.A}); d.Added {
			h[at] = append(h[at], d.V)
		}
	}
}

// redundant reports whether Datomic leaves a datom out because it changes nothing. An equal value in another form does.
func (h holdings) redundant(d dclone.Datom) bool {
	values := h[holder{d.E, d.A}]
	if d.Added {
		return slices.ContainsFunc(values, func(v dclone.Value) bool { return string(v) == string(d.V) })
	}
	return !slices.ContainsFunc(values, func(v dclone.Value) bool { return same(v, d.V) })
}

// referred reports whether a transaction of the source refers to one that came later.
func (c *comparison) referred(t dclone.T) (found bool) {
	for _, tx := range c.src.Txs {
		for _, d := range tx.Datoms {
			if tx.T < t {
				_, err := eidmap.Rewrite(nil, d.V, c.refs(d.A), func(e dclone.EntityID) (dclone.EntityID, error) {
					found = found || e == dclone.TxID(t)
					return e, nil
				})
				require.NoError(c.t, err)
			}
		}
	}
	return found
}
