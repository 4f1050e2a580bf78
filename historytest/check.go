package historytest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/eidmap"
	"dclone/state"
)

// A comparison is a source, as its clone's sidecar says it was, and the clone.
type comparison struct {
	t          testing.TB
	src, clone *Database
	pos        state.Position
	session    state.Session
	to, from   map[dclone.EntityID]dclone.EntityID // source to clone, and back
	own        map[dclone.EntityID]bool            // the clone's transactions that stand for no entity of the source
}

// Check fails t unless the clone holds what the source held at the position of the sidecar:
// current datoms, idents, and the replayed transactions one by one. No run may be under way.
func Check(t testing.TB, source, clone, sidecar string) {
	t.Helper()
	c := &comparison{t: t, to: map[dclone.EntityID]dclone.EntityID{}, from: map[dclone.EntityID]dclone.EntityID{},
		own: map[dclone.EntityID]bool{}}
	store, err := state.Open(sidecar)
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	c.pos, err = store.Position()
	require.NoError(t, err)
	c.session, err = store.Session()
	require.NoError(t, err)
	require.Equal(t, state.Current, c.pos.Phase)
	intent, err := store.Intent()
	require.NoError(t, err)
	require.Nil(t, intent, "an intent is left")
	c.src, c.clone = ReadAt(t, source, c.pos.Source.T), Read(t, clone)
	c.readMap(store)
	c.lengths(clone)
	c.transactions()
	c.kept(ReadAt(t, source, c.pos.Basis))
	c.current()
	c.idents()
	c.places()
}

// readMap reads the entity-id map by both of its ways, and makes sure that it is one-to-one.
func (c *comparison) readMap(store *state.Store) {
	for _, tx := range c.src.Txs[:bootstrapEnd+1] {
		c.to[dclone.TxID(tx.T)], c.from[dclone.TxID(tx.T)] = dclone.TxID(tx.T), dclone.TxID(tx.T)
		for _, d := range tx.Datoms {
			c.to[d.E], c.from[d.E] = d.E, d.E
		}
	}
	require.NoError(c.t, store.View(func(tx *state.Tx) error {
		m, err := tx.Map()
		require.NoError(c.t, err)
		require.NoError(c.t, m.Each(func(r eidmap.Run) error {
			for i := range dclone.EntityID(r.N) {
				src, clone := r.Src+i, r.Clone+i
				_, two := c.to[src]
				require.False(c.t, two, "entity %d has two clones", src)
				_, two = c.from[clone]
				require.False(c.t, two, "clone entity %d has two sources", clone)
				c.to[src], c.from[clone] = clone, src
				got, ok, err := m.Clone(src)
				require.NoError(c.t, err)
				require.True(c.t, ok && got == clone, "Clone(%d) = %d, %v; Each says %d", src, got, ok, clone)
				got, ok, err = m.Source(clone)
				require.NoError(c.t, err)
				require.True(c.t, ok && got == src, "Source(%d) = %d, %v; Each says %d", clone, got, ok, src)
			}
			return nil
		}))
		return nil
	}))
}

// lengths compares what position, log and log.idx say of the clone's length.
func (c *comparison) lengths(dir string) {
	txs := c.clone.Txs
	require.Equal(c.t, c.clone.Length, c.pos.Clone.Length)
	require.Equal(c.t, txs[len(txs)-1].T, c.pos.Clone.T)
	require.Equal(c.t, txs[len(txs)-1].Instant, c.pos.Clone.Instant)
	require.Equal(c.t, c.src.Txs[len(c.src.Txs)-1].T, c.pos.Source.T, "the source has no such t")
	require.NoError(c.t, CheckIndex(dir))
	for i, tx := range txs {
		require.Equal(c.t, dclone.T(i), tx.T, "t of clone transaction %d", i)
		require.True(c.t, i == 0 || tx.Instant >= txs[i-1].Instant, "instant of clone transaction %d goes back", i)
	}
}

