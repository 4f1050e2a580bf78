package segmenttest

import (
	"cmp"
	"slices"

	"dclone"
	"dclone/datomic/local"
	"dclone/datomic/segment"
	"dclone/fressian"

	"github.com/stretchr/testify/require"
)

// indexes stores the indexes of the bootstrap and the transactions, and returns the id of their
// root.
func (b *builder) indexes(txs []dclone.Tx) segment.ID {
	old := txs[:max(len(txs)-b.o.Mid, 0)]
	var settled, recent []dclone.Datom
	for _, tx := range Bootstrap(b.t) {
		settled = append(settled, tx.Datoms...)
	}
	for _, tx := range old {
		settled = append(settled, tx.Datoms...)
	}
	for _, tx := range txs[len(old):] {
		recent = append(recent, tx.Datoms...)
	}
	main, hist := fold(settled)
	in := b.indexed(slices.Concat(settled, recent))
	r := &segment.IndexRoot{Version: 2, Rev: 1, NextT: newest(txs) + 1, BasisT: newest(txs), BirthLevel: 5,
		SchemaLevel: 5, BuildRevision: 7277, Fulltext: b.fulltext("now"), FulltextHist: b.fulltext("then")}
	if b.o.OldIndex {
		r.Version = 1
	}
	for x := range r.Trees {
		x := segment.Index(x)
		r.Trees[x][segment.Main] = b.tree(x, in.of(x, main))
		if b.o.Mid > 0 {
			r.Trees[x][segment.Mid] = b.tree(x, in.of(x, recent))
		}
		if hist := in.of(x, hist); len(hist) > 0 {
			r.Trees[x][segment.Hist] = b.tree(x, hist)
		}
	}
	return b.put(segment.AppendIndexRoot(nil, r))
}

// fold tells the datoms that hold from the retractions and what they ended.
func fold(datoms []dclone.Datom) (main, hist []dclone.Datom) {
	type fact struct {
		e, a dclone.EntityID
		v    string
	}
	holds := map[fact]dclone.Datom{}
	for _, d := range datoms {
		f := fact{d.E, d.A, string(d.V)}
		asserted, known := holds[f]
		switch {
		case d.Added && !known:
			holds[f] = d
		case !d.Added && known:
			hist = append(hist, asserted, d)
			delete(holds, f)
		case !d.Added:
			hist = append(hist, d) // two idents of the bootstrap, that come in t 54, are retracted in t 0
		}
	}
	for _, d := range holds {
		main = append(main, d)
	}
	return main, hist
}

// A coverage says which attributes are in which index.
type coverage struct{ avet, raet map[dclone.EntityID]bool }

// indexed reads from the schema what indexes there are.
func (b *builder) indexed(datoms []dclone.Datom) coverage {
	const valueType, unique, index, ref = 40, 42, 44, 20
	c := coverage{map[dclone.EntityID]bool{}, map[dclone.EntityID]bool{}}
	for _, d := range datoms {
		v, _, err := fressian.Decode(d.V)
		require.NoError(b.t, err)
		switch {
		case d.A == valueType && v == int64(ref):
			c.raet[d.E] = true
		case d.A == unique, d.A == index && v == true:
			c.avet[d.E] = true
		}
	}
	return c
}

func (c coverage) of(x segment.Index, datoms []dclone.Datom) []dclone.Datom {
	in := map[segment.Index]map[dclone.EntityID]bool{segment.AVET: c.avet, segment.RAET: c.raet}[x]
	var covered []dclone.Datom
	for _, d := range datoms {
		if in == nil || in[d.A] {
			covered = append(covered, d)
		}
	}
	slices.SortFunc(covered, func(p, q dclone.Datom) int { return Compare(x, p, q) })
	return covered
}

// Compare orders datoms as an index has them.
func Compare(x segment.Index, p, q dclone.Datom) int {
	e, a, v := cmp.Compare(p.E, q.E), cmp.Compare(p.A, q.A), local.CompareValues(p.V, q.V)
	newestFirst := cmp.Or(cmp.Compare(q.Tx, p.Tx), cmp.Compare(b2i(q.Added), b2i(p.Added)))
	switch x {
	case segment.EAVT:
		return cmp.Or(e, a, v, newestFirst)
	case segment.AEVT:
		return cmp.Or(a, e, v, newestFirst)
	case segment.AVET:
		return cmp.Or(a, v, e, newestFirst)
	}
	return cmp.Or(v, a, e, newestFirst)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
