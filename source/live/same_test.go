package live_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	"dclone/source"
)

// allTxs reads transactions to the end.
func allTxs(t testing.TB, c source.Conn, from dclone.T) (all []dclone.Tx) {
	t.Helper()
	for tx, err := range c.Txs(ctx, from) {
		require.NoError(t, err)
		k := *tx
		k.Datoms = slices.Clone(k.Datoms)
		for i := range k.Datoms {
			k.Datoms[i].V = slices.Clone(k.Datoms[i].V)
		}
		all = append(all, k)
	}
	return all
}

type reading = func(context.Context, dclone.EntityID) iter.Seq2[[]dclone.Datom, error]

// collect reads one attribute, by one of the ways there are.
func collect(t testing.TB, read reading, a dclone.EntityID) (all []dclone.Datom) {
	t.Helper()
	for datoms, err := range read(ctx, a) {
		require.NoError(t, err)
		require.NotEmpty(t, datoms)
		for _, d := range datoms {
			d.V = slices.Clone(d.V)
			all = append(all, d)
		}
	}
	return all
}

func sameSnapshot(t testing.TB, want, s source.Snapshot) {
	t.Helper()
	require.Equal(t, want.Basis(), s.Basis())
	require.Equal(t, want.Born(), s.Born())
	require.Equal(t, want.MaxInstant(), s.MaxInstant())
	require.Equal(t, slices.Collect(want.Schema().Attributes()), slices.Collect(s.Schema().Attributes()))
	require.Equal(t, relevant(want), relevant(s), "datoms of the schema")
	require.Subset(t, attributes(want), attributes(s))
	require.True(t, slices.IsSorted(attributes(s)))
	sideBySide(t, s)
	for _, a := range attributes(want) {
		if !slices.Contains(attributes(s), a) { // source/pro lists those that have datoms after t, too
			require.Empty(t, collect(t, want.History, a))
			continue
		}
		ident := want.Schema().Ident(a)
		current := collect(t, s.Current, a)
		require.True(t, slices.IsSortedFunc(current, func(x, y dclone.Datom) int {
			return cmp.Or(cmp.Compare(x.E, y.E), local.CompareValues(x.V, y.V))
		}), "order of current datoms of %v", ident)
		history := inOrder(collect(t, want.History, a))
		require.Equal(t, history, inOrder(collect(t, s.History, a)), "all datoms of %v", ident)
		wanted := inOrder(collect(t, want.Current, a))
		require.Equal(t, wanted, inOrder(current), "current datoms of %v", ident)
	}
	require.Empty(t, collect(t, s.Current, 999_999))
	require.Empty(t, collect(t, s.History, 0))
}

// sideBySide reads all attributes at once, and holds that against what each has by itself.
func sideBySide(t testing.TB, s source.Snapshot) {
	t.Helper()
	counts := make([]int, len(s.Attributes()))
	errs := make([]error, len(counts))
	var readers sync.WaitGroup
	for i, a := range attributes(s) {
		readers.Go(func() {
			for datoms, err := range s.Current(ctx, a) {
				counts[i] += len(datoms)
				errs[i] = err
			}
		})
	}
	readers.Wait()
	for i, a := range attributes(s) {
		require.NoError(t, errs[i])
		require.Len(t, collect(t, s.Holders, a), counts[i])
	}
}

// inOrder puts an entity's datoms of one transaction in an order that any source can have.
func inOrder(all []dclone.Datom) []dclone.Datom {
	slices.SortStableFunc(all, func(x, y dclone.Datom) int {
		return cmp.Or(cmp.Compare(x.E, y.E), cmp.Compare(x.Tx, y.Tx), bytes.Compare(x.V, y.V), cmp.Compare(fmt.Sprint(x.Added), fmt.Sprint(y.Added)))
	})
	return all
}

func relevant(s source.Snapshot) []dclone.Datom {
	return slices.DeleteFunc(slices.Clone(s.SchemaDatoms()), func(d dclone.Datom) bool { return !s.Schema().Relevant(d) })
}

func attributes(s source.Snapshot) (as []dclone.EntityID) {
	for _, a := range s.Attributes() {
		as = append(as, a.A)
	}
	return as
}