// CheckIndex makes sure that the log.idx in dir names every frame of db.log, and no other.
func CheckIndex(dir string) error {
	log, err := os.ReadFile(filepath.Join(dir, "db.log"))
	if err != nil {
		return err
	}
	idx, err := os.ReadFile(filepath.Join(dir, "log.idx"))
	if err != nil {
		return err
	}
	txs, err := Split(log)
	if err != nil {
		return err
	}
	if len(idx) != 8*len(txs) {
		return fmt.Errorf("log.idx has %d bytes for %d frames", len(idx), len(txs))
	}
	for i, tx := range txs {
		if got := binary.BigEndian.Uint64(idx[8*i:]); got != uint64(tx.From) {
			return fmt.Errorf("entry %d of log.idx is %d, not %d", i, got, tx.From)
		}
	}
	return nil
}

// transactions compares the replayed part, one by one.
func (c *comparison) transactions() {
	for t := range c.pos.Loaded + 1 {
		if _, carried := c.from[dclone.TxID(t)]; !carried {
			c.own[dclone.TxID(t)] = true
		}
	}
	replayed := slices.DeleteFunc(slices.Clone(c.src.Txs), func(tx Tx) bool { return tx.T <= c.pos.Basis })
	clone := slices.DeleteFunc(slices.Clone(c.clone.Txs), func(tx Tx) bool { return tx.T <= c.pos.Loaded })
	require.Len(c.t, clone, len(replayed), "replayed transactions, first copy at t %d", c.pos.Basis)
	for i, tx := range replayed {
		got := clone[i]
		require.Equal(c.t, tx.Instant, got.Instant, "instant of source t %d", tx.T)
		c.carrier(tx.T, got.T)
		var want, have []string
		for _, d := range tx.Datoms {
			f := c.translate(Fact{d.E, d.A, string(d.V)})
			if d.A == aTxInstant && d.E == d.Tx {
				f.E = dclone.TxID(got.T)
			}
			want = append(want, c.line(f, d.Added))
		}
		for _, d := range got.Datoms {
			have = append(have, c.line(Fact{d.E, d.A, string(d.V)}, d.Added))
		}
		require.Equal(c.t, want, have, "source t %d, clone t %d", tx.T, got.T)
	}
}

// carrier makes sure that a replayed transaction's entity is its clone's, unless something
// referred to its number before there was such a transaction.
func (c *comparison) carrier(src, clone dclone.T) {
	e := c.to[dclone.TxID(src)]
	if e == dclone.TxID(clone) {
		return
	}
	c.own[dclone.TxID(clone)] = true
	require.Equal(c.t, dclone.PartUser, e.Partition(), "clone of transaction %d", src)
	for _, tx := range c.src.Txs {
		for _, d := range tx.Datoms {
			found := false
			c.src.refs(d.A, string(d.V), func(id dclone.EntityID) dclone.EntityID {
				found = found || id == dclone.TxID(src)
				return id
			})
			if found && tx.T < src {
				return
			}
		}
	}
	require.Fail(c.t, "a transaction's entity is no transaction", "source t %d", src)
}

// kept makes sure that of the transactions before the first copy those are transactions of the
// clone that its options say.
func (c *comparison) kept(basis *Database) {
	used := map[dclone.EntityID]bool{}
	for f := range basis.Facts() {
		if f.A != aTxInstant {
			used[f.E] = true
		}
		basis.refs(f.A, f.V, func(e dclone.EntityID) dclone.EntityID {
			used[e] = true
			return e
		})
	}
	for _, tx := range basis.Txs[bootstrapEnd+1:] {
		e := dclone.TxID(tx.T)
		clone, carried := c.to[e]
		switch c.session.Options.TxEntities {
		case "all":
			require.True(c.t, clone.IsTx(), "transaction %d is none of the clone's", tx.T)
		case "used":
			require.Equal(c.t, used[e], carried && clone.IsTx() && clone.T() <= c.pos.Loaded, "transaction %d, used: %v, its clone %d", tx.T, used[e], clone)
		case "none":
			require.False(c.t, carried && clone.IsTx(), "transaction %d is one of the clone's", tx.T)
		}
	}
}

