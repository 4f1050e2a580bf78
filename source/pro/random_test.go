package pro_test

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/segment"
	"dclone/datomic/segment/segmenttest"
	"dclone/historytest/seeds"
	"dclone/source"
	"dclone/source/pro"
	"dclone/store"
)

// A history makes random transactions.
type history struct {
	t     testing.TB
	r     *rand.Rand
	next  dclone.T
	txs   []dclone.Tx
	attrs []randomAttr
	es    []dclone.EntityID
	now   map[dclone.EntityID]map[dclone.EntityID][]any // by attribute and entity
}

type randomAttr struct {
	id        dclone.EntityID
	valueType int64
	many      bool
}

func newHistory(t testing.TB, seed uint64) *history {
	return &history{t: t, r: rand.New(rand.NewPCG(seed, 7)), next: segmenttest.FirstT,
		now: map[dclone.EntityID]map[dclone.EntityID][]any{}}
}

func (h *history) datom(e, a dclone.EntityID, v any, added bool) dclone.Datom {
	return segmenttest.Datom(h.t, e, a, v, added)
}

func (h *history) commit(all []dclone.Datom) {
	h.txs = append(h.txs, segmenttest.Tx(h.t, h.next, all...))
	h.next += dclone.T(1 + h.r.IntN(4))
}

// install adds an attribute, some without history, some under a new name later.
func (h *history) install() {
	id := segmenttest.FirstAttribute + dclone.EntityID(len(h.attrs))
	types := []int64{20, 21, 22, 23, 24, 25, 27, 56, 57, 58, 59, 60, 61, 63}
	a := randomAttr{id, types[h.r.IntN(len(types))], h.r.IntN(2) == 0}
	all := []dclone.Datom{
		h.datom(id, 10, dclone.Kw("a", fmt.Sprint(id)), true),
		h.datom(id, 40, a.valueType, true),
		h.datom(id, 41, map[bool]int64{false: 35, true: 36}[a.many], true),
		h.datom(0, 13, int64(id), true),
	}
	if h.r.IntN(4) == 0 {
		all = append(all, h.datom(id, 45, true, true))
	}
	if a.valueType == 63 {
		all = append(all, h.datom(id, 66, []any{dclone.Kw("db.type", "long"), dclone.Kw("db.type", "double")}, true))
	}
	h.attrs = append(h.attrs, a)
	h.now[id] = map[dclone.EntityID][]any{}
	h.commit(all)
}

func (h *history) value(valueType int64) any {
	n := int64(h.r.IntN(6))
	switch valueType {
	case 20, 22:
		return n << (n * 8)
	case 21:
		return dclone.Kw([]string{"", "b", "a"}[n%3], fmt.Sprint(n))
	case 23:
		return []string{"", "a", "ä", "B", "\U0001F600", "a\x00"}[n]
	case 24:
		return n%2 == 0
	case 25:
		return dclone.Instant(n - 3)
	case 27:
		return []byte{byte(n * 60), 1}[:1+n%2]
	case 56:
		return uuid.UUID{byte(n * 50), 8: byte(n)}
	case 57:
		return []float64{0, -1, 2, math.NaN(), math.Inf(1), 1e10}[n]
	case 58:
		return []float32{0, -1, 2, float32(math.NaN()), 7, 1e10}[n]
	case 59:
		return dclone.URI([]string{"http://a", "http://b/c", "x:y", "/p", "?q", "http://a:80/"}[n])
	case 60:
		return new(big.Int).Lsh(big.NewInt(n-3), uint(n*20))
	case 61:
		return dclone.Decimal{Unscaled: big.NewInt(n*7 - 5), Scale: int32(n % 3)}
	}
	return []any{nil, h.value(57)}[n%2:][:1:1]
}

// change asserts or retracts a value, or asserts one that holds.
func (h *history) change(all []dclone.Datom, touched map[string]bool) []dclone.Datom {
	a := h.attrs[h.r.IntN(len(h.attrs))]
	if len(h.es) == 0 || h.r.IntN(5) == 0 {
		h.es = append(h.es, dclone.MakeEntityID(dclone.Partition(4+h.r.IntN(2)), int64(1000+len(h.es))))
	}
	e := h.es[h.r.IntN(len(h.es))]
	if key := fmt.Sprint(e, a.id); touched[key] {
		return all
	} else {
		touched[key] = true
	}
	have := h.now[a.id][e]
	v := h.value(a.valueType)
	same := func(w any) bool {
		return equal(segmenttest.Value(h.t, v), segmenttest.Value(h.t, w))
	}
	i := slices.IndexFunc(have, same)
	switch {
	case i >= 0 && h.r.IntN(3) > 0:
		all = append(all, h.datom(e, a.id, have[i], false))
		h.now[a.id][e] = slices.Delete(slices.Clone(have), i, i+1)
	case i >= 0:
		all = append(all, h.datom(e, a.id, have[i], true))
	case a.many || len(have) == 0:
		all = append(all, h.datom(e, a.id, v, true))
		h.now[a.id][e] = append(slices.Clone(have), v)
	default:
		all = append(all, h.datom(e, a.id, v, true), h.datom(e, a.id, have[0], false))
		h.now[a.id][e] = []any{v}
	}
	return all
}

