package segment_test

import (
	"testing"

	"dclone"
	"dclone/datomic/segment"
	"dclone/datomic/segment/segmenttest"
	"dclone/fressian"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

var someID = uuid.UUID{1}

// tdata returns the struct of one datom, with one column put in place of another.
func tdata(values any, e, a, t, added any) fressian.Tagged {
	return fressian.Tagged{Tag: "index-tdata", Fields: []any{values, e, a, t, added}}
}

func oneDatom() fressian.Tagged {
	return tdata([]any{int64(7)}, []int64{100}, []int32{72}, []int64{1000}, []bool{true})
}

func encoded(t testing.TB, v any) []byte {
	b, err := fressian.Append(nil, v)
	require.NoError(t, err)
	return b
}

func TestLeaf(t *testing.T) {
	for name, test := range map[string]struct {
		v    any
		want string
	}{
		"a list":              {oneDatom(), ""},
		"an array":            {tdata(fressian.Objects{int64(7)}, []int64{100}, []int32{72}, []int64{1000}, []bool{true}), ""},
		"values of no list":   {tdata("x", []int64{100}, []int32{72}, []int64{1000}, []bool{true}), "where a list belongs"},
		"e of no longs":       {tdata([]any{int64(7)}, []int32{100}, []int32{72}, []int64{1000}, []bool{true}), "where an array B0 belongs"},
		"too few a":           {tdata([]any{int64(7)}, []int64{100}, []int32{}, []int64{1000}, []bool{true}), "1 values, but 1 e, 0 a, 1 t and 1 added"},
		"too many added":      {tdata([]any{int64(7)}, []int64{100}, []int32{72}, []int64{1000}, []bool{true, true}), "1 values, but 1 e, 1 a, 1 t and 2 added"},
		"a negative e":        {tdata([]any{int64(7)}, []int64{-1}, []int32{72}, []int64{1000}, []bool{true}), "datom 0 has e -1, a 72, t 1000"},
		"a negative a":        {tdata([]any{int64(7)}, []int64{1}, []int32{-72}, []int64{1000}, []bool{true}), "datom 0 has e 1, a -72, t 1000"},
		"t with a partition":  {tdata([]any{int64(7)}, []int64{1}, []int32{72}, []int64{3<<42 + 5}, []bool{true}), "datom 0 has e 1, a 72, t 13194139533317"},
		"another struct":      {fressian.Tagged{Tag: "datum", Fields: []any{true}}, `a struct "datum" of 1 fields where "index-tdata" of 5 belongs`},
		"no struct":           {"x", "code DB where a struct belongs"},
		"something behind it": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			v, more := test.v, []byte(nil)
			if v == nil {
				v, more, test.want = oneDatom(), []byte{5}, "1 bytes behind the end"
			}
			leaf, err := segment.ParseLeaf(append(encoded(t, v), more...))
			if test.want != "" {
				require.ErrorContains(t, err, "read index leaf at offset ")
				require.ErrorContains(t, err, test.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, 1, leaf.Len())
			want := segmenttest.Datom(t, 100, 72, int64(7), true)
			want.Tx = dclone.TxID(1000)
			require.Equal(t, want, leaf.Datom(0))
		})
	}
}

func TestNodes(t *testing.T) {
	root := func(fields ...any) any { return fressian.Tagged{Tag: "index-root-node", Fields: fields} }
	dir := func(fields ...any) any { return fressian.Tagged{Tag: "index-dir-node", Fields: fields} }
	ids := fressian.Objects{someID}
	for name, test := range map[string]struct {
		v    any
		want string
	}{
		"a root":            {root(oneDatom(), ids), ""},
		"a dir":             {dir(oneDatom(), ids, []int32{3}, []int32{4}), ""},
		"no ids":            {root(oneDatom(), fressian.Objects{}), "1 keys and 0 ids"},
		"an id of text":     {root(oneDatom(), fressian.Objects{"x"}), "where a uuid belongs"},
		"no keys":           {root(int64(5), ids), "code 05 where a struct belongs"},
		"too few counts":    {dir(oneDatom(), ids, []int32{3}, []int32{}), "1 ids, 1 offsets and 0 counts"},
		"a negative offset": {dir(oneDatom(), ids, []int32{-3}, []int32{4}), "entry 0 has offset -3 and count 4"},
		"a negative count":  {dir(oneDatom(), ids, []int32{3}, []int32{-4}), "entry 0 has offset 3 and count -4"},
	} {
		t.Run(name, func(t *testing.T) {
			_, ids, err := segment.Children(encoded(t, test.v))
			if test.want == "" {
				require.NoError(t, err)
				require.Equal(t, []segment.ID{someID.String()}, ids)
				return
			}
			var damage *segment.DamageError
			require.ErrorAs(t, err, &damage)
			require.ErrorContains(t, err, test.want)
		})
	}
}

