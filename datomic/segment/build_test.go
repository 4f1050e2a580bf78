package segment_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"dclone"
	"dclone/datomic/segment"
	"dclone/datomic/segment/segmenttest"
	"dclone/fressian"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// allValues are values of every type, some of which use caches.
var allValues = []any{
	true, int64(-1), int64(math.MaxInt64), float32(1.5), math.Pi, 0.0, 1.0, "text", "", "longer than seven",
	dclone.Kw("db", "db"), dclone.Kw("", "alone"), dclone.Kw("a", "b"), dclone.Symbol(dclone.Kw("a", "b")),
	dclone.Instant(-5), uuid.UUID{1, 2, 3}, dclone.URI("http://example.com/"), []byte{1, 2, 3},
	new(big.Int).Lsh(big.NewInt(1), 100), dclone.Decimal{Unscaled: big.NewInt(100), Scale: 2},
	[]any{int64(1), nil, "part", dclone.Kw("a", "b"), dclone.Kw("a", "c")},
	fressian.Tagged{Tag: "datomic/fn", Fields: []any{fressian.Map{{Key: dclone.Kw("", "lang"), Value: dclone.Kw("", "clojure")}}}},
}

// sampleTxs returns n transactions that install attributes, and assert and retract values of all types.
func sampleTxs(t testing.TB, n int) (txs []dclone.Tx) {
	attribute := func(i int) dclone.EntityID { return segmenttest.FirstAttribute + dclone.EntityID(i) }
	var schema []dclone.Datom
	for i := range allValues {
		schema = append(schema,
			segmenttest.Datom(t, attribute(i), 10, dclone.Kw("my", fmt.Sprintf("a%d", i)), true),
			segmenttest.Datom(t, 0, 13, int64(attribute(i)), true),
			segmenttest.Datom(t, attribute(i), 44, true, true))
	}
	txs = append(txs, segmenttest.Tx(t, segmenttest.FirstT, schema...))
	at := segmenttest.FirstT + 500
	for i := 1; i < n; i++ {
		var datoms []dclone.Datom
		e := dclone.MakeEntityID(dclone.PartUser, int64(at)+1)
		for j, v := range allValues {
			if (i+j)%3 > 0 {
				datoms = append(datoms, segmenttest.Datom(t, e, attribute(j), v, true))
			}
		}
		if before := txs[i-1].Datoms; i > 1 {
			d := before[1]
			d.Added = false
			datoms = append(datoms, d)
		}
		tx := segmenttest.Tx(t, at, datoms...)
		txs = append(txs, tx)
		at += dclone.T(len(datoms)) * 7
	}
	return txs
}

func readTxs(t testing.TB, raw []byte, tail bool) (txs []dclone.Tx) {
	r := segment.NewTxReader(raw, tail)
	for r.Next() {
		tx := *r.Tx()
		tx.Datoms = slices.Clone(tx.Datoms)
		for i := range tx.Datoms {
			tx.Datoms[i].V = bytes.Clone(tx.Datoms[i].V)
		}
		txs = append(txs, tx)
	}
	require.NoError(t, r.Err())
	return txs
}

// walkLog returns the transactions of the log of a database.
func walkLog(t testing.TB, db *segmenttest.Database) (txs []dclone.Tx) {
	dirs, err := segment.ParseLogDir(db.Raw(t, db.Root.Log))
	require.NoError(t, err)
	for _, dir := range dirs {
		leaves, err := segment.ParseLogDir(db.Raw(t, dir.ID))
		require.NoError(t, err)
		for _, leaf := range leaves {
			got := readTxs(t, db.Raw(t, leaf.ID), false)
			require.Equal(t, leaf.T, got[0].T)
			txs = append(txs, got...)
		}
	}
	return append(txs, readTxs(t, db.Root.Tail, true)...)
}

// walkTree returns the datoms of an index tree.
func walkTree(t testing.TB, db *segmenttest.Database, root segment.ID) (datoms []dclone.Datom) {
	if root == "" {
		return nil
	}
	children, err := segment.ParseRootNode(db.Raw(t, root))
	require.NoError(t, err)
	for _, c := range children {
		spans, err := segment.ParseDirNode(db.Raw(t, c.ID))
		require.NoError(t, err)
		require.Equal(t, c.Key, spans[0].Key)
		for _, s := range spans {
			leaf, err := segment.ParseLeaf(db.Raw(t, s.ID))
			require.NoError(t, err)
			for i := range s.Count {
				datoms = append(datoms, leaf.Datom(s.Offset+i))
			}
		}
	}
	return datoms
}

var builds = map[string]segmenttest.Options{
	"plain":     {},
	"all tail":  {Tail: 1 << 20},
	"some tail": {Tail: 3},
	"mid":       {Tail: 2, Mid: 5},
	"excised":   {Excised: true, Tail: 1},
	"old index": {OldIndex: true},
	"large":     {LeafTxs: 1000, LeafDatoms: 10_000, WithoutBorders: true},
	"tiny":      {LeafTxs: 1, DirLeaves: 1, LeafDatoms: 11, DirSpans: 1},
}

