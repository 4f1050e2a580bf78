package pro_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/segment"
	"dclone/datomic/segment/segmenttest"
	"dclone/realdata"
	"dclone/source"
	"dclone/source/pro"
	"dclone/store"
	"dclone/store/dir"
)

// A backup directory is read through its store.
func TestBackupDirectory(t *testing.T) {
	files, err := dir.Open(filepath.Join(realdata.Unpack(t, "pro", "alltypes.tar"), "alltypes"))
	require.NoError(t, err)
	b, err := store.OpenBackup(ctx, files)
	require.NoError(t, err)
	c, err := pro.Open(ctx, b, store.Newest)
	require.NoError(t, err)
	defer c.Close()
	require.EqualValues(t, 5619, c.Basis())
	changed, err := c.Refresh(ctx)
	require.NoError(t, err)
	require.False(t, changed)
	s, err := c.Snapshot(ctx, c.Basis(), source.Options{})
	require.NoError(t, err)
	defer s.Close()
	all, err := collect(s.Current, dclone.AttrIdent)
	require.NoError(t, err)
	require.NotEmpty(t, all)
}

// A database without transactions has its bootstrap.
func TestEmptyDatabase(t *testing.T) {
	db := segmenttest.Build(t, nil, segmenttest.Options{})
	c := open(t, &memory{segments: db.Segments, roots: map[dclone.T]store.Root{store.Newest: rootOfParsed(db.Root, store.Newest)}}, store.Newest)
	require.Equal(t, segmenttest.Born, c.Basis())
	first, err := c.First(nil)
	require.NoError(t, err)
	require.Zero(t, first)
	checkAsOf(t, c, 1)
	f, err := c.Fingerprint(nil, c.Basis())
	require.NoError(t, err)
	require.Empty(t, f.ID)
}

// Fingerprints tell transactions apart, and First does not depend on what an excision takes.
func TestFingerprint(t *testing.T) {
	h := newHistory(t, 3).grow(30)
	c := open(t, h.database(30), store.Newest)
	first, err := c.First(dclone.DigestKey("k"))
	require.NoError(t, err)
	require.NotZero(t, first)
	seen := map[dclone.Digest]bool{}
	for _, tx := range h.txs {
		f, err := c.Fingerprint(dclone.DigestKey("k"), tx.T)
		require.NoError(t, err)
		require.Equal(t, tx.T, f.T)
		require.Equal(t, tx.Instant, f.Instant)
		require.Len(t, f.ID, 36)
		require.False(t, seen[f.Digest])
		seen[f.Digest] = true
		again, err := open(t, h.database(30), store.Newest).Fingerprint(dclone.DigestKey("k"), tx.T)
		require.NoError(t, err)
		require.Equal(t, f, again, "however the log is cut")
	}
	h.txs[0].Datoms = h.txs[0].Datoms[:1]
	after, err := open(t, h.database(30), store.Newest).First(dclone.DigestKey("k"))
	require.NoError(t, err)
	require.Equal(t, first, after)
}

// NaN is anywhere among an entity's values, because Datomic takes it for equal to all.
func TestNaNAnywhere(t *testing.T) {
	e := dclone.MakeEntityID(4, 2000)
	txs := []dclone.Tx{
		segmenttest.Tx(t, 1000, segmenttest.Datom(t, 72, 10, dclone.Kw("a", "d"), true), segmenttest.Datom(t, 72, 40, int64(57), true),
			segmenttest.Datom(t, 72, 41, int64(36), true), segmenttest.Datom(t, 0, 13, int64(72), true)),
		segmenttest.Tx(t, 1002, segmenttest.Datom(t, e, 72, 1.5, true), segmenttest.Datom(t, e, 72, 2.5, true), segmenttest.Datom(t, e, 72, math.NaN(), true)),
		segmenttest.Tx(t, 1003, segmenttest.Datom(t, e, 72, 2.5, false), segmenttest.Datom(t, e, 72, 3.5, true)),
	}
	db := segmenttest.Build(t, txs, segmenttest.Options{Tail: 1})
	turned := 0
	for id, stored := range db.Segments {
		raw, err := segment.Unpack(nil, stored, 1<<20)
		require.NoError(t, err)
		leaf, err := segment.ParseLeaf(raw)
		if err != nil || leaf.Len() != 3 || leaf.Datom(0).A != 72 {
			continue
		}
		raw, err = segment.AppendLeaf(nil, []dclone.Datom{leaf.Datom(2), leaf.Datom(0), leaf.Datom(1)})
		require.NoError(t, err)
		db.Segments[id] = segment.Pack(nil, raw)
		turned++
	}
	require.Positive(t, turned)
	c := open(t, &memory{segments: db.Segments, roots: map[dclone.T]store.Root{store.Newest: rootOfParsed(db.Root, store.Newest)}}, store.Newest)
	checkAsOf(t, c, 1)
}

// An excision is known by its attribute.
func TestExcised(t *testing.T) {
	c := open(t, realBackup(t, "excised"), store.Newest)
	var last dclone.T
	for tx, err := range c.Txs(ctx, 1000) {
		require.NoError(t, err)
		for _, d := range tx.Datoms {
			if d.A == 15 {
				last = tx.T
			}
		}
	}
	require.NotZero(t, last)
	for from, want := range map[dclone.T]bool{0: true, last: true, last + 1: false, 9999: false} {
		got, err := c.Excised(ctx, from)
		require.NoError(t, err)
		require.Equal(t, want, got, "from t %d", from)
	}
	got, err := open(t, realBackup(t, "alltypes"), store.Newest).Excised(ctx, 0)
	require.NoError(t, err)
	require.False(t, got)
}
