package schema_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/fressian"
	"dclone/historytest"
	"dclone/historytest/seeds"
	"dclone/schema"
)

// The schema of a random history is what its facts and its ident assertions say.
func TestRandomSchemas(t *testing.T) {
	for _, seed := range seeds.Of(t, 25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			h := historytest.New(t, filepath.Join(t.TempDir(), "source"), seed)
			h.Step(150)
			var whole, relevant schema.Schema
			for _, tx := range h.Model().Txs {
				require.NoError(t, whole.Apply(tx.Datoms))
				require.NoError(t, relevant.Apply(slices.DeleteFunc(slices.Clone(tx.Datoms), func(d dclone.Datom) bool {
					return tx.T > 5 && !relevant.Relevant(d) // the bootstrap explains itself
				})))
			}
			require.Equal(t, slices.Collect(whole.Attributes()), slices.Collect(relevant.Attributes()))
			compare(t, h.Model(), &whole)
		})
	}
}

func compare(t *testing.T, want *historytest.Database, s *schema.Schema) {
	for kw, e := range want.Keyword {
		if e.Partition() != dclone.PartDB {
			continue
		}
		got, ok := s.Entity(kw)
		require.True(t, ok && got == e, "%v names %d, not %d", kw, got, e)
	}
	for e, kw := range want.Name {
		if e.Partition() == dclone.PartDB {
			require.Equal(t, kw, s.Ident(e))
		} else {
			require.Zero(t, s.Ident(e))
		}
	}
	facts := map[dclone.EntityID]map[dclone.EntityID][]any{}
	installed := map[dclone.EntityID]bool{}
	for f := range want.Facts() {
		v, _, err := fressian.Decode([]byte(f.V))
		require.NoError(t, err)
		if f.A == 13 {
			installed[dclone.EntityID(v.(int64))] = true
		}
		if facts[f.E] == nil {
			facts[f.E] = map[dclone.EntityID][]any{}
		}
		facts[f.E][f.A] = append(facts[f.E][f.A], v)
	}
	name := func(vs []any) dclone.Keyword {
		if len(vs) == 0 {
			return dclone.Keyword{}
		}
		return want.Name[dclone.EntityID(vs[0].(int64))]
	}
	for a := range s.Attributes() {
		require.True(t, installed[a.ID])
		delete(installed, a.ID)
		f := facts[a.ID]
		require.Equal(t, name(f[40]), a.ValueType)
		require.Equal(t, name(f[41]) == dclone.Kw("db.cardinality", "many"), a.Many, "cardinality of %v", a.Ident)
		require.Equal(t, name(f[42]), a.Unique, "uniqueness of %v", a.Ident)
		require.Equal(t, len(f[43]) > 0 && f[43][0].(bool), a.IsComponent)
		require.Equal(t, len(f[45]) > 0 && f[45][0].(bool), a.NoHistory)
		if len(f[63]) > 0 {
			require.Equal(t, f[63][0], a.Doc)
		} else {
			require.Empty(t, a.Doc)
		}
		want.EachRef(a.ID, func(element int, whole bool) {
			if whole {
				require.Equal(t, dclone.WholeRef, s.Refs(a.ID), "%v", a.Ident)
			} else {
				require.True(t, s.Refs(a.ID).Element(element), "%v, element %d", a.Ident, element)
			}
		}, func(element int) {
			require.False(t, s.Refs(a.ID) == dclone.WholeRef || s.Refs(a.ID).Element(element), "%v, element %d", a.Ident, element)
		})
	}
	require.Empty(t, installed, "attributes the schema does not know")
	require.Nil(t, s.Attribute(0))
	require.Equal(t, dclone.NoRefs, s.Refs(1<<40))
}

func TestDamagedSchema(t *testing.T) {
	var s schema.Schema
	require.Error(t, s.Apply([]dclone.Datom{{E: 73, A: dclone.AttrIdent, V: dclone.Value{0xff, 0xff}, Added: true}}))
	require.Error(t, s.Apply([]dclone.Datom{{E: 73, A: dclone.AttrIdent, Added: true}}))
	require.NoError(t, s.Apply([]dclone.Datom{historytest.Datom(73, dclone.AttrIdent, "no keyword", true)}))
	require.Zero(t, s.Ident(73))
}

// Values of other types than their attribute demands are an error or do nothing; they are no panic.
func TestWrongTypes(t *testing.T) {
	h := historytest.New(t, filepath.Join(t.TempDir(), "source"), 1)
	for _, v := range []any{nil, true, int64(5), int64(-5), "text", dclone.Kw("a", "b"), []any{nil, int64(1), "x"}, []any{dclone.Kw("a", "b")}} {
		for a := dclone.EntityID(10); a < 73; a++ {
			for _, added := range []bool{true, false} {
				var s schema.Schema
				for _, tx := range h.Model().Txs {
					require.NoError(t, s.Apply(tx.Datoms))
				}
				_ = s.Apply([]dclone.Datom{historytest.Datom(80, a, v, added), historytest.Datom(0, 13, int64(80), true)})
				s.Refs(80)
			}
		}
	}
}