func TestBuildRoundTrip(t *testing.T) {
	txs := sampleTxs(t, 20)
	for name, o := range builds {
		t.Run(name, func(t *testing.T) {
			db := segmenttest.Build(t, txs, o)
			require.Equal(t, txs, walkLog(t, db))
			root, err := segment.ParseIndexRoot(db.Raw(t, db.Root.Index))
			require.NoError(t, err)
			require.Equal(t, db.Root.IndexVersion, root.Version)
			for x := range root.Trees {
				x := segment.Index(x)
				for tier, id := range root.Trees[x] {
					datoms := walkTree(t, db, id)
					require.True(t, slices.IsSortedFunc(datoms, func(p, q dclone.Datom) int {
						return segmenttest.Compare(x, p, q)
					}))
					if x == segment.EAVT && tier != int(segment.Hist) {
						require.Equal(t, o.Mid > 0 || tier == int(segment.Main), len(datoms) > 0)
					}
				}
			}
			requireClosed(t, db)
		})
	}
}

// requireClosed fails unless exactly the segments there are can be reached.
func requireClosed(t *testing.T, db *segmenttest.Database) {
	todo, reached := []segment.ID{db.Root.Index, db.Root.Log}, map[segment.ID]bool{}
	kinds := map[segment.Kind]bool{}
	for len(todo) > 0 {
		id := todo[0]
		if todo = todo[1:]; reached[id] {
			continue
		}
		reached[id] = true
		kind, ids, err := segment.Check(db.Raw(t, id))
		require.NoError(t, err, id)
		kinds[kind] = true
		todo = append(todo, ids...)
	}
	require.Len(t, reached, len(db.Segments))
	require.GreaterOrEqual(t, len(kinds), 8)
}

// Current datoms of the trees are those of a fold of the log.
func TestBuildTrees(t *testing.T) {
	txs := sampleTxs(t, 30)
	db := segmenttest.Build(t, txs, segmenttest.Options{})
	root, err := segment.ParseIndexRoot(db.Raw(t, db.Root.Index))
	require.NoError(t, err)
	added := map[string]int{}
	for _, tx := range append(segmenttest.Bootstrap(t), txs...) {
		for _, d := range tx.Datoms {
			added[fmt.Sprint(d.E, d.A, d.V)] += map[bool]int{true: 1, false: -1}[d.Added]
		}
	}
	datoms := walkTree(t, db, root.Trees[segment.EAVT][segment.Main])
	require.NotEmpty(t, datoms)
	for _, d := range datoms {
		if d.A != dclone.AttrIdent || d.Tx != dclone.TxID(54) { // two idents that t 0 retracts come in t 54
			require.Equal(t, 1, added[fmt.Sprint(d.E, d.A, d.V)], "%v", d)
		}
		delete(added, fmt.Sprint(d.E, d.A, d.V))
	}
	for fact, n := range added {
		require.Zero(t, n, fact)
	}
}

func TestBackupRoot(t *testing.T) {
	db := segmenttest.Build(t, sampleTxs(t, 5), segmenttest.Options{Tail: 2})
	for version := 1; version <= segment.BackupVersion; version++ {
		root, err := segment.ParseBackupRoot(db.RootFile(t, version))
		require.NoError(t, err)
		want := db.Root
		if want.Version = version; version < 3 {
			want.LogVersion, want.IndexVersion = 1, 1
		}
		require.Equal(t, want, root)
	}
	for _, test := range []struct {
		name string
		v    any
		want string
	}{
		{"a list", []any{}, "[]interface {} where a map belongs"},
		{"no keys", fressian.Map{}, ":db-id is"},
		{"a string key", fressian.Map{{Key: "x", Value: "y"}}, "string for a key"},
		{"a version that is none", fressian.Map{{Key: dclone.Kw("backup", "version"), Value: "3"}}, ":backup/version is \"3\""},
		{"a path for an id", fressian.Map{{Key: dclone.Kw("", "index-root-id"), Value: "../../etc/passwd"}, {Key: dclone.Kw("", "db-id"), Value: "x"}}, `:index-root-id is "../../etc/passwd"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := fressian.Append(nil, test.v)
			require.NoError(t, err)
			_, err = segment.ParseBackupRoot(b)
			require.ErrorContains(t, err, "read backup root at offset 0: ")
			require.ErrorContains(t, err, test.want)
		})
	}
	b, err := fressian.Append(nil, fressian.Map{{Key: dclone.Kw("backup", "version"), Value: int64(4)}})
	require.NoError(t, err)
	_, err = segment.ParseBackupRoot(b)
	var damage *segment.DamageError
	require.ErrorIs(t, err, segment.ErrNewer)
	require.False(t, errors.As(err, &damage), "it is not damaged")
}