// What a key leaves out is 0 or nil.
func TestSparseKey(t *testing.T) {
	want := []segment.Span{
		{Key: segment.Key{A: 72}, ID: someID.String(), Count: 5},
		{Key: segment.Key{E: 1, A: 72, V: segmenttest.Value(t, "x"), T: 9}, ID: someID.String(), Offset: 5, Count: 1},
	}
	raw, err := segment.AppendDirNode(nil, want)
	require.NoError(t, err)
	got, err := segment.ParseDirNode(raw)
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, ids, err := segment.Children(raw)
	require.NoError(t, err)
	require.Equal(t, []segment.ID{someID.String()}, ids, "a leaf is named once")
}

func TestFulltext(t *testing.T) {
	base := someID.String()
	files := func(length int64, size int64) []byte {
		raw, err := segment.AppendFiles(nil, []segment.File{{Name: "a", Base: base, Length: length}}, size)
		require.NoError(t, err)
		return raw
	}
	for _, test := range []struct {
		length, size int64
		ids          int
		last         segment.ID
	}{
		{0, 54000, 0, ""},
		{1, 54000, 1, base + "_000000000000000"},
		{54000, 54000, 1, base + "_000000000000000"},
		{54001, 54000, 2, base + "_000000000000001"},
		{54000 * 27, 54000, 27, base + "_00000000000001A"},
	} {
		kind, ids, err := segment.Children(files(test.length, test.size))
		require.NoError(t, err)
		require.Equal(t, segment.KindFiles, kind)
		require.Len(t, ids, test.ids)
		if test.ids > 0 {
			require.Equal(t, test.last, ids[len(ids)-1])
		}
	}
	for _, raw := range [][]byte{files(5, 0), files(5, -1), files(-5, 10), files(1<<40, 1),
		encoded(t, fressian.Tagged{Tag: "search-root", Fields: []any{fressian.Map{{Key: int64(1), Value: "x"}}}}),
		encoded(t, fressian.Tagged{Tag: "search-root", Fields: []any{[]any{}}}),
		encoded(t, fressian.Tagged{Tag: "clusterfs-root", Fields: []any{fressian.Map{{Key: "a", Value: int64(1)}}, int64(1)}})} {
		_, _, err := segment.Children(raw)
		var damage *segment.DamageError
		require.ErrorAs(t, err, &damage)
	}
}

func TestIndexRoot(t *testing.T) {
	id := someID.String()
	r := &segment.IndexRoot{Version: 2, Rev: 3, NextT: 1002, BasisT: 1000, BirthLevel: 5, SchemaLevel: 5, BuildRevision: 7277,
		Trees: [4][3]segment.ID{{id, id, id}, {id}, {id, "", id}, {id}}, Fulltext: id}
	raw, err := segment.AppendIndexRoot(nil, r)
	require.NoError(t, err)
	got, err := segment.ParseIndexRoot(raw)
	require.NoError(t, err)
	require.Equal(t, r, got)
	require.Len(t, got.IDs(), 8)

	without := *r
	without.Trees[segment.RAET][segment.Main] = ""
	raw, err = segment.AppendIndexRoot(nil, &without)
	require.NoError(t, err)
	_, err = segment.ParseIndexRoot(raw)
	require.EqualError(t, err, "read index root at offset 0: it has no :raet-main")

	negative := *r
	negative.BasisT = -1
	raw, err = segment.AppendIndexRoot(nil, &negative)
	require.NoError(t, err)
	_, err = segment.ParseIndexRoot(raw)
	require.EqualError(t, err, "read index root at offset 0: :basisT is -1")
}

func TestWriteRefuses(t *testing.T) {
	d := segmenttest.Datom(t, 100, 72, "x", true)
	d.Tx = dclone.TxID(1000)
	change := func(f func(d *dclone.Datom)) []dclone.Datom { e := d; f(&e); return []dclone.Datom{e} }
	for name, datoms := range map[string][]dclone.Datom{
		"a negative entity":    change(func(d *dclone.Datom) { d.E = -1 }),
		"no transaction":       change(func(d *dclone.Datom) { d.Tx = 5 }),
		"half a value":         change(func(d *dclone.Datom) { d.V = d.V[:1] }),
		"two values":           change(func(d *dclone.Datom) { d.V = append(d.V[:2:2], 5) }),
		"no value":             change(func(d *dclone.Datom) { d.V = dclone.Value{} }),
		"a negative attribute": change(func(d *dclone.Datom) { d.A = -1 }),
	} {
		t.Run(name, func(t *testing.T) {
			b, err := segment.AppendLeaf([]byte("x"), datoms)
			require.Error(t, err)
			require.Equal(t, "x", string(b))
			b, err = segment.AppendLogLeaf([]byte("x"), []dclone.Tx{{T: 1000, Datoms: datoms}})
			require.Error(t, err)
			require.Equal(t, "x", string(b))
		})
	}
}
