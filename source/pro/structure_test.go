package pro_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/segment"
	"dclone/datomic/segment/segmenttest"
	"dclone/store"
)

// A node that is whole but says what cannot be is an error of damage, whatever it says wrongly.
func TestWrongStructure(t *testing.T) {
	h := newHistory(t, 1).grow(60)
	build := func() *memory {
		db := segmenttest.Build(t, h.txs, segmenttest.Options{Tail: 3, LeafTxs: 4, DirLeaves: 3, LeafDatoms: 25, DirSpans: 3})
		return &memory{segments: db.Segments, roots: map[dclone.T]store.Root{store.Newest: rootOfParsed(db.Root, store.Newest)}}
	}
	m := build()
	raw := func(id string) []byte {
		b, err := segment.Unpack(nil, m.segments[id], 1<<30)
		require.NoError(t, err)
		return b
	}
	try := func(what, id string, bad []byte, err error) {
		t.Helper()
		require.NoError(t, err)
		damaged := m.clone()
		damaged.segments[id] = segment.Pack(nil, bad)
		_, err = readAll(damaged, store.Newest)
		var damage *segment.DamageError
		require.True(t, errors.As(err, &damage), "%s: %v", what, err)
		require.ErrorContains(t, err, id, what)
	}
	root := m.roots[store.Newest]

	top, err := segment.ParseLogDir(raw(root.Log))
	require.NoError(t, err)
	require.Greater(t, len(top), 3)
	tryLog := func(what string, id string, entries []segment.LogEntry) {
		t.Helper()
		b, err := segment.AppendLogDir(nil, entries)
		try(what, id, b, err)
	}
	swapped := slices.Clone(top)
	swapped[1], swapped[2] = swapped[2], swapped[1]
	tryLog("log root out of order", root.Log, swapped)
	twice := slices.Insert(slices.Clone(top), 1, top[1])
	tryLog("log entry twice", root.Log, twice)
	dir, err := segment.ParseLogDir(raw(top[1].ID))
	require.NoError(t, err)
	tryLog("log dir without entries", top[1].ID, nil)
	tryLog("log dir with entries of another", top[1].ID, append(slices.Clone(dir), segment.LogEntry{T: top[2].T, ID: dir[0].ID}))
	cyclic := slices.Clone(dir)
	cyclic[1].ID = root.Log
	tryLogOf := func(what, named string, id string, entries []segment.LogEntry) {
		t.Helper()
		b, err := segment.AppendLogDir(nil, entries)
		require.NoError(t, err)
		damaged := m.clone()
		damaged.segments[id] = segment.Pack(nil, b)
		_, err = readAll(damaged, store.Newest)
		require.ErrorContains(t, err, named, what)
	}
	tryLogOf("log dir refers to the root", root.Log, top[1].ID, cyclic)
	other := slices.Clone(dir)
	other[0].ID = dir[1].ID
	tryLogOf("log dir refers to another leaf", dir[1].ID, top[1].ID, other)
	leaf, err := segment.AppendLogLeaf(nil, nil)
	try("log leaf without transactions", dir[0].ID, leaf, err)
	at := slices.IndexFunc(h.txs, func(tx dclone.Tx) bool { return tx.T == dir[0].T })
	leaf, err = segment.AppendLogLeaf(nil, []dclone.Tx{h.txs[at+1], h.txs[at]})
	try("log leaf out of order", dir[0].ID, leaf, err)
	leaf, err = segment.AppendLogLeaf(nil, h.txs[at:at+8])
	try("log leaf with transactions of the next", dir[0].ID, leaf, err)

	index, err := segment.ParseIndexRoot(raw(root.Index))
	require.NoError(t, err)
	for _, x := range []segment.Index{segment.AEVT, segment.EAVT} {
		wrongTree(t, x, index.Trees[x][segment.Main], raw, try)
	}
}

func wrongTree(t *testing.T, x segment.Index, id string, raw func(string) []byte, try func(what, id string, bad []byte, err error)) {
	children, err := segment.ParseRootNode(raw(id))
	require.NoError(t, err)
	require.Greater(t, len(children), 3)
	swapped := slices.Clone(children)
	swapped[0], swapped[2] = swapped[2], swapped[0]
	b, err := segment.AppendRootNode(nil, swapped)
	try("root out of order", id, b, err)

	dir := children[0].ID // it holds the bootstrap, in EAVT too
	spans, err := segment.ParseDirNode(raw(dir))
	require.NoError(t, err)
	change := func(what string, change func([]segment.Span) []segment.Span) {
		t.Helper()
		b, err := segment.AppendDirNode(nil, change(slices.Clone(spans)))
		try(what, dir, b, err)
	}
	change("dir without entries", func([]segment.Span) []segment.Span { return nil })
	change("dir out of order", func(s []segment.Span) []segment.Span { s[0], s[2] = s[2], s[0]; return s })
	second, err := segment.ParseDirNode(raw(children[1].ID))
	require.NoError(t, err)
	second[0].Key = segment.Key{E: 1, A: 1}
	b, err = segment.AppendDirNode(nil, second)
	try("dir that begins before its key", children[1].ID, b, err)
	leaf, err := segment.ParseLeaf(raw(spans[0].ID))
	require.NoError(t, err)
	var all []dclone.Datom
	for i := range leaf.Len() {
		all = append(all, leaf.Datom(i))
	}
	for _, n := range []int{0, 1, len(all) / 2} {
		b, err := segment.AppendLeaf(nil, all[:n])
		try("leaf with too few datoms", spans[0].ID, b, err)
	}
	turned := slices.Clone(all)
	turned[0], turned[2] = turned[2], turned[0]
	b, err = segment.AppendLeaf(nil, turned)
	try("leaf out of order", spans[0].ID, b, err)
	foreign := slices.Clone(all)
	last := &foreign[len(all)-1]
	last.E, last.A = 900, 900
	b, err = segment.AppendLeaf(nil, foreign)
	try("leaf with a datom of the next", spans[0].ID, b, err)
}
