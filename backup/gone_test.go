package backup

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/store"
)

// A collected is a storage whose garbage is collected while it is read: after some reads it has gone
// on to the next of its roots, and has no segment that this does not need.
type collected struct {
	t     *testing.T
	files *memFiles
	roots []string
	after int // reads

	mu    sync.Mutex
	reads int
	kept  map[string]bool
}

func (c *collected) Segment(ctx context.Context, id string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reads++; c.reads%c.after == 0 && len(c.roots) > 1 {
		c.roots = c.roots[1:]
		c.kept = reachable(c.t, c.files, c.roots[0])
	}
	if c.kept != nil && !c.kept[keyTo(id)] {
		return nil, fmt.Errorf("read segment %s: %w", id, store.ErrMissing)
	}
	return c.files.Get(ctx, keyTo(id))
}

func (c *collected) Points(context.Context) ([]dclone.T, error) { return nil, nil }

func (c *collected) Root(ctx context.Context, t dclone.T) (store.Root, error) {
	if t != store.Newest {
		return store.Root{}, store.ErrNoRoot
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var point dclone.T
	if _, err := fmt.Sscanf(c.roots[0], "roots/%d", &point); err != nil {
		return store.Root{}, err
	}
	r, err := store.NewBackup(c.files).Root(ctx, point)
	r.T, r.Version, r.IndexVersion = store.Newest, 0, 0
	return r, err
}

func (c *collected) String() string { return "collected" }
func (c *collected) Close() error   { return nil }

// TestCollected copies a storage while its garbage is collected, at many instants.
func TestCollected(t *testing.T) {
	real := realFiles(t, "alltypes")
	want := newMemFiles()
	_, err := Copy(t.Context(), store.NewBackup(real), store.NewBackup(want), Options{T: 5619})
	require.NoError(t, err)
	restarts := 0
	for after := 2; after < 190; after += 17 {
		from := &collected{t: t, files: real, roots: []string{"roots/1493", "roots/5619"}, after: after}
		to := newMemFiles()
		to.before = whole(to)
		r, err := Copy(t.Context(), from, store.NewBackup(to), Options{Concurrency: 3})
		require.NoError(t, err)
		if r.T == 1493 { // nothing that it had not read went away
			continue
		}
		require.Equal(t, dclone.T(5619), r.T)
		restarts += r.Restarts
		for key, data := range want.files {
			require.Equal(t, data, to.files[key])
		}
		requireWhole(t, to)
	}
	require.Greater(t, restarts, 3)
}

// TestStorageRoot finds the t of a storage's root, and the versions that it does not say.
func TestStorageRoot(t *testing.T) {
	for _, c := range realBackups {
		real, to := realFiles(t, c.name), newMemFiles()
		newest := c.points[len(c.points)-1]
		from := &collected{t: t, files: real, roots: []string{rootFile(newest)}, after: 1 << 30}
		r, err := Copy(t.Context(), from, store.NewBackup(to), Options{})
		require.NoError(t, err)
		require.Equal(t, newest, r.T)
		require.Equal(t, real.files[rootFile(newest)], to.files[rootFile(newest)])
	}
}

// TestMissing does not begin again where it is no garbage that is missing, nor for ever.
func TestMissing(t *testing.T) {
	m := realFiles(t, "alltypes")
	n := samples(t, m, 5619)[treeLeaf]
	delete(m.files, keyTo(n.id))
	r, err := Copy(t.Context(), store.NewBackup(m), store.NewBackup(newMemFiles()), Options{})
	require.ErrorIs(t, err, store.ErrMissing)
	require.ErrorContains(t, err, n.id)
	require.Zero(t, r.Restarts)

	endless := &endless{collected{t: t, files: m, roots: []string{"roots/5619"}, after: 1 << 30}, 0}
	r, err = Copy(t.Context(), endless, store.NewBackup(newMemFiles()), Options{})
	require.ErrorIs(t, err, store.ErrMissing)
	require.Equal(t, maxRestarts, r.Restarts)
}

// An endless storage has a new root each time.
type endless struct {
	collected
	roots int
}

func (e *endless) Root(ctx context.Context, t dclone.T) (store.Root, error) {
	r, err := e.collected.Root(ctx, t)
	if e.roots++; e.roots%2 == 0 {
		r.Tail = append([]byte(nil), 0xEE)
	}
	return r, err
}

// TestOtherDatabase goes not on with another database that has the name by now.
func TestOtherDatabase(t *testing.T) {
	m := realFiles(t, "alltypes")
	delete(m.files, keyTo(samples(t, m, 5619)[treeLeaf].id))
	from := &replaced{Database: store.NewBackup(m)}
	_, err := Copy(t.Context(), from, store.NewBackup(newMemFiles()), Options{})
	require.ErrorContains(t, err, "another database")
}

type replaced struct {
	store.Database
	roots int
}

func (r *replaced) Root(ctx context.Context, t dclone.T) (store.Root, error) {
	root, err := r.Database.Root(ctx, t)
	if r.roots++; r.roots > 1 {
		root.DatabaseID = "other-763c8b38-e0df-4572-be44-fc961f9bcc69"
	}
	return root, errors.Join(err)
}
