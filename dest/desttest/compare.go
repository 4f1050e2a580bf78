package desttest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	"dclone/eidmap"
	"dclone/fressian"
	"dclone/historytest"
	"dclone/state"
)

// A comparison is a source, as the sidecar says it was, and a clone.
type comparison struct {
	t          testing.TB
	caps       Caps
	src, clone *historytest.Database
	pos        state.Position
	session    state.Session
	to, from   map[dclone.EntityID]dclone.EntityID // source to clone, and back
	names      map[dclone.EntityID][]string        // of the source's
}

// Check fails t unless the clone holds what the source at dir held at the position of the sidecar, and has its replayed
// transactions, as the capabilities allow. No run may be under way.
func Check(t testing.TB, caps Caps, dir string, at Clone) {
	t.Helper()
	store, err := state.OpenRead(at.Sidecar())
	require.NoError(t, err)
	defer store.Close()
	c := &comparison{t: t, caps: caps, clone: at.Read(t), to: map[dclone.EntityID]dclone.EntityID{}, from: map[dclone.EntityID]dclone.EntityID{}}
	c.pos, err = store.Position()
	require.NoError(t, err)
	require.Equal(t, state.Current, c.pos.Phase)
	c.session, err = store.Session()
	require.NoError(t, err)
	intent, err := store.Intent()
	require.NoError(t, err)
	require.Nil(t, intent, "an intent is left")
	c.src = historytest.ReadAt(t, dir, c.pos.Source.T)
	require.Equal(t, c.src.Txs[len(c.src.Txs)-1].T, c.pos.Source.T, "the source has no such t")
	require.Equal(t, c.clone.Txs[len(c.clone.Txs)-1].T, c.pos.Clone.T)
	c.readMap(store)
	c.readNames()
	c.present()
	c.idents()
	if !caps.Parts {
		c.replayed()
	}
}

// bootstrap is how many transactions a database is born with.
const bootstrap = 6

// readMap reads the entity-id map, builtins included, and makes sure that it is one-to-one.
func (c *comparison) readMap(store *state.Store) {
	put := func(src, clone dclone.EntityID) {
		_, two := c.to[src]
		require.False(c.t, two, "entity %d has two clones", src)
		_, two = c.from[clone]
		require.False(c.t, two, "clone entity %d has two sources", clone)
		c.to[src], c.from[clone] = clone, src
	}
	for _, tx := range c.src.Txs[:bootstrap] {
		c.to[dclone.TxID(tx.T)], c.from[dclone.TxID(tx.T)] = dclone.TxID(tx.T), dclone.TxID(tx.T)
		for _, d := range tx.Datoms {
			c.to[d.E], c.from[d.E] = d.E, d.E
		}
	}
	require.NoError(c.t, store.View(func(tx *state.Tx) error {
		m, err := tx.Map()
		require.NoError(c.t, err)
		return m.Each(func(r eidmap.Run) error {
			for i := range dclone.EntityID(r.N) {
				put(r.Src+i, r.Clone+i)
			}
			return nil
		})
	}))
}

// translate puts the clone's ids in the places of the source's.
func (c *comparison) translate(f historytest.Fact) historytest.Fact {
	to := func(e dclone.EntityID) (dclone.EntityID, error) {
		clone, ok := c.to[e]
		require.True(c.t, ok, "entity %d has no clone; %v of entity %d names it", e, c.src.Name[f.A], f.E)
		return clone, nil
	}
	v, err := eidmap.Rewrite(nil, dclone.Value(f.V), c.refs(f.A), to)
	require.NoError(c.t, err)
	e, _ := to(f.E)
	a, _ := to(f.A)
	return historytest.Fact{E: e, A: a, V: string(v)}
}

// refs returns which parts of an attribute's values are entity ids.
func (c *comparison) refs(a dclone.EntityID) (refs dclone.Refs) {
	c.src.EachRef(a, func(element int, whole bool) {
		if whole {
			refs = dclone.WholeRef
		} else {
			refs |= 1 << element
		}
	}, func(int) {})
	return refs
}

// derived reports whether Datomic adds the datoms of an attribute by itself, as its schema comes about.
func derived(name dclone.Keyword) bool {
	return name == dclone.Kw("db.alter", "attribute") || name == dclone.Kw("db.install", "attribute")
}

