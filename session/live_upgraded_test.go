package session_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/datomic/live"
	"dclone/interop"
	"dclone/session"
	sourcelive "dclone/source/live"
)

// A source that was born with an old base schema, and upgraded later, is read through its own library.
func TestLiveUpgradedSource(t *testing.T) {
	s := newLiveServer(t)
	ctx := context.Background()
	src := newPlace(t, "")
	modern := s.pair(t, "")
	src.src = modern.dir()
	src.makeOld(t)
	read := func() *sourcelive.Conn {
		s.release(t, src)
		db, err := s.child.Connect(ctx, live.ClientAPI, src.target.Arg, "clone")
		require.NoError(t, err)
		conn, err := sourcelive.Open(ctx, db, sourcelive.Options{})
		require.NoError(t, err)
		return conn
	}
	db := interop.Str(src.storage) + ` "dev" "clone"`
	tx := func(data string) {
		s.release(t, src)
		s.jvm.Eval(t, fmt.Sprintf(`(do (tx! (reopen %s) %s) (release %[1]s))`, db, data))
	}
	tx(`[{:db/ident :a/name :db/valueType :db.type/string :db/cardinality :db.cardinality/one}
	     {:db/ident :a/n :db/valueType :db.type/long :db/cardinality :db.cardinality/one}]`)
	tx(`[{:a/name "one" :a/n 1}]`)
	early := s.pair(t, "")
	_, err := early.Sync(read(), early.options(session.Options{}))
	require.NoError(t, err)
	s.release(t, src)
	src.upgrade(t)
	tx(`[{:a/name "two" :a/n 2}]`)
	tx(`[{:db/ident :a/pair :db/valueType :db.type/tuple :db/tupleAttrs [:a/name :a/n] :db/cardinality :db.cardinality/one}]`)
	tx(`[{:a/name "four" :a/n 4}]`)
	for name, p := range map[string]*livePair{"catch-up": early, "first copy": s.pair(t, "")} {
		t.Run(name, func(t *testing.T) {
			r, err := p.Sync(read(), p.options(session.Options{}))
			require.NoError(t, err)
			require.Equal(t, values(t, src.dir()), values(t, p.dir()))
			require.Empty(t, r.Session.NotCarried)
		})
	}
}
