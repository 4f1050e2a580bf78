package backup

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/segment"
	"dclone/fressian"
	"dclone/store"
)

// TestSwapped puts a segment where another of the same kind belongs: each is sound, and in the wrong place.
func TestSwapped(t *testing.T) {
	real := realFiles(t, "mbrainz")
	b := store.NewBackup(real)
	root, err := b.Root(t.Context(), 83157)
	require.NoError(t, err)
	m, swapped := real.clone(), []string(nil)
	swap := func(x, y string) {
		m.files[keyTo(x)], m.files[keyTo(y)] = m.files[keyTo(y)], m.files[keyTo(x)]
		swapped = append(swapped, x, y)
	}
	log := descend(t, b, node{id: root.Log, at: logRoot}, 0)
	require.Greater(t, len(log), 2)
	swap(log[0].id, log[1].id)
	_, raw, err := read(t.Context(), b, node{id: root.Index, at: indexRoot})
	require.NoError(t, err)
	index, err := segment.ParseIndexRoot(raw)
	require.NoError(t, err)
	var first []node
	for x, tiers := range index.Trees {
		dirs := descend(t, b, node{id: tiers[segment.Main], at: treeRoot, index: segment.Index(x)}, 0)
		require.Greater(t, len(dirs), 3)
		swap(dirs[1].id, dirs[2].id)
		first = append(first, dirs[3])
	}
	swap(first[0].id, first[1].id)
	swap(first[2].id, first[3].id)
	r, err := Verify(t.Context(), store.NewBackup(m), Options{T: 83157, ReadAll: true})
	require.NoError(t, err)
	require.Empty(t, r.Missing)
	slices.Sort(swapped)
	require.Equal(t, swapped, idsOf(r.Unreadable))
}

// descend returns the children of the child i of a node.
func descend(t *testing.T, b *store.Backup, n node, i int) []node {
	dirs, _, err := read(t.Context(), b, n)
	require.NoError(t, err)
	require.Greater(t, len(dirs), i)
	children, _, err := read(t.Context(), b, dirs[i])
	require.NoError(t, err)
	return children
}

// TestDisorder puts two datoms of a leaf, and two transactions of another, in each other's place.
func TestDisorder(t *testing.T) {
	real := realFiles(t, "alltypes")
	nodes := samples(t, real, 1493)
	m := real.clone()
	for _, at := range []place{treeLeaf, logLeaf} {
		key := keyTo(nodes[at].id)
		m.files[key] = reversed(t, m.files[key])
	}
	r, err := Verify(t.Context(), store.NewBackup(m), Options{T: 1493, ReadAll: true})
	require.NoError(t, err)
	want := []string{nodes[treeLeaf].id, nodes[logLeaf].id}
	slices.Sort(want)
	require.Equal(t, want, idsOf(r.Unreadable))
}

// reversed returns a leaf with its datoms, or transactions, in the opposite order.
func reversed(t *testing.T, stored []byte) []byte {
	raw, err := segment.Unpack(nil, stored, segment.MaxSize)
	require.NoError(t, err)
	v, err := fressian.NewDecoder(raw).Decode()
	require.NoError(t, err)
	e := fressian.NewEncoder(nil)
	switch v := v.(type) {
	case []any:
		require.Greater(t, len(v), 1)
		slices.Reverse(v)
	case fressian.Tagged:
		if values, ok := v.Fields[0].([]any); ok {
			slices.Reverse(values)
		} else {
			slices.Reverse(v.Fields[0].(fressian.Objects))
		}
		slices.Reverse(v.Fields[1].([]int64))
		slices.Reverse(v.Fields[2].([]int32))
		slices.Reverse(v.Fields[3].([]int64))
		slices.Reverse(v.Fields[4].([]bool))
		require.Greater(t, len(v.Fields[4].([]bool)), 1)
	}
	require.NoError(t, e.Encode(v))
	e.Footer()
	return segment.Pack(nil, e.Bytes())
}

// TestSpans reports dirs that say of a leaf what is not so.
func TestSpans(t *testing.T) {
	real := realFiles(t, "alltypes")
	b := store.NewBackup(real)
	dir := samples(t, real, 1493)[treeDir]
	leaves, _, err := read(t.Context(), b, dir)
	require.NoError(t, err)
	for name, change := range map[string]func(offsets, counts []int32){
		"offset too great": func(offsets, _ []int32) { offsets[0] = 1 << 30 },
		"count too great":  func(_, counts []int32) { counts[0] = 1<<31 - 1 },
	} {
		t.Run(name, func(t *testing.T) {
			m := real.clone()
			raw, err := segment.Unpack(nil, m.files[keyTo(dir.id)], segment.MaxSize)
			require.NoError(t, err)
			v, err := fressian.NewDecoder(raw).Decode()
			require.NoError(t, err)
			fields := v.(fressian.Tagged).Fields
			change(fields[2].([]int32), fields[3].([]int32))
			e := fressian.NewEncoder(nil)
			require.NoError(t, e.Encode(v))
			e.Footer()
			m.files[keyTo(dir.id)] = segment.Pack(nil, e.Bytes())
			r, err := Verify(t.Context(), store.NewBackup(m), Options{T: 1493, ReadAll: true})
			require.NoError(t, err)
			require.Equal(t, []string{leaves[0].id}, idsOf(r.Unreadable))
		})
	}
}

