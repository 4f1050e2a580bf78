package session_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	destlive "dclone/dest/live"
	"dclone/fressian"
	"dclone/historytest"
	"dclone/interop"
	"dclone/session"
)

// Predicates that the destination can run come when all values are there, old ones that they would refuse too. Others
// are listed, and the attribute takes values nevertheless.
func TestLivePredicates(t *testing.T) {
	s := newLiveServer(t)
	dir := t.TempDir()
	db := interop.Str(dir) + ` "dev" "source"`
	tx := func(data string) { s.jvm.Eval(t, fmt.Sprintf(`(do (tx! (reopen %s) %s) (release %[1]s))`, db, data)) }
	s.jvm.Eval(t, `(do (create `+db+`) (release `+db+`))`)
	tx(`[{:db/ident :q/text :db/valueType :db.type/string :db/cardinality :db.cardinality/one}
	     {:db/ident :q/count :db/valueType :db.type/long :db/cardinality :db.cardinality/many}
	     {:db/ident :q/app :db/valueType :db.type/string :db/cardinality :db.cardinality/one}
	     {:db/ident :q/both :db/valueType :db.type/string :db/cardinality :db.cardinality/one}
	     {:db/ident :q/pair :db/valueType :db.type/tuple :db/tupleTypes [:db.type/long :db.type/ref] :db/cardinality :db.cardinality/one}
	     {:db/ident :q/all :db/valueType :db.type/tuple :db/tupleAttrs [:q/text :q/app] :db/cardinality :db.cardinality/one}
	     {:db/ident :q/never :db/valueType :db.type/uuid :db/cardinality :db.cardinality/one}]`)
	tx(`[{:db/id "x" :q/text "a" :q/count [-5 5] :q/app "b" :q/both "c" :q/pair [1 "x"]}]`)
	tx(`[[:db/add :q/text :db.attr/preds 'clojure.core/string?] [:db/add :q/count :db.attr/preds 'clojure.core/pos-int?]
	     [:db/add :q/app :db.attr/preds 'my.app/valid?] [:db/add :q/both :db.attr/preds 'clojure.core/some?]
	     [:db/add :q/pair :db.attr/preds 'clojure.core/vector?]
	     [:db/add :q/never :db.attr/preds 'clojure.core/uuid?]]`)
	p := s.pair(t, filepath.Join(dir, "dev", "source"))
	r := p.must(t, session.Options{MaxBatchSize: 3})
	require.Equal(t, []string{":q/app"}, withoutPredicates(r.Session.NotCarried))
	require.Equal(t, map[string]int{":q/text clojure.core/string?": 1, ":q/count clojure.core/pos-int?": 1,
		":q/both clojure.core/some?": 1, ":q/pair clojure.core/vector?": 1, ":q/never clojure.core/uuid?": 1}, predicatesOf(t, p.dir()))
	p.check(t)

	tx(`[[:db/add "n" :db/ident :q/new] [:db/add "n" :db/valueType :db.type/keyword] [:db/add "n" :db/cardinality :db.cardinality/one]
	     [:db/add "n" :db.attr/preds 'clojure.core/keyword?] [:db/retract :q/count :db.attr/preds 'clojure.core/pos-int?]
	     [:db/add :q/count :db.attr/preds 'clojure.core/neg-int?] [:db/retract :q/app :db.attr/preds 'my.app/valid?]]`)
	tx(`[{:q/new :a/b :q/count -7 :q/app "now"}]`)
	r = p.must(t, session.Options{})
	require.Equal(t, []string{":q/app"}, withoutPredicates(r.Session.NotCarried))
	require.Equal(t, map[string]int{":q/text clojure.core/string?": 1, ":q/count clojure.core/neg-int?": 1, ":q/both clojure.core/some?": 1,
		":q/pair clojure.core/vector?": 1, ":q/never clojure.core/uuid?": 1, ":q/new clojure.core/keyword?": 1}, predicatesOf(t, p.dir()))
	p.check(t)

	tx(`[[:db/add :q/never :db.attr/preds 'clojure.core/no-such?] [:db/add :q/both :db.attr/preds 'unqualified]
	     [:db/add :q/text :db.attr/preds 'clojure.core/number?]]`)
	r = p.must(t, session.Options{})
	require.Equal(t, []string{":q/app", ":q/both", ":q/never"}, withoutPredicates(r.Session.NotCarried))
	require.Equal(t, 1, predicatesOf(t, p.dir())[":q/text clojure.core/number?"], "what refuses the value that is tried is there to do so")

	late := s.pair(t, p.src)
	late.must(t, session.Options{})
	require.Equal(t, predicatesOf(t, p.dir()), predicatesOf(t, late.dir()))
	s.release(t, p)
	clone := interop.Str(p.storage) + ` "dev" "clone"`
	s.jvm.Eval(t, `(reopen `+clone+`)`)
	try := func(data string) string { return s.jvm.Eval(t, fmt.Sprintf(`(try-tx! (conn %s) %s)`, clone, data)) }
	require.Equal(t, ":db.error/attr-pred", try(`[{:q/count 7}]`))
	require.Equal(t, ":ok", try(`[{:q/count -9 :q/app "x" :q/both "y"}]`))
	s.jvm.Eval(t, `(release `+clone+`)`)
}

