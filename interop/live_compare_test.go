package interop_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/interop"
)

// own leaves out the instants of the clone's transactions that stand for none of the source.
func (m idMap) own(datoms []interop.Datom) []interop.Datom {
	return slices.DeleteFunc(datoms, func(d interop.Datom) bool {
		_, carried := m.from[d.E]
		return d.A == idTxInstant && d.E == d.Tx && !carried
	})
}

// compareLog compares what Datomic Local says that the replayed transactions said, each with those that it became. The
// order is not compared, and neither is that attributes were altered.
func (p liveLocal) compareLog(t testing.TB, src *sourceView) {
	t.Helper()
	c := &cloneComparison{t: t, idMap: p.idMap(t), src: src, what: p.clone, clone: p.jvm.Dump(t, p.storage, cloneSystem, p.clone)}
	defer p.release(t, p.clone)
	log := slices.DeleteFunc(c.clone.Log, func(tx interop.Tx) bool { return tx.T <= int64(c.pos.Loaded) })
	for _, tx := range src.dumps.Log {
		if tx.T <= int64(c.pos.Basis) {
			continue
		}
		end := c.to[txPartition<<42+tx.T]
		want, have := map[cloneFact]bool{}, map[cloneFact]bool{}
		instant, at := instantOf(t, tx), int64(0)
		for _, d := range tx.Datoms {
			if d = c.translate(d); d.A != idAlter && (d.A != idTxInstant || isTx(d.E)) {
				want[eventOf(d)] = true
			}
		}
		for len(log) > 0 && log[0].T <= end-txPartition<<42 {
			at = instantOf(t, log[0])
			require.Equal(t, instant, at, "instant of t %d, the clone's t %d", tx.T, log[0].T)
			for _, d := range c.own(log[0].Datoms) {
				if e := eventOf(d); d.A != idAlter && !(have[e.undone()] && isMint(d)) {
					have[e] = true
				} else {
					delete(have, e.undone())
				}
			}
			log = log[1:]
		}
		require.NotZero(t, at, "source t %d has no transaction", tx.T)
		require.True(t, maps.Equal(want, have), "source t %d, clone t %d: want %v, have %v", tx.T, end-txPartition<<42, want, have)
	}
	require.Empty(t, log)
}

// eventOf returns what a datom says in its transaction.
func eventOf(d interop.Datom) cloneFact {
	op := "-"
	if d.Added {
		op = "+"
	}
	return cloneFact{d.E, d.A, op + d.V}
}

// undone returns the event that an event undoes.
func (f cloneFact) undone() cloneFact {
	op := "+"
	if f.v[:1] == "+" {
		op = "-"
	}
	return cloneFact{f.e, f.a, op + f.v[1:]}
}

func isMint(d interop.Datom) bool { return !d.Added && d.V == "Sdclone" }

// compareAnswers asks Datomic Local about source and clone: all datoms, now and as of some of the replayed transactions,
// queries, pulls, indexes, and what transactions would do.
func (p liveLocal) compareAnswers(t testing.TB, src *sourceView) {
	t.Helper()
	defer p.release(t, p.clone)
	m := p.idMap(t)
	c := &cloneComparison{t: t, idMap: m, src: src, what: p.clone}
	c.current(sinceEver(src.dumps.Current), m.own(p.datoms(t, p.clone, `identity`)))
	from := int(m.pos.Basis) + 1
	for i := from; i < len(src.dumps.Log); i += 1 + (len(src.dumps.Log)-from)/6 {
		at := src.dumps.Log[i].T
		then := m.to[txPartition<<42+at] - txPartition<<42
		c.what = fmt.Sprintf("%s as of t %d, the clone's %d", p.clone, at, then)
		c.current(sinceEver(p.datoms(t, p.source, fmt.Sprintf(`#(d/as-of %% %d)`, at))), m.own(p.datoms(t, p.clone, fmt.Sprintf(`#(d/as-of %% %d)`, then))))
	}
	p.jvm.Load(t, "clone")
	p.ask(t, p.source, p.clone, m, `(clone/differences s c m)`, `(clone/probe s c m)`, `(clone/crooked (d/db c) c)`,
		`(if (= (picture (d/db s)) (picture (d/db c))) [] ["the pictures differ"])`)
}

// sinceEver returns datoms without since when they hold: that may be an earlier one of the transactions that theirs became.
func sinceEver(datoms []interop.Datom) []interop.Datom {
	datoms = slices.Clone(datoms)
	for i, d := range datoms {
		if d.A != idTxInstant {
			datoms[i].Tx = 0
		}
	}
	return datoms
}

// compareTwin asks the same about two clones of one source, of which the other was written natively.
func (p liveLocal) compareTwin(t testing.TB, native clonePair) {
	t.Helper()
	defer p.release(t, p.clone, native.clone)
	twin, live := native.idMap(t), p.idMap(t)
	m := idMap{to: map[int64]int64{}, from: map[int64]int64{}}
	for src, e := range twin.to {
		if clone, ok := live.to[src]; ok && isTx(e) == isTx(clone) {
			m.add(t, e, clone)
		}
	}
	p.ask(t, native.clone, p.clone, m, `(clone/differences s c m)`, `(clone/probe s c m)`)
}

// ask puts questions, s and c being connections to two databases, of which nothing must be the answer.
func (p clonePair) ask(t testing.TB, s, c string, m idMap, questions ...string) {
	t.Helper()
	for _, q := range questions {
		require.Equal(t, "[]", p.jvm.Eval(t, fmt.Sprintf(`(let [s (conn %s) c (conn %s) m (clone/read-map %s)] %s)`,
			p.in(s), p.in(c), m.write(t), q)), "%s and %s", s, c)
	}
}
