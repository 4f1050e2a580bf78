package interop_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/dest"
	"dclone/interop"
	"dclone/replay"
	"dclone/session"
	"dclone/state"
)

// TestClonePublished takes a clone apart to what a crash can leave while its first copy becomes visible. In each state
// Datomic Local sees all of it or nothing, breaks nothing, and the next run finishes.
func TestClonePublished(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "random")
	p := newClonePair(t, jvm)
	p.create(t, `(random/schema! c) (random/txs! c 1 100)`)
	p.must(t)
	require.Len(t, p.roots(t, p.clone), 1)
	whole := without(p.files(t, p.clone), "dclone.state")
	for _, c := range []struct {
		name    string
		visible bool
		undo    []string // names to remove, or "from to" to rename, "from =to" to link
	}{
		{"nothing published, no index", false, []string{"db-root", "index", "log.idx log.idx.loading", "db.log db.log.loading"}},
		{"nothing published", false, []string{"db-root", "log.idx log.idx.loading", "db.log db.log.loading"}},
		{"log under both names", true, []string{"db-root", "log.idx log.idx.loading", "db.log =db.log.loading"}},
		{"log published", true, []string{"db-root", "log.idx log.idx.loading"}},
		{"log published, no index", true, []string{"db-root", "index", "log.idx log.idx.loading"}},
		{"log and log.idx published", true, []string{"db-root"}},
		{"all published", true, nil},
	} {
		for _, look := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, Local looks %v", c.name, look), func(t *testing.T) {
				k := p.to("taken apart", session.Options{})
				k.copyDatabase(t, p.clone, k.clone)
				k.undo(t, c.undo)
				k.setPublishing(t)
				if look {
					k.look(t, c.visible)
				}
				r := k.must(t)
				require.True(t, r.Resumed)
				require.Equal(t, whole, without(k.files(t, k.clone), "dclone.state"))
				require.Equal(t, session.UpToDate, k.must(t).Status)
			})
		}
	}
	p.compare(t, "the clone that was taken apart")

	// Somebody transacts into what is visible already.
	k := p.to("taken apart", session.Options{})
	k.copyDatabase(t, p.clone, k.clone)
	k.undo(t, []string{"db-root", "log.idx log.idx.loading"})
	k.setPublishing(t)
	basis := int64(k.idMap(t).pos.Clone.T)
	jvm.Eval(t, `(tx! (conn `+k.in(k.clone)+`) [{:r/name "a stranger's"}]) (release `+k.in(k.clone)+`)`)
	log := k.read(t, k.clone, "db.log")
	for range 2 {
		_, err := k.run()
		var drift *dest.DriftError
		require.ErrorAs(t, err, &drift)
		require.EqualValues(t, basis+1, drift.T)
		require.Equal(t, log, k.read(t, k.clone, "db.log"))
	}
	require.Equal(t, `"a stranger's"`, jvm.Eval(t, `(ffirst (d/q '[:find ?n :where [_ :r/name ?n] [(= ?n "a stranger's")]] (d/db (conn `+k.in(k.clone)+`))))`))
	k.release(t, k.clone)
}

// undo does to the clone's files what is the reverse of publishing.
func (p clonePair) undo(t *testing.T, steps []string) {
	t.Helper()
	path := func(name string) string { return filepath.Join(p.dir(p.clone), name) }
	for _, step := range steps {
		var from, to string
		if n, _ := fmt.Sscan(step, &from, &to); n == 1 {
			for _, name := range fileNames(t, p.dir(p.clone)) {
				if from == "index" && isIndex(name) || from == "db-root" && isRoot(name) {
					require.NoError(t, os.Remove(path(name)))
				}
			}
		} else if to[0] == '=' {
			require.NoError(t, os.Link(path(from), path(to[1:])))
		} else {
			require.NoError(t, os.Rename(path(from), path(to)))
		}
	}
}

// setPublishing makes the sidecar say that the first copy is whole and not published.
func (p clonePair) setPublishing(t *testing.T) {
	t.Helper()
	store, err := state.Open(p.sidecar())
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	pos, err := store.Position()
	require.NoError(t, err)
	pos.Phase = state.Publishing
	require.NoError(t, store.Update(func(tx *state.Tx) error { return tx.SetPosition(pos) }))
}