func (h *history) grow(n int) *history {
	for range n {
		if len(h.attrs) < 3 || h.r.IntN(12) == 0 {
			h.install()
			continue
		}
		var all []dclone.Datom
		touched := map[string]bool{}
		for range h.r.IntN(9) {
			all = h.change(all, touched)
		}
		if h.r.IntN(9) == 0 {
			a := h.attrs[h.r.IntN(len(h.attrs))].id
			all = append(all, h.datom(a, 62, fmt.Sprint("doc", h.next), true))
		}
		h.commit(all)
	}
	return h
}

// options are how some transactions are cut into segments.
func (h *history) options(n int) segmenttest.Options {
	r := h.r
	return segmenttest.Options{Tail: r.IntN(1 + n/3), Mid: r.IntN(1 + n/2), LeafTxs: 1 + r.IntN(9), DirLeaves: 1 + r.IntN(5),
		LeafDatoms: 1 + r.IntN(60), DirSpans: 1 + r.IntN(8), Excised: r.IntN(3) == 0, OldIndex: r.IntN(4) == 0, WithoutBorders: r.IntN(3) == 0}
}

// database stores the first n transactions. The index may be older than the log's tree.
func (h *history) database(n int) *memory {
	db := segmenttest.Build(h.t, h.txs[:n], h.options(n))
	root := rootOfParsed(db.Root, store.Newest)
	m := &memory{segments: maps.Clone(db.Segments)}
	if h.r.IntN(2) == 0 {
		older := segmenttest.Build(h.t, h.txs[:h.r.IntN(n+1)], h.options(n))
		maps.Copy(m.segments, older.Segments)
		root.Index, root.IndexVersion = older.Root.Index, older.Root.IndexVersion
	}
	m.roots = map[dclone.T]store.Root{store.Newest: root}
	return m
}

// Random databases, cut in random ways, are read as the trivial fold has them at any t.
func TestRandomDatabases(t *testing.T) {
	for _, seed := range seeds.Of(t, 25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			h := newHistory(t, seed)
			h.grow(h.r.IntN(90))
			c := open(t, h.database(len(h.txs)), store.Newest)
			got := log(t, c)
			require.EqualValues(t, segmenttest.Born, c.Born())
			born := len(got) - len(h.txs)
			require.Equal(t, segmenttest.Born, got[born-1].T)
			for i, tx := range h.txs {
				require.Equal(t, tx, got[born+i])
			}
			checkAsOf(t, c, 8)
		})
	}
}

// The same, while the storage moves on to newer roots and drops what those do not need.
func TestRandomVanishing(t *testing.T) {
	for _, seed := range seeds.Of(t, 8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			h := newHistory(t, seed).grow(60)
			n := 20 + h.r.IntN(20)
			c := open(t, h.database(n), store.Newest)
			want, err := readAt(c, c.Basis())
			require.NoError(t, err)
			for range 4 {
				m := h.database(n)
				c := open(t, m, store.Newest)
				m.read = 0
				ends := h.r.IntN(150)
				at := n
				m.before = func(string) {
					if m.read >= ends && at < len(h.txs) {
						ends += 20 + h.r.IntN(100)
						at += h.r.IntN(len(h.txs) - at + 1)
						newer := h.database(at)
						m.segments, m.roots = newer.segments, newer.roots
					}
				}
				got, err := readAt(c, c.Basis())
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		})
	}
}

// A first copy that is made again after an index job is the same: so is what a snapshot yields,
// to the byte and in order, however the datoms are spread.
func TestSameHoweverCut(t *testing.T) {
	for _, seed := range seeds.Of(t, 10) {
		h := newHistory(t, 100+seed).grow(60)
		var want []uint64
		for i := range 5 {
			n := 40 + h.r.IntN(20)
			if i == 0 {
				n = 40
			}
			c := open(t, h.database(n), store.Newest)
			got := everyCurrent(t, c, h.txs[39].T)
			if i == 0 {
				want = got
			}
			require.Equal(t, want, got, "seed %d", seed)
		}
	}
}

func everyCurrent(t testing.TB, c *pro.Conn, at dclone.T) (digest []uint64) {
	s, err := c.Snapshot(ctx, at, source.Options{MaxMemory: 5000, TempDir: t.TempDir()})
	require.NoError(t, err)
	defer s.Close()
	for a := range dclone.EntityID(100) {
		datoms, err := collect(s.Current, a)
		require.NoError(t, err)
		for _, d := range datoms {
			digest = append(digest, sum(d))
		}
	}
	for _, d := range s.SchemaDatoms() {
		digest = append(digest, sum(d))
	}
	return digest
}

func rootOfParsed(r segment.BackupRoot, at dclone.T) store.Root {
	return store.Root{DatabaseID: r.DatabaseID, T: at, Index: r.Index, Log: r.Log, Tail: r.Tail,
		Version: r.Version, IndexVersion: r.IndexVersion, LogVersion: r.LogVersion}
}