// lost reports whether a datom of the source is not in the clone, for what the sidecar says of it.
func (c *comparison) lost(f historytest.Fact) bool {
	_, builtin := c.clone.Name[f.E]
	return builtin && f.E < firstOwn && f.A < firstOwn && !c.caps.Verbatim && !c.born(f) && c.told(c.names[f.A]...)
}

// mayLack reports whether a datom of the source may be missing, as the sidecar says of its attribute or, where it is a
// predicate, of the one it is for.
func (c *comparison) mayLack(f historytest.Fact) bool {
	if c.src.Name[f.A] == dclone.Kw("db.attr", "preds") && !c.caps.Predicates && c.told(c.names[f.E]...) {
		return true
	}
	return slices.ContainsFunc(c.session.NotCarried, func(n dclone.NotCarried) bool {
		return slices.Contains(c.caps.Loses, n.Reason) && slices.Contains(c.names[f.A], n.Attribute)
	})
}

// firstOwn is the least entity that can be a user's.
const firstOwn dclone.EntityID = 73

// born reports whether a datom is of the bootstrap.
func (c *comparison) born(f historytest.Fact) bool {
	return slices.ContainsFunc(c.src.Txs[:bootstrap], func(tx historytest.Tx) bool {
		return slices.ContainsFunc(tx.Datoms, func(d dclone.Datom) bool { return d.E == f.E && d.A == f.A && string(d.V) == f.V })
	})
}

// told reports whether the session says that something of an attribute was not carried, by one of its names.
func (c *comparison) told(names ...string) bool {
	return slices.ContainsFunc(c.session.NotCarried, func(n dclone.NotCarried) bool { return slices.Contains(names, n.Attribute) })
}

// readNames reads which names every entity ever had.
func (c *comparison) readNames() {
	c.names = map[dclone.EntityID][]string{}
	for _, tx := range c.src.Txs {
		for _, d := range tx.Datoms {
			if v, _, err := fressian.Decode(d.V); d.A == dclone.AttrIdent && d.Added && err == nil {
				c.names[d.E] = append(c.names[d.E], v.(dclone.Keyword).String())
			}
		}
	}
}

// present compares what holds.
func (c *comparison) present() {
	instant := dclone.Kw("db", "txInstant")
	later := c.mayLack(historytest.Fact{A: c.src.Keyword[instant]})
	want, have := map[historytest.Fact]int{}, map[historytest.Fact]int{}
	for f, n := range c.src.Facts() {
		clone, carried := c.to[f.E]
		switch name := c.src.Name[f.A]; {
		case name == dclone.Kw("db.alter", "attribute"), c.lost(f), !carried && c.mayLack(f):
		case name == instant && f.E.IsTx() && (!carried || !clone.IsTx() || later):
		case name == dclone.Kw("db.install", "attribute"):
			want[c.translate(f)] = 1
		default:
			want[c.translate(f)] += n
		}
	}
	for f, n := range c.clone.Facts() {
		_, stands := c.from[f.E]
		switch name := c.clone.Name[f.A]; {
		case name == dclone.Kw("db.alter", "attribute"), name == instant && f.E.IsTx() && (!stands || later):
		default:
			have[f] += n
		}
	}
	for f, n := range want {
		if have[f] == 0 && c.mayLack(historytest.Fact{E: c.from[f.E], A: c.from[f.A]}) {
			continue
		}
		require.Equal(c.t, n, have[f], "how often %s, of source %s on %d", c.line(f, true), c.src.Name[c.from[f.A]], c.from[f.E])
	}
	for f, n := range have {
		require.Equal(c.t, want[f], n, "how often %s, of %s", c.line(f, true), c.clone.Name[f.A])
	}
}

// idents compares which entity every keyword names that ever was an ident, and how every entity is named.
func (c *comparison) idents() {
	for kw, e := range c.src.Keyword {
		require.Equal(c.t, c.to[e], c.clone.Keyword[kw], "entity %v names, of source %d", kw, e)
	}
	for e, kw := range c.src.Name {
		require.Equal(c.t, kw, c.clone.Name[c.to[e]], "name of source entity %d", e)
	}
}

func (c *comparison) line(f historytest.Fact, added bool) string {
	return fmt.Sprintf("%d %d %.200x %v", f.E, f.A, f.V, added)
}

// same reports whether Datomic takes two values for equal.
func same(a, b dclone.Value) bool { return local.CompareValues(a, b) == 0 }
