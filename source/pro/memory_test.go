package pro_test

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/segment"
	"dclone/realdata"
	"dclone/store"
)

// A memory is a store of one database that its test can change.
type memory struct {
	mu       sync.Mutex
	segments map[string][]byte
	roots    map[dclone.T]store.Root // the storage's own is that of store.Newest
	read     int
	before   func(id string) // each read of a segment
}

func (m *memory) Segment(ctx context.Context, id string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.read++
	if m.before != nil {
		m.before(id)
	}
	b, ok := m.segments[id]
	if !ok {
		return nil, fmt.Errorf("read segment %s of %s: %w", id, m, store.ErrMissing)
	}
	return b, nil
}

func (m *memory) Points(context.Context) (points []dclone.T, err error) {
	for t := range m.roots {
		if t != store.Newest {
			points = append(points, t)
		}
	}
	slices.Sort(points)
	slices.Reverse(points)
	return points, nil
}

func (m *memory) Root(ctx context.Context, t dclone.T) (store.Root, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.roots[t]
	if !ok {
		return r, store.ErrNoRoot
	}
	return r, nil
}

func (m *memory) String() string { return "memory" }
func (m *memory) Close() error   { return nil }

// clone returns a copy that can be changed by itself.
func (m *memory) clone() *memory {
	c := &memory{segments: map[string][]byte{}, roots: map[dclone.T]store.Root{}}
	for id, b := range m.segments {
		c.segments[id] = b
	}
	for t, r := range m.roots {
		c.roots[t] = r
	}
	return c
}

// loaded has the backups read already: no test changes one.
var loaded = map[string]*memory{}

// realBackup returns a copy of a backup directory of real data.
func realBackup(t testing.TB, name string) *memory {
	t.Helper()
	if loaded[name] == nil {
		loaded[name] = readBackup(t, name+".tar")
	}
	return loaded[name].clone()
}

func readBackup(t testing.TB, archive string) *memory {
	m := &memory{segments: map[string][]byte{}, roots: map[dclone.T]store.Root{}}
	for name, b := range realdata.Entries(t, "pro", archive) {
		switch dir := path.Dir(name); {
		case strings.Contains(dir, "/values"):
			m.segments[path.Base(name)] = b
		case strings.HasSuffix(dir, "/roots"):
			at, err := strconv.ParseInt(path.Base(name), 10, 64)
			require.NoError(t, err)
			m.roots[dclone.T(at)] = rootOf(t, b, dclone.T(at))
		}
	}
	require.NotEmpty(t, m.segments)
	points, _ := m.Points(ctx)
	m.roots[store.Newest] = m.roots[points[0]]
	return m
}

func rootOf(t testing.TB, b []byte, at dclone.T) store.Root {
	r, err := segment.ParseBackupRoot(b)
	require.NoError(t, err)
	return rootOfParsed(r, at)
}
