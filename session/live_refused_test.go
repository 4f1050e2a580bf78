package session_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/datomic/live"
	"dclone/interop"
	"dclone/session"
)

// What the destination refuses stops the run where it is, shown as it is; what was written before stays, and when the
// cause is gone the same command goes on. The cause is a predicate whose function is stricter there than at the source.
func TestLiveRefused(t *testing.T) {
	s := newLiveServer(t)
	define := func(body string) string { return `(ns dclone.test.app) (defn valid? [v] ` + body + `) (in-ns 'user)` }
	load := func(body string) {
		require.NoError(t, s.child.Load(context.Background(), "app.clj", define(body)))
	}
	s.jvm.Eval(t, `(do (create-ns 'dclone.test.app) (intern 'dclone.test.app 'valid? (constantly true)) nil)`)
	load(`true`)
	dir := t.TempDir()
	db := interop.Str(dir) + ` "dev" "source"`
	tx := func(data string) { s.jvm.Eval(t, fmt.Sprintf(`(do (tx! (reopen %s) %s) (release %[1]s))`, db, data)) }
	s.jvm.Eval(t, `(do (create `+db+`) (release `+db+`))`)
	tx(`[{:db/ident :r/word :db/valueType :db.type/string :db/cardinality :db.cardinality/one}]`)
	tx(`[[:db/add :r/word :db.attr/preds 'dclone.test.app/valid?]]`)
	tx(`[{:r/word "first"}]`)
	p := s.pair(t, filepath.Join(dir, "dev", "source"))
	require.Empty(t, withoutPredicates(p.must(t, session.Options{}).Session.NotCarried))
	p.check(t)

	load(`(not= v "bad")`)
	tx(`[{:r/word "good"}]`)
	tx(`[{:r/word "bad"}]`)
	tx(`[{:r/word "better"}]`)
	was := len(p.Read(t).Txs)
	for range 2 {
		var refused *live.Refused
		_, err := p.sync(session.Options{})
		require.ErrorAs(t, err, &refused)
		require.Equal(t, "db.error/attr-pred", refused.DBError)
		require.Len(t, p.Read(t).Txs, was+1, "what comes before what is refused is there, once")
	}
	load(`true`)
	r := p.must(t, session.Options{})
	require.True(t, r.Resumed)
	require.Len(t, p.Read(t).Txs, was+3)
	p.check(t)
}