func withoutPredicates(all []dclone.NotCarried) (names []string) {
	for _, n := range all {
		if n.Reason == destlive.ReasonPredicates {
			names = append(names, n.Attribute)
		}
	}
	slices.Sort(names)
	return names
}

// predicatesOf returns the predicates of a database's attributes.
func predicatesOf(t testing.TB, dir string) map[string]int {
	db, all := historytest.Read(t, dir), map[string]int{}
	for f, n := range db.Facts() {
		if db.Name[f.A] == dclone.Kw("db.attr", "preds") && n > 0 {
			v, _, err := fressian.Decode([]byte(f.V))
			require.NoError(t, err)
			all[fmt.Sprintf("%v %s", db.Name[f.E], dclone.Keyword(v.(dclone.Symbol)).String()[1:])] += n
		}
	}
	return all
}

// Whether a predicate can be run is found out with values of every type, and nothing is written.
func TestLivePredicateTrials(t *testing.T) {
	ctx := context.Background()
	peer, err := live.Start(ctx, live.Options{Classpath: interop.ProClasspath(t), JVMOpts: []string{"-XX:TieredStopAtLevel=1"}})
	require.NoError(t, err)
	defer peer.Close()
	const uri = "datomic:mem://trials"
	_, err = peer.Create(ctx, live.PeerAPI, uri, "")
	require.NoError(t, err)
	target := destlive.Target{API: live.PeerAPI, Arg: uri}
	for name, opt := range map[string]destlive.Options{"local": newLiveServer(t).pair(t, "").opt,
		"peer": {Connect: func(ctx context.Context) (*destlive.Connection, error) { return target.ConnectTo(ctx, peer, func() {}) }}} {
		t.Run(name, func(t *testing.T) {
			clone, err := destlive.Open(ctx, opt)
			require.NoError(t, err)
			was, err := clone.Mark()
			require.NoError(t, err)
			can := func(space, pred string, at dclone.Attribute) bool {
				t.Helper()
				can, err := clone.CanRun(fv(dclone.Symbol(dclone.Kw(space, pred))), &at)
				require.NoError(t, err)
				return can
			}
			kinds := []string{"ref", "keyword", "symbol", "string", "boolean", "long", "bigint", "float", "double", "bigdec", "instant", "uuid", "uri"}
			if name == "peer" {
				kinds = append(kinds, "bytes")
			}
			attributes := []dclone.Attribute{
				{ValueType: dclone.Kw("db.type", "tuple"), TupleType: dclone.Kw("db.type", "long")},
				{ValueType: dclone.Kw("db.type", "tuple"), TupleTypes: []dclone.Keyword{dclone.Kw("db.type", "ref"), dclone.Kw("db.type", "string")}},
			}
			for _, kind := range kinds {
				attributes = append(attributes, dclone.Attribute{ValueType: dclone.Kw("db.type", kind)})
			}
			for _, at := range attributes {
				require.True(t, can("clojure.core", "some?", at), "%+v", at)
				require.True(t, can("clojure.core", "nil?", at), "%+v: it is there, and says no", at)
				require.False(t, can("my.app", "valid?", at), "%+v", at)
				require.False(t, can("clojure.core", "no-such?", at), "%+v", at)
			}
			require.False(t, can("", "unqualified", attributes[5]))
			require.False(t, can("clojure.core", "some?", dclone.Attribute{ValueType: dclone.Kw("db.type", "tuple"),
				TupleAttrs: []dclone.Keyword{dclone.Kw("a", "b")}}), "no value of a composite tuple can be asserted")
			is, err := clone.Mark()
			require.NoError(t, err)
			require.Equal(t, was, is)
		})
	}
}
