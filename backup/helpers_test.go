package backup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/datomic/segment"
	"dclone/realdata"
	"dclone/store"
	"dclone/store/dir"
)

// memFiles are files in memory. before is called before each Put or Create, and its error is theirs.
type memFiles struct {
	mu     sync.Mutex
	files  map[string][]byte
	before func(key string, data []byte) error
	has    int // calls of Has
}

func newMemFiles() *memFiles { return &memFiles{files: map[string][]byte{}} }

func (m *memFiles) Get(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if b, ok := m.files[key]; ok {
		return b, nil
	}
	return nil, fmt.Errorf("get %s: %w", key, store.ErrMissing)
}

func (m *memFiles) Put(ctx context.Context, key string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.before != nil {
		if err := m.before(key, data); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[key] = data
	return nil
}

func (m *memFiles) Create(ctx context.Context, key string, data []byte) (bool, error) {
	if has, err := m.Has(ctx, key); has || err != nil {
		return false, err
	}
	return true, m.Put(ctx, key, data)
}

func (m *memFiles) Has(ctx context.Context, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.has++
	_, ok := m.files[key]
	return ok, ctx.Err()
}

func (m *memFiles) List(ctx context.Context, dir string) (names []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.files {
		if rest, ok := strings.CutPrefix(key, dir+"/"); ok && !strings.Contains(rest, "/") {
			names = append(names, rest)
		}
	}
	return names, ctx.Err()
}

func (m *memFiles) Lock(ctx context.Context) error { return ctx.Err() }
func (m *memFiles) String() string                 { return "mem:" }
func (m *memFiles) Close() error                   { return nil }

// clone returns a copy, without before.
func (m *memFiles) clone() *memFiles {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memFiles{files: maps.Clone(m.files)}
}

// realFiles returns the files of a backup that Datomic made.
func realFiles(t testing.TB, name string) *memFiles {
	t.Helper()
	m := newMemFiles()
	for file, content := range realdata.Entries(t, "pro", name+".tar") {
		_, key, _ := strings.Cut(file, "/")
		m.files[key] = content
	}
	require.Greater(t, len(m.files), 10, "the archive holds no backup")
	return m
}

// onDisk writes files into a directory.
func onDisk(t testing.TB, m *memFiles) string {
	path := t.TempDir()
	for key, data := range m.files {
		name := filepath.Join(path, filepath.FromSlash(key))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o777))
		require.NoError(t, os.WriteFile(name, data, 0o666))
	}
	return path
}

// fromDisk reads what onDisk wrote.
func fromDisk(t testing.TB, path string) *memFiles {
	m := newMemFiles()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return m
	}
	require.NoError(t, filepath.WalkDir(path, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(path, name)
		if err != nil || strings.HasPrefix(rel, ".") {
			return err
		}
		m.files[filepath.ToSlash(rel)], err = os.ReadFile(name)
		return err
	}))
	return m
}

func openDir(t testing.TB, path string) *store.Backup {
	f, err := dir.Open(path)
	require.NoError(t, err)
	b := store.NewBackup(f)
	t.Cleanup(func() { b.Close() })
	return b
}

// requireSame requires that two backups have the same files, byte for byte.
func requireSame(t testing.TB, want, got map[string][]byte) {
	t.Helper()
	for key, data := range want {
		require.True(t, string(data) == string(got[key]), "%s differs", key)
	}
	for key := range got {
		require.Contains(t, want, key)
	}
}

// idOf returns the id of the segment that a key is of, "" where it is of none.
func idOf(key string) string {
	if !strings.HasPrefix(key, "values/") {
		return ""
	}
	return key[strings.LastIndex(key, "/")+1:]
}

func keyTo(id string) string { return "values/" + id[len(id)-2:] + "/" + id }

// refersTo returns what a file of a backup refers to. It knows nothing of this package.
func refersTo(key string, data []byte) ([]string, error) {
	if strings.HasPrefix(key, "roots/") {
		r, err := segment.ParseBackupRoot(data)
		return []string{r.Index, r.Log}, err
	}
	if idOf(key) == "" {
		return nil, nil
	}
	raw, err := segment.Unpack(nil, data, segment.MaxSize)
	if err != nil {
		return nil, err
	}
	_, ids, err := segment.Children(raw)
	return ids, err
}

// reachable returns the keys below roots, those of the roots among them.
func reachable(t testing.TB, m *memFiles, roots ...string) map[string]bool {
	keys := map[string]bool{}
	var visit func(key string)
	visit = func(key string) {
		if keys[key] {
			return
		}
		keys[key] = true
		ids, err := refersTo(key, m.files[key])
		require.NoError(t, err)
		for _, id := range ids {
			visit(keyTo(id))
		}
	}
	for _, r := range roots {
		visit(r)
	}
	return keys
}
