package storetest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/store"
)

// Content is what is known of a database.
type Content struct {
	Segments map[string][]byte // some at least; there may be others
	Roots    []store.Root      // all, newest first; of a storage one, with T Newest
}

// TestDatabase runs the suite for a database that has the content. Each call of open opens it anew and
// sees that it is closed.
func TestDatabase(t *testing.T, open func(t testing.TB) store.Database, has Content) {
	require.NotEmpty(t, has.Segments)
	for name, test := range map[string]func(*testing.T, store.Database, Content){
		"segments": testSegments, "missing": testMissing, "hostile ids": testHostileIDs, "readers": testReaders,
		"points": testPoints, "roots": testRoots, "cancelled": testCancelled,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t), has) })
	}
}

func testSegments(t *testing.T, db store.Database, has Content) {
	for range 2 {
		for id, want := range has.Segments {
			got, err := db.Segment(t.Context(), id)
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got), id)
			clear(got) // they are ours
		}
	}
}

const (
	absent      = "00000000-0000-4000-8000-0000000000aa"
	absentChunk = absent + "_00000000000000A"
)

func testMissing(t *testing.T, db store.Database, _ Content) {
	for _, id := range []string{absent, absentChunk} {
		_, err := db.Segment(t.Context(), id)
		require.ErrorIs(t, err, store.ErrMissing)
		require.ErrorContains(t, err, id)
	}
}

// testHostileIDs asks for what is there under ids that are not its own, and for what is no segment.
func testHostileIDs(t *testing.T, db store.Database, has Content) {
	ids := []string{"", ".", "..", "a", "owner", "../owner", "../../owner", "roots", "pod-coord", "pod-catalog", "*", "%", "' or 1=1 --",
		absent + "_", absent + "_00000000000000a", absent + "_0000000000000000A", strings.Repeat("x", 36), strings.Repeat("-", 36),
		strings.Repeat("x", 1<<20), "\x00", absent + "\x00", "{" + absent + "}", strings.ReplaceAll(absent, "-", "")}
	for _, r := range has.Roots {
		ids = append(ids, "ref-index-root/"+r.DatabaseID, "pod-log-tail/"+r.DatabaseID, fmt.Sprintf("../roots/%d", r.T))
	}
	for id := range has.Segments {
		for _, other := range []string{strings.ToUpper(id), strings.ToLower(id)} {
			if other != id {
				ids = append(ids, other)
			}
		}
		ids = append(ids, id+" ", " "+id, id[1:], "x/../"+id, id[len(id)-2:]+"/"+id)
	}
	for _, id := range ids {
		_, err := db.Segment(t.Context(), id)
		require.Error(t, err, "%.100q", id)
		require.Less(t, len(err.Error()), 1000, "%.100q", id)
	}
}

func testReaders(t *testing.T, db store.Database, has Content) {
	ids := slices.Collect(maps.Keys(has.Segments))
	each(t, 4*len(ids), func(i int) error {
		id := ids[i%len(ids)]
		got, err := db.Segment(t.Context(), id)
		if err == nil && !bytes.Equal(has.Segments[id], got) {
			err = fmt.Errorf("segment %s is another", id)
		}
		clear(got)
		return err
	})
}

func testPoints(t *testing.T, db store.Database, has Content) {
	points, err := db.Points(t.Context())
	require.NoError(t, err)
	var want []dclone.T
	for _, r := range has.Roots {
		if r.T != store.Newest {
			want = append(want, r.T)
		}
	}
	require.Equal(t, want, points)
}

func testRoots(t *testing.T, db store.Database, has Content) {
	for i, want := range has.Roots {
		got, err := db.Root(t.Context(), want.T)
		require.NoError(t, err)
		require.Equal(t, want, got)
		if i == 0 {
			got, err = db.Root(t.Context(), store.Newest)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	for _, none := range []dclone.T{42, -2, 1 << 62} {
		_, err := db.Root(t.Context(), none)
		require.ErrorIs(t, err, store.ErrNoRoot)
	}
	if len(has.Roots) == 0 {
		_, err := db.Root(t.Context(), store.Newest)
		require.ErrorIs(t, err, store.ErrNoRoot)
	}
}

func testCancelled(t *testing.T, db store.Database, has Content) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for id := range has.Segments {
		_, err := db.Segment(ctx, id)
		require.ErrorIs(t, err, context.Canceled)
	}
	_, err := db.Root(ctx, store.Newest)
	require.ErrorIs(t, err, context.Canceled)
	for id := range has.Segments { // and is as good as before
		_, err := db.Segment(t.Context(), id)
		require.NoError(t, err)
	}
}
