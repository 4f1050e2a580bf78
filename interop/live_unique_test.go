package interop_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	"dclone/fressian"
	"dclone/interop"
	"dclone/session"
	sourcelocal "dclone/source/local"
	"dclone/store/pgtest"
)

// TestLiveUnique makes attributes unique that are there, and have values. Datomic Local does as it is told; Datomic Pro wants
// :db/index before, and an index job behind that.
func TestLiveUnique(t *testing.T) {
	child := livePeer(t)
	p := newClonePair(t, interop.Start(t))
	p.create(t, `(tx! c [(attr :a/name :string) (attr :a/n :long)]) (tx! c [{:a/name "one" :a/n 1} {:a/name "two" :a/n 2}])`)
	jdbc, _ := pgtest.Start(t).Database(t)
	clone := livePostgres{child, jdbc, "unique"}
	l := newLivePair(t, child, live.PeerAPI, clone.uri(), "")
	sync := func() session.Result {
		p.release(t, p.source)
		src, err := sourcelocal.Open(p.dir(p.source))
		require.NoError(t, err)
		defer src.Close()
		return l.must(t, src)
	}
	sync()
	p.grow(t, `(tx! c [{:db/id :a/name :db/unique :db.unique/identity}]) (tx! c [{:a/name "one" :a/n 11} {:a/name "three" :a/n 3}])
	  (tx! c [{:db/id :a/n :db/unique :db.unique/value :db/doc "counted"}]) (tx! c [(attr :a/new :string :db/unique :db.unique/value)])`)
	require.Equal(t, session.Incremental, sync().Status)
	require.Equal(t, session.UpToDate, sync().Status)

	db, err := child.Connect(context.Background(), live.PeerAPI, clone.uri(), "")
	require.NoError(t, err)
	try := func(name string) error {
		tx, err := fressian.Append(nil, []any{[]any{dclone.Kw("db", "add"), "x", dclone.Kw("a", "n"), int64(3)},
			[]any{dclone.Kw("db", "add"), "x", dclone.Kw("a", "name"), name}})
		require.NoError(t, err)
		_, err = db.With(context.Background(), tx)
		return err
	}
	require.NoError(t, try("three"))
	require.ErrorContains(t, try("four"), "unique-conflict")
}
