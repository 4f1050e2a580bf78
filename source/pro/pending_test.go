package pro_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/segment/segmenttest"
	"dclone/source"
	"dclone/source/pro"
	"dclone/store"
)

// What an excision takes before its index job has run is what the job would take. The cases are those that
// real Datomic was asked: which datoms are left after the job.
func TestPendingExcisions(t *testing.T) {
	const (
		text, unique, comp, ref = segmenttest.FirstAttribute, segmenttest.FirstAttribute + 1, segmenttest.FirstAttribute + 2, segmenttest.FirstAttribute + 3
		excise, only            = 15, 16
		beforeT, before         = 17, 18
	)
	user := func(n int64) dclone.EntityID { return dclone.MakeEntityID(4, n) }
	x, part, partOfPart, stranger, excision := user(2001), user(2002), user(2003), user(2004), user(2005)
	d := func(e, a dclone.EntityID, v any, added bool) dclone.Datom {
		if id, ok := v.(dclone.EntityID); ok {
			v = int64(id)
		}
		return segmenttest.Datom(t, e, a, v, added)
	}
	install := func(id dclone.EntityID, name string, typ, card int64, more ...dclone.Datom) []dclone.Datom {
		return append([]dclone.Datom{d(id, 10, dclone.Kw("a", name), true), d(id, 40, typ, true), d(id, 41, card, true),
			d(0, 13, id, true)}, more...)
	}
	schema := slices.Concat(install(text, "text", 23, 35), install(unique, "unique", 23, 35),
		install(comp, "comp", 20, 36, d(comp, 43, true, true)), install(ref, "ref", 20, 36))
	first := []dclone.Datom{d(x, text, "x1", true), d(x, unique, "u", true), d(x, comp, part, true), d(x, ref, stranger, true),
		d(part, text, "part", true), d(part, comp, partOfPart, true), d(partOfPart, text, "part of part", true),
		d(stranger, text, "stranger", true), d(stranger, ref, x, true), d(dclone.TxID(1100), text, "meta", true)}
	second := []dclone.Datom{d(x, text, "x1", false), d(x, text, "x2", true)}
	later := []dclone.Datom{d(x, text, "x2", false), d(x, text, "x3", true)}
	all := []dclone.EntityID{x, part, partOfPart}
	for _, c := range []struct {
		name string
		ask  []dclone.Datom
		gone func(e, a dclone.EntityID, t dclone.T) bool
	}{
		{"an entity", []dclone.Datom{d(excision, excise, x, true)},
			func(e, _ dclone.EntityID, t dclone.T) bool { return slices.Contains(all, e) && t < 1300 }},
		{"an attribute of it", []dclone.Datom{d(excision, excise, x, true), d(excision, only, dclone.EntityID(text), true)},
			func(e, a dclone.EntityID, t dclone.T) bool { return e == x && a == text && t < 1300 }},
		{"its components", []dclone.Datom{d(excision, excise, x, true), d(excision, only, dclone.EntityID(comp), true)},
			func(e, a dclone.EntityID, t dclone.T) bool {
				return (e == x && a == comp || e == part || e == partOfPart) && t < 1300
			}},
		{"an attribute", []dclone.Datom{d(excision, excise, dclone.EntityID(text), true)},
			func(_, a dclone.EntityID, t dclone.T) bool { return a == text && t < 1300 }},
		{"before a t", []dclone.Datom{d(excision, excise, x, true), d(excision, beforeT, int64(1200), true)},
			func(e, _ dclone.EntityID, t dclone.T) bool { return slices.Contains(all, e) && t < 1200 }},
		{"before a later t", []dclone.Datom{d(excision, excise, x, true), d(excision, beforeT, int64(9000), true)},
			func(e, _ dclone.EntityID, t dclone.T) bool { return slices.Contains(all, e) && t < 1300 }},
		{"before an instant", []dclone.Datom{d(excision, excise, x, true), d(excision, before, dclone.Instant(1577836800000+1200*1000), true)},
			func(e, _ dclone.EntityID, t dclone.T) bool { return slices.Contains(all, e) && t < 1200 }},
	} {
		for tail := 2; tail <= 5; tail++ {
			t.Run(fmt.Sprint(c.name, ", tail ", tail), func(t *testing.T) {
				var txs []dclone.Tx
				var want []string
				for i, datoms := range [][]dclone.Datom{schema, first, second, c.ask, later} {
					at := dclone.T(1000 + 100*i)
					txs = append(txs, segmenttest.Tx(t, at, datoms...))
					for _, d := range datoms {
						if d.A >= text && d.A <= ref && !c.gone(d.E, d.A, at) {
							d.Tx = dclone.TxID(at)
							want = append(want, fmt.Sprint(d))
						}
					}
				}
				db := segmenttest.Build(t, txs, segmenttest.Options{Tail: tail})
				conn := open(t, &memory{segments: db.Segments, roots: map[dclone.T]store.Root{store.Newest: rootOfParsed(db.Root, store.Newest)}}, store.Newest)
				require.Equal(t, want, logOf(t, conn, text, ref))
				require.ElementsMatch(t, want, historyOf(t, conn, text, ref))
			})
		}
	}
}

func logOf(t *testing.T, conn *pro.Conn, from, to dclone.EntityID) (all []string) {
	for tx, err := range conn.Txs(t.Context(), 1000) {
		require.NoError(t, err)
		for _, d := range tx.Datoms {
			if d.A >= from && d.A <= to {
				all = append(all, fmt.Sprint(d))
			}
		}
	}
	return all
}

func historyOf(t *testing.T, conn *pro.Conn, from, to dclone.EntityID) (all []string) {
	snap, err := conn.Snapshot(t.Context(), conn.Basis(), source.Options{})
	require.NoError(t, err)
	defer snap.Close()
	for a := from; a <= to; a++ {
		for datoms, err := range snap.History(t.Context(), a) {
			require.NoError(t, err)
			for _, d := range datoms {
				all = append(all, fmt.Sprint(d))
			}
		}
	}
	return all
}