// translate puts the clone's ids in the places of the source's.
func (c *comparison) translate(f Fact) Fact {
	to := func(e dclone.EntityID) dclone.EntityID {
		clone, ok := c.to[e]
		if !ok {
			require.Fail(c.t, "an entity has no clone", "entity %d, in the value of %s of entity %d or itself", e, c.src.Name[f.A], f.E)
		}
		return clone
	}
	return Fact{to(f.E), to(f.A), c.src.refs(f.A, f.V, to)}
}

func (c *comparison) line(f Fact, added bool) string {
	v := fmt.Sprintf("% x", f.V[:min(100, len(f.V))])
	if len(f.V) > 100 {
		v += fmt.Sprintf("… %x", sha256.Sum256([]byte(f.V)))
	}
	return fmt.Sprintf("%d %d %s %v %d bytes", f.E, f.A, v, added, len(f.V))
}

// current compares what holds. Datoms that derive from the schema's history are left out: a
// first copy has the final schema. What the clone's own transactions say of themselves has no source.
func (c *comparison) current() {
	want := map[Fact]int{}
	for f, n := range c.src.Facts() {
		clone, carried := c.to[f.E]
		switch {
		case f.A == aAlter:
		case f.A == aInstall:
			want[c.translate(f)] = 1
		case f.A == aTxInstant && f.E.IsTx() && (!carried || !clone.IsTx()):
		default:
			want[c.translate(f)] += n
		}
	}
	have := c.clone.Facts()
	for f := range have {
		if f.A == aAlter || f.A == aTxInstant && c.own[f.E] {
			delete(have, f)
		}
	}
	if maps.Equal(want, have) {
		return
	}
	var differ []string
	for f, n := range want {
		if have[f] != n {
			differ = append(differ, fmt.Sprintf("missing (%d of %d): %s, of source %s on %d", have[f], n, c.line(f, true),
				c.src.Name[c.from[f.A]], c.from[f.E]))
		}
	}
	for f, n := range have {
		if n > want[f] {
			differ = append(differ, fmt.Sprintf("too much (%d, not %d): %s, of %s", n, want[f], c.line(f, true), c.clone.Name[f.A]))
		}
	}
	slices.Sort(differ)
	require.Fail(c.t, "clone and source differ", "%d differences:\n%s", len(differ), strings.Join(differ[:min(20, len(differ))], "\n"))
}

// idents compares which entity every keyword names that ever was an ident, and how every
// entity is named.
func (c *comparison) idents() {
	for kw, e := range c.src.Keyword {
		require.Equal(c.t, c.to[e], c.clone.Keyword[kw], "entity %v names, of source %d", kw, e)
	}
	require.Len(c.t, c.clone.Keyword, len(c.src.Keyword))
	for e, kw := range c.src.Name {
		require.Equal(c.t, kw, c.clone.Name[c.to[e]], "name of source entity %d", e)
	}
}

// places makes sure that Datomic Local will give no new entity a number that the clone refers to:
// it counts the entities of datoms, not those of values, and never allocates in partition 4.
// Numbers of the db partition stay there, because an attribute may come to have one.
func (c *comparison) places() {
	has := map[dclone.EntityID]bool{}
	for _, tx := range c.clone.Txs {
		for _, d := range tx.Datoms {
			has[d.E] = true
		}
	}
	for e := range c.from {
		if !has[e] && e != dclone.TxID(1) { // of all transactions, t 1 alone has no instant
			want := dclone.PartUser
			if c.from[e].Partition() == dclone.PartDB {
				want = dclone.PartDB
			}
			require.Equal(c.t, want, e.Partition(), "partition of %d, which occurs only as a value; source %d", e, c.from[e])
		}
	}
	for e := range has {
		_, carried := c.from[e]
		require.True(c.t, carried || c.own[e], "clone entity %d has no source", e)
	}
}