// look has Datomic Local list and open what is there.
func (p clonePair) look(t *testing.T, visible bool) {
	t.Helper()
	before := p.files(t, p.clone)
	listed := p.jvm.Eval(t, `(boolean (some #{`+interop.Str(p.clone)+`} (list-dbs `+interop.Str(p.storage)+` "dev")))`)
	require.Equal(t, fmt.Sprint(visible), listed)
	_, err := p.jvm.TryEval(`(conn ` + p.in(p.clone) + `)`)
	if !visible {
		var ex *interop.Exception
		require.ErrorAs(t, err, &ex)
		require.Contains(t, ex.Message, "Db not found")
		require.Equal(t, before, p.files(t, p.clone))
		return
	}
	require.NoError(t, err)
	require.Equal(t, p.jvm.Eval(t, `(picture (d/db (conn `+p.in(p.source)+`)))`), p.jvm.Eval(t, `(picture (d/db (conn `+p.in(p.clone)+`)))`))
	p.release(t, p.clone)
}

var errPulled = errors.New("the plug was pulled")

// TestCloneLoading stops a first copy within, at each of its acts. Datomic Local does not see it.
func TestCloneLoading(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "random")
	p := newClonePair(t, jvm)
	p.create(t, `(random/schema! c) (random/txs! c 1 100)`)
	p.must(t)
	limits := replay.LoadLimits
	t.Cleanup(func() { replay.LoadLimits = limits })
	replay.LoadLimits.Txs = 3
	k := p.to("loading", session.Options{})
	stops := 0
	for acts := 0; ; acts += 1 + acts/5 {
		left := acts
		k.opt.At = func(replay.Point) error {
			if left--; left < 0 {
				return errPulled
			}
			return nil
		}
		if _, err := k.run(); err == nil {
			break
		} else {
			require.ErrorIs(t, err, errPulled)
		}
		stops++
		require.True(t, k.has(t, k.clone, "db.log.loading"))
		require.False(t, k.has(t, k.clone, "db.log"))
		require.False(t, k.has(t, k.clone, "log.idx"))
		k.look(t, false)
	}
	require.Greater(t, stops, 3)
	require.Equal(t, without(p.files(t, p.clone), "dclone.state"), without(k.files(t, k.clone), "dclone.state"))
	k.compare(t, "after all stops")
}

// TestCloneDeleted has Datomic Local delete a clone, and create another database in its place.
func TestCloneDeleted(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "random")
	p := newClonePair(t, jvm)
	p.create(t, `(random/schema! c) (random/txs! c 1 50)`)
	p.must(t)
	refused := func(want error) {
		t.Helper()
		before := p.files(t, p.clone)
		for range 2 {
			_, err := p.run()
			require.ErrorIs(t, err, want)
			require.Equal(t, before, p.files(t, p.clone), "something was changed")
		}
	}
	jvm.Eval(t, `(delete `+p.in(p.clone)+`)`)
	require.Equal(t, []string{".lock", "dclone.state"}, fileNames(t, p.dir(p.clone)))
	refused(dest.ErrStale)
	p.grow(t, `(random/txs! c 2 20)`)
	refused(dest.ErrStale)

	jvm.Eval(t, `(create `+p.in(p.clone)+`) (release `+p.in(p.clone)+`)`)
	refused(dest.ErrStale)
	jvm.Eval(t, `(tx! (conn `+p.in(p.clone)+`) [(attr :mine/own :string)]) (release `+p.in(p.clone)+`)`)
	refused(dest.ErrStale)
	p.opt.Restart = true
	_, err := p.run()
	require.ErrorIs(t, err, dest.ErrForeign)
	require.Equal(t, "6", jvm.Eval(t, `(:t (d/db (conn `+p.in(p.clone)+`)))`))
	p.release(t, p.clone)

	jvm.Eval(t, `(delete `+p.in(p.clone)+`)`)
	require.Equal(t, session.Initial, p.must(t).Status)
	p.opt.Restart = false
	p.compare(t, "after --restart")
}
