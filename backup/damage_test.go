package backup

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/segment"
	"dclone/store"
)

// A damage is done to the file of a node. others are files of the same backup, one for each other place.
var damages = []struct {
	name    string
	missing bool // it is the file that is missing, not bad
	readAll bool // it takes reading leaves to see it in a leaf
	do      func(files map[string][]byte, key string, other []byte)
}{
	{"missing", true, false, func(f map[string][]byte, key string, _ []byte) { delete(f, key) }},
	{"empty", false, true, func(f map[string][]byte, key string, _ []byte) { f[key] = nil }},
	{"truncated", false, true, func(f map[string][]byte, key string, _ []byte) { f[key] = f[key][:len(f[key])*2/3] }},
	{"flipped", false, true, func(f map[string][]byte, key string, _ []byte) {
		b := bytes.Clone(f[key])
		b[len(b)/2] ^= 0x10
		f[key] = b
	}},
	{"flipped in its magic", false, true, func(f map[string][]byte, key string, _ []byte) {
		b := bytes.Clone(f[key])
		b[0] ^= 1
		f[key] = b
	}},
	{"longer", false, true, func(f map[string][]byte, key string, _ []byte) { f[key] = append(bytes.Clone(f[key]), 0) }},
	{"of another kind", false, true, func(f map[string][]byte, key string, other []byte) { f[key] = other }},
	{"garbage in gzip", false, true, func(f map[string][]byte, key string, _ []byte) {
		f[key] = segment.Pack(nil, []byte("this is not fressian"))
	}},
	{"gzip of nothing", false, true, func(f map[string][]byte, key string, _ []byte) { f[key] = segment.Pack(nil, nil) }},
	{"another value", false, true, func(f map[string][]byte, key string, _ []byte) {
		f[key] = segment.Pack(nil, []byte{0xDB, 'x'})
	}},
	{"checksum wrong", false, true, func(f map[string][]byte, key string, _ []byte) {
		raw, err := segment.Unpack(nil, f[key], segment.MaxSize)
		if err == nil && len(raw) > 8 {
			raw[len(raw)-1] ^= 1
		}
		f[key] = segment.Pack(nil, raw)
	}},
}

// samples returns a node of each place that a backup has.
func samples(t *testing.T, m *memFiles, point dclone.T) map[place]node {
	b := store.NewBackup(m)
	root, err := b.Root(t.Context(), point)
	require.NoError(t, err)
	found := map[place]node{}
	var visit func(n node)
	visit = func(n node) {
		children, _, err := read(t.Context(), b, n)
		require.NoError(t, err)
		if _, ok := found[n.at]; !ok || len(children) > 0 {
			found[n.at] = n
		}
		for _, c := range children {
			visit(c)
		}
	}
	visit(node{id: root.Index, at: indexRoot})
	visit(node{id: root.Log, at: logRoot})
	require.Len(t, found, 10, "a place is missing")
	return found
}

// TestDamage damages a node of each place in each way, and has Verify name it, and it alone.
func TestDamage(t *testing.T) {
	real := realFiles(t, "alltypes")
	nodes := samples(t, real, 1493)
	for _, d := range damages {
		for at, n := range nodes {
			t.Run(fmt.Sprintf("%s/%s", d.name, at), func(t *testing.T) {
				m := real.clone()
				d.do(m.files, keyTo(n.id), real.files[keyTo(otherPlace(nodes, at).id)])
				if d.name == "checksum wrong" && bytes.Equal(m.files[keyTo(n.id)], real.files[keyTo(n.id)]) {
					t.Skip("it has no footer")
				}
				for _, readAll := range []bool{true, false} {
					r, err := Verify(t.Context(), store.NewBackup(m), Options{T: 1493, ReadAll: readAll})
					require.NoError(t, err)
					switch {
					case d.missing:
						require.Equal(t, []string{n.id}, idsOf(r.Missing))
						require.Equal(t, at.String(), r.Missing[0].Kind)
						require.Equal(t, keyTo(n.id), r.Missing[0].File)
						require.Empty(t, r.Unreadable)
					case readAll || !at.isLeaf():
						require.Empty(t, r.Missing)
						require.Len(t, r.Unreadable, 1)
						require.Equal(t, n.id, r.Unreadable[0].ID)
						require.Equal(t, at.String(), r.Unreadable[0].Kind)
						require.Equal(t, keyTo(n.id), r.Unreadable[0].File)
						require.NotEmpty(t, r.Unreadable[0].Why)
					}
				}
				_, err := Copy(t.Context(), store.NewBackup(m), store.NewBackup(newMemFiles()), Options{T: 1493})
				require.ErrorContains(t, err, n.id)
			})
		}
	}
}

// otherPlace returns a node of a kind that is not that of nodes at a place.
func otherPlace(nodes map[place]node, at place) node {
	if at == logRoot || at == logDir {
		return nodes[treeDir]
	}
	return nodes[logDir]
}

// TestDamages damages many segments in one backup, and has Verify name them all.
func TestDamages(t *testing.T) {
	m := realFiles(t, "alltypes")
	keys := leavesOf(t, m, 5619)
	var missing, bad []string
	for i, key := range keys {
		switch {
		case i%5 == 0:
			delete(m.files, key)
			missing = append(missing, idOf(key))
		case i%5 == 1:
			d := damages[1+i/5%(len(damages)-1)]
			if d.name == "checksum wrong" {
				continue
			}
			d.do(m.files, key, []byte{1})
			bad = append(bad, idOf(key))
		}
	}
	slices.Sort(missing)
	slices.Sort(bad)
	r, err := Verify(t.Context(), store.NewBackup(m), Options{ReadAll: true, Concurrency: 4})
	require.NoError(t, err)
	require.Equal(t, int64(216), r.Total)
	require.Equal(t, missing, idsOf(r.Missing))
	require.Equal(t, bad, idsOf(r.Unreadable))
}

func idsOf(bad []Bad) (ids []string) {
	for _, b := range bad {
		ids = append(ids, b.ID)
	}
	return ids
}

// leavesOf returns the keys of all nodes below a root that refer to none, sorted.
func leavesOf(t *testing.T, m *memFiles, point dclone.T) (keys []string) {
	for _, key := range slices.Sorted(maps.Keys(reachable(t, m, fmt.Sprintf("roots/%d", point)))) {
		ids, err := refersTo(key, m.files[key])
		require.NoError(t, err)
		if len(ids) == 0 && idOf(key) != "" && kindOf(m.files[key]) != segment.KindLogDir {
			keys = append(keys, key)
		}
	}
	require.Greater(t, len(keys), 100)
	return keys
}

func kindOf(stored []byte) segment.Kind {
	raw, _ := segment.Unpack(nil, stored, segment.MaxSize)
	kind, _, _ := segment.Children(raw)
	return kind
}