// TestCycles ends, whatever nodes refer to: each sample is put where each other belongs, and every node
// everywhere at once.
func TestCycles(t *testing.T) {
	real := realFiles(t, "alltypes")
	nodes := samples(t, real, 1493)
	for _, n := range nodes {
		m := real.clone()
		for _, other := range nodes {
			m.files[keyTo(other.id)] = real.files[keyTo(n.id)]
		}
		r, err := Verify(t.Context(), store.NewBackup(m), Options{T: 1493, ReadAll: true, Concurrency: 3})
		require.NoError(t, err)
		require.NotEmpty(t, r.Unreadable)
		_, err = Copy(t.Context(), store.NewBackup(m), store.NewBackup(newMemFiles()), Options{T: 1493, Concurrency: 3})
		require.Error(t, err)
	}
	root, err := store.NewBackup(real).Root(t.Context(), 1493)
	require.NoError(t, err)
	m := real.clone()
	e := fressian.NewEncoder(nil)
	require.NoError(t, e.Encode([]any{fressian.Tagged{Tag: "log-dir", Fields: []any{int64(0), uuid.MustParse(root.Log)}}}))
	e.Footer()
	m.files[keyTo(root.Log)] = segment.Pack(nil, e.Bytes())
	r, err := Verify(t.Context(), store.NewBackup(m), Options{T: 1493})
	require.NoError(t, err)
	require.Equal(t, []string{root.Log}, idsOf(r.Unreadable))
	_, err = Copy(t.Context(), store.NewBackup(m), store.NewBackup(newMemFiles()), Options{T: 1493, Concurrency: 3})
	require.ErrorContains(t, err, root.Log)
}

// TestMisplaced finds files that are where Datomic does not look for them.
func TestMisplaced(t *testing.T) {
	m := realFiles(t, "alltypes")
	n := samples(t, m, 5619)[searchChunk]
	for key := range m.files {
		if id := idOf(key); strings.Contains(id, "_") && strings.ToLower(id[len(id)-2:]) != id[len(id)-2:] {
			n.id = id
		}
	}
	key := keyTo(n.id)
	m.files["values/"+n.id] = m.files[key]
	delete(m.files, key)
	for _, readAll := range []bool{true, false} {
		r, err := Verify(t.Context(), store.NewBackup(m), Options{T: 5619, ReadAll: readAll})
		require.NoError(t, err)
		require.Empty(t, r.Missing)
		require.Equal(t, []string{n.id}, idsOf(r.Unreadable))
	}
}

// TestOldLayouts verifies and copies backups as versions 1 and 2 of the format have them.
func TestOldLayouts(t *testing.T) {
	real := realFiles(t, "alltypes")
	for version := 1; version <= 2; version++ {
		old := newMemFiles()
		for key, data := range real.files {
			switch {
			case idOf(key) != "":
				old.files["values/"+idOf(key)] = data
			case strings.HasPrefix(key, "roots/"):
				old.files[key] = oldRoot(t, data, version)
			default:
				old.files[key] = data
			}
		}
		for _, readAll := range []bool{true, false} {
			r, err := Verify(t.Context(), store.NewBackup(old), Options{ReadAll: readAll})
			require.NoError(t, err)
			require.Empty(t, r.Missing)
			require.Empty(t, r.Unreadable)
			require.Equal(t, int64(216), r.Total)
		}
		copied := newMemFiles()
		for _, point := range []dclone.T{1493, 5619} {
			_, err := Copy(t.Context(), store.NewBackup(old), store.NewBackup(copied), Options{T: point})
			require.NoError(t, err)
		}
		for key, data := range real.files {
			if idOf(key) != "" {
				require.True(t, bytes.Equal(data, copied.files[key]))
			}
		}
		r, err := Verify(t.Context(), store.NewBackup(copied), Options{ReadAll: true})
		require.NoError(t, err)
		require.Empty(t, r.Missing)
		require.Empty(t, r.Unreadable)
	}
}

// TestVerifyRules says in Datomic's words that there is no such restore point.
func TestVerifyRules(t *testing.T) {
	m := realFiles(t, "excised")
	_, err := Verify(t.Context(), store.NewBackup(m), Options{T: 42})
	require.ErrorContains(t, err, ":verify/roots-missing No database root for t 42")
	require.ErrorContains(t, err, "1039")
	require.ErrorIs(t, err, store.ErrNoRoot)
	_, err = Verify(t.Context(), store.NewBackup(newMemFiles()), Options{})
	require.ErrorContains(t, err, ":restore/no-roots No restore points available at mem:")

	m.files["roots/1039"] = []byte("garbage")
	r, err := Verify(t.Context(), store.NewBackup(m), Options{})
	require.NoError(t, err)
	require.Len(t, r.Unreadable, 1)
	require.Equal(t, "roots/1039", r.Unreadable[0].File)
}

// TestEnd tells of a restore point that the log does not come to.
func TestEnd(t *testing.T) {
	m := realFiles(t, "alltypes")
	m.files["roots/9000"] = m.files["roots/5619"]
	r, err := Verify(t.Context(), store.NewBackup(m), Options{ReadAll: true})
	require.NoError(t, err)
	require.Equal(t, []Bad{{Kind: "root", File: "roots/9000", Why: "the log ends at t 5619, before the restore point"}}, r.Unreadable)
}

// TestEmpty says of a segment that is empty or not gzip that it is, and which of those that are bad lead to others.
func TestEmpty(t *testing.T) {
	m := realFiles(t, "alltypes")
	root, err := store.NewBackup(m).Root(t.Context(), 5619)
	require.NoError(t, err)
	leaf := leavesOf(t, m, 5619)[0]
	m.files[keyTo(root.Log)], m.files[leaf] = nil, []byte("text")
	r, err := Verify(t.Context(), store.NewBackup(m), Options{ReadAll: true})
	require.NoError(t, err)
	require.Len(t, r.Unreadable, 2)
	for _, bad := range r.Unreadable {
		require.Equal(t, bad.ID == root.Log, bad.Leads)
		require.Contains(t, bad.Why, map[bool]string{true: "it is empty", false: "it is not gzip: "}[bad.Leads])
	}
}
