package pro_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/segment"
	"dclone/source"
	"dclone/source/pro"
	"dclone/store"
)

// readAll reads all there is to read of a database, at its basis and before.
func readAll(db store.Database, at dclone.T) (digest []uint64, err error) {
	c, err := pro.Open(ctx, db, at)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var ts []dclone.T
	for tx, err := range c.Txs(ctx, 0) {
		if err != nil {
			return nil, err
		}
		ts = append(ts, tx.T)
		for _, d := range tx.Datoms {
			digest = append(digest, sum(d))
		}
	}
	if _, err := c.Excised(ctx, 0); err != nil {
		return nil, err
	}
	for _, t := range []dclone.T{c.Basis(), ts[len(ts)/2]} {
		if _, err := c.Fingerprint(nil, t); err != nil {
			return nil, err
		}
		s, err := c.Snapshot(ctx, t, source.Options{})
		if err != nil {
			return nil, err
		}
		for _, a := range s.Attributes() {
			for _, read := range []reader{s.Current, s.History} {
				datoms, err := collect(read, a.A)
				if err != nil {
					return nil, err
				}
				for _, d := range datoms {
					digest = append(digest, sum(d))
				}
			}
		}
		s.Close()
	}
	return digest, nil
}

// sum stands for a datom.
func sum(d dclone.Datom) uint64 {
	h := fnv.New64()
	fmt.Fprint(h, d.E, d.A, d.Tx, d.Added)
	h.Write(d.V)
	return h.Sum64()
}

// used returns the segments that readAll reads.
func used(t testing.TB, m *memory) []string {
	ids := map[string]bool{}
	m.before = func(id string) { ids[id] = true }
	_, err := readAll(m, store.Newest)
	require.NoError(t, err)
	m.before = nil
	return slices.Sorted(maps.Keys(ids))
}

// A segment that is missing, cut off, changed as it is stored, or another one, is an error that
// names it.
func TestDamagedSegments(t *testing.T) {
	for _, name := range []string{"excised", "midindex", "small"} {
		t.Run(name, func(t *testing.T) {
			m := realBackup(t, name)
			ids := used(t, m)
			r := rand.New(rand.NewPCG(1, 2))
			want, err := readAll(m, store.Newest)
			require.NoError(t, err)
			for _, id := range ids {
				if len(ids) > 15 && r.IntN(len(ids)/15) > 0 {
					continue
				}
				damaged := m.clone()
				try := func(how string, b []byte, kind error) {
					damaged.segments[id] = b
					if b == nil {
						delete(damaged.segments, id)
					}
					got, err := readAll(damaged, store.Newest)
					var damage *segment.DamageError
					switch {
					case err == nil:
						require.Equal(t, want, got, "%s %s", id, how)
						require.Equal(t, "changed", how, "%s: not noticed", id)
					case kind != nil:
						require.ErrorIs(t, err, kind)
						require.Contains(t, err.Error(), id)
					default:
						require.True(t, errors.As(err, &damage), "%s %s: %v", id, how, err)
						require.Contains(t, err.Error(), damaged.String(), how)
						if how != "swapped" { // it may be the order of what is in it that is wrong
							require.Contains(t, err.Error(), id, how)
						}
					}
				}
				whole := m.segments[id]
				try("missing", nil, store.ErrMissing)
				try("empty", []byte{}, nil)
				try("cut off", whole[:r.IntN(len(whole))], nil)
				changed := slices.Clone(whole)
				changed[10+r.IntN(len(changed)-10)] ^= byte(1 + r.IntN(255))
				try("changed", changed, nil)
				// One of the same kind from another tree could be what belongs there, for all that a
				// key says.
				if other := m.segments[ids[r.IntN(len(ids))]]; kindOf(t, other) != kindOf(t, whole) {
					try("swapped", other, nil)
				}
			}
		})
	}
}

func kindOf(t testing.TB, stored []byte) segment.Kind {
	raw, err := segment.Unpack(nil, stored, 1<<30)
	require.NoError(t, err)
	kind, err := segment.KindOf(raw)
	require.NoError(t, err)
	return kind
}

// Bytes that were damaged before they were packed are an error or do not show; they are no panic,
// and reading ends.
func TestDamagedBytes(t *testing.T) {
	m := realBackup(t, "excised")
	ids := used(t, m)
	r := rand.New(rand.NewPCG(3, 4))
	failed := 0
	for range 300 {
		id := ids[r.IntN(len(ids))]
		raw, err := segment.Unpack(nil, m.segments[id], 1<<30)
		require.NoError(t, err)
		for range 1 + r.IntN(3) {
			raw[r.IntN(len(raw))] = byte(r.Uint32())
		}
		damaged := m.clone()
		damaged.segments[id] = segment.Pack(nil, raw)
		if _, err := readAll(damaged, store.Newest); err != nil {
			failed++
			require.Contains(t, err.Error(), "memory")
		}
	}
	require.Greater(t, failed, 150)
	for range 200 {
		damaged := m.clone()
		root := damaged.roots[store.Newest]
		root.Tail = slices.Clone(realBackup(t, "alltypes").roots[1493].Tail)
		for range r.IntN(3) {
			root.Tail[r.IntN(len(root.Tail))] = byte(r.Uint32())
		}
		root.Tail = root.Tail[:len(root.Tail)-r.IntN(3)]
		damaged.roots[store.Newest] = root
		_, _ = readAll(damaged, store.Newest)
	}
}

// What a root says wrongly is named.
func TestBadRoots(t *testing.T) {
	m := realBackup(t, "excised")
	for name, change := range map[string]func(*store.Root){
		"log version 4":            func(r *store.Root) { r.LogVersion = 4 },
		"index version 3":          func(r *store.Root) { r.IndexVersion = 3 },
		"backup version 4":         func(r *store.Root) { r.Version = 4 },
		"before the restore point": func(r *store.Root) { r.T = 5000 },
		"read index root":          func(r *store.Root) { r.Index = r.Log },
		"read log dir":             func(r *store.Root) { r.Log = r.Index },
		"nothing there":            func(r *store.Root) { r.Log = "nothing there" },
		"no id where one belongs":  func(r *store.Root) { r.Index = "" },
		"read log tail of memory":  func(r *store.Root) { r.Tail = []byte{0xEE, 0x01} },
	} {
		bad := m.clone()
		root := bad.roots[1039]
		change(&root)
		bad.roots[1039] = root
		_, err := pro.Open(ctx, bad, 1039)
		require.ErrorContains(t, err, name, name)
		require.True(t, strings.Contains(err.Error(), "memory"), "%v", err)
	}
	_, err := pro.Open(ctx, m, 77)
	require.ErrorIs(t, err, store.ErrNoRoot)
}
