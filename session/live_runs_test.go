package session_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/datomic/live"
	"dclone/dest/desttest"
	"dclone/interop"
	"dclone/session"
	"dclone/source"
	sourcelive "dclone/source/live"
)

// A run of a table of what other tools for cloning Datomic lose, duplicate or stumble over, by its number there. Its
// transactions are those before the first copy, and those that are replayed; a + between them stands for another run.
//
// Of the table's 21 runs, 5 is about backups in files of one tool's own, which dclone has none of: its backups are Datomic's, and
// have their own tests. 18 reads the database as of a time, which dclone does of a backup alone, where the address says
// which. The others that are not here have functions below.
var liveRuns = []struct{ run, name, txs string }{
	{"1", "an attribute on an enum entity", `
		[(attr :country/code :string) {:db/ident :country/fr} {:db/ident :country/de}]
		[[:db/add :country/fr :country/code "FR"]] +
		[[:db/add :country/de :country/code "DE"]]`},
	{"2", "entities with only refs, chains and cycles", `
		[(attr :x/next :ref) (attr :x/all :ref :many true) (attr :x/n :long)]
		[[:db/add "x" :x/next "y"] [:db/add "y" :x/next "z"] [:db/add "z" :x/n 1]]
		[[:db/add "a" :x/next "b"] [:db/add "b" :x/next "a"] [:db/add "b" :x/all "b"]] +
		[[:db/add "c" :x/next "d"] [:db/add "d" :x/all "c"] [:db/add "d" :x/all "e"] [:db/add "e" :x/next "c"]]`},
	{"2", "a ref to what was never there", `
		[(attr :x/next :ref)] [[:db/add "x" :x/next 87960930222999]] +
		[[:db/add "y" :x/next 87960930333999] [:db/add "x" :x/next 87960930222999]]`},
	{"3a", "refs by an attribute numbered alike", `
		[(attr :r/to :ref) (attr :r/n :long)] [{:r/n 1 :r/to "t"} {:db/id "t" :r/n 2}] +
		[{:r/n 3 :r/to "t"} {:db/id "t" :r/n 4}] [(attr :r/more :ref)] [{:r/n 5 :r/more "t"} {:db/id "t" :r/n 6}]`},
	{"3b", "refs by an attribute numbered otherwise", `
		[(attr :c/a :long) (attr :c/b :long)] [(attr :c/a+b :tuple :db/tupleAttrs [:c/a :c/b])]
		[(attr :r/to :ref) (attr :r/n :long)] [{:r/n 1 :r/to "t" :c/a 1} {:db/id "t" :r/n 2}] +
		[{:r/n 3 :r/to "t" :c/a 1 :c/b 2} {:db/id "t" :r/n 4}] [(attr :r/more :ref)] [{:r/n 5 :r/more "t"} {:db/id "t" :r/n 6}]`},
	{"4", "transaction metadata and instants", `
		[(attr :tx/by :string) (attr :n/n :long) [:db/add "datomic.tx" :db/txInstant #inst "2024-01-01"]]
		[{:db/id "datomic.tx" :tx/by "me" :db/txInstant #inst "2024-02-01"} {:n/n 1}] +
		[{:db/id "datomic.tx" :tx/by "you" :db/txInstant #inst "2024-03-01"}] [[:db/add "datomic.tx" :db/txInstant #inst "2024-03-01"]] []`},
	{"6, 7, 8", "retraction, new schema then data, rename", `
		[(attr :n/n :long) (attr :n/t :string :many true)] [{:n/n 1 :n/t ["a" "b"]} {:n/n 2}] +
		[[:db/retractEntity (ffirst (d/q '[:find ?e :where [?e :n/n 1]] (d/db c)))]]
		[(attr :m/new :string)] [{:m/new "x" :n/n 3}] [{:db/id :n/n :db/ident :n/number}] [{:n/number 4}]`},
	{"12", "instants: the past in a new database, and equal ones", `
		[(attr :n/n :long) [:db/add "datomic.tx" :db/txInstant #inst "1980-01-01"]] [{:n/n 1} [:db/add "datomic.tx" :db/txInstant #inst "1980-01-01"]] +
		[{:n/n 2} [:db/add "datomic.tx" :db/txInstant #inst "1980-01-01"]] [{:n/n 3} [:db/add "datomic.tx" :db/txInstant #inst "1980-01-01"]]`},
	{"12", "long strings", `
		[(attr :s/s :string)] [{:s/s (apply str (repeat 4096 "x"))}] [{:s/s (apply str (repeat 4000 "é"))}] +
		[{:s/s (apply str (repeat 1300 "漢"))}]`},
	{"13", "schema flags", `
		[(attr :f/a :string :db/doc "text" :db/noHistory true) (attr :f/b :ref :db/isComponent true) (attr :f/c :long :db/unique :db.unique/value)
		 {:db/ident :f/spec :db.entity/attrs [:f/a :f/c]}] [{:f/c 1 :f/b {:f/a "x"}}] +
		[[:db/add :f/a :db/noHistory false]] [{:f/c 2 :f/a "y"}] [[:db/add :f/a :db/cardinality :db.cardinality/many]]`},
	{"13", "predicates", `
		[(attr :p/n :long :db.attr/preds ['clojure.core/pos? 'clojure.core/odd?])] [{:p/n 1}] + [{:p/n 3}]`},
	{"15", "all scalar types", scalarTxs},
	{"15", "tuples with refs", `
		[(attr :t/refs :tuple :db/tupleType :db.type/ref) (attr :t/mix :tuple :db/tupleTypes [:db.type/ref :db.type/string]) (attr :t/n :long)]
		[{:t/n 1}] [{:t/n 2 :t/refs [87960930222111 nil] :t/mix [87960930222112 "s"]}] +
		[{:t/n 3 :t/mix [87960930222113 nil] :t/refs [87960930222111 87960930222114]}]`},
	{"15", "composite tuples", `
		[(attr :c/a :long) (attr :c/b :string) (attr :c/r :ref)] [{:c/a 1 :c/b "x"} {:c/a 1} {:c/a 2 :c/b "y"} {:c/a 3 :c/r "r"} {:db/id "r" :c/b "r"}]
		[(attr :c/ab :tuple :db/tupleAttrs [:c/a :c/b] :db/unique :db.unique/identity) (attr :c/ar :tuple :db/tupleAttrs [:c/a :c/r])]
		[[:db/add (ffirst (d/q '[:find ?e :where [?e :c/a 2]] (d/db c))) :c/a 2]] [{:c/a 5 :c/b "five" :c/r "t"} {:db/id "t" :c/a 6}] +
		[[:db/add (ffirst (d/q '[:find ?e :where [?e :c/a 3]] (d/db c))) :c/a 3]]
		[{:c/a 7 :c/b "x" :c/r "t"} {:db/id "t" :c/a 8}] [{:c/a 7 :c/b "y"}]`},
	{"21", "unique values that move", `
		[(attr :u/id :string :db/unique :db.unique/identity) (attr :u/v :string :db/unique :db.unique/value)]
		[{:u/id "a" :u/v "1"} {:u/id "b" :u/v "2"}] +
		[[:db/retract [:u/id "a"] :u/id "a"] [:db/add [:u/id "b"] :u/v "3"]]
		[{:u/id "a" :u/v "2"}] +
		[[:db/add [:u/id "a"] :u/id "b"] [:db/add [:u/id "b"] :u/id "a"]] [{:u/id "c"}]
		[[:db/add [:u/id "c"] :u/id "d"]] [{:u/id "c"}]`},
}

// scalarTxs have a value of each type, and those that are easily taken for others.
const scalarTxs = `
	[(attr :v/string :string :many true) (attr :v/boolean :boolean) (attr :v/long :long :many true) (attr :v/bigint :bigint :many true)
	 (attr :v/float :float) (attr :v/double :double) (attr :v/bigdec :bigdec :many true) (attr :v/instant :instant) (attr :v/uuid :uuid)
	 (attr :v/uri :uri) (attr :v/keyword :keyword) (attr :v/symbol :symbol) (attr :v/ref :ref :many true)
	 (attr :v/tuple :tuple :db/tupleTypes [:db.type/long :db.type/string :db.type/ref]) {:db/ident :v/enum}]
	[{:v/string ["" "x" "\u0000" "😀"] :v/boolean false :v/long [0 1 Long/MIN_VALUE Long/MAX_VALUE] :v/bigint [1N 123456789012345678901234567890N]
	  :v/float (float 0.1) :v/double Double/NaN :v/bigdec [1M 1.50M 1E+10M] :v/instant #inst "1960-01-01" :v/uuid #uuid "00000000-0000-0000-0000-000000000001"
	  :v/uri (java.net.URI. "HTTP://a/%4a") :v/keyword :a :v/symbol 'a/b :v/ref [:v/enum :v/string] :v/tuple [1 nil :v/enum]}] +
	[{:v/string ["ü" "x "] :v/boolean true :v/long [-1 62 63] :v/bigint [-1N] :v/float Float/NaN :v/double -0.0 :v/bigdec [1.0M -0.001M]
	  :v/instant #inst "2024-01-01T00:00:00.001" :v/uuid #uuid "ffffffff-ffff-ffff-ffff-ffffffffffff" :v/uri (java.net.URI. "")
	  :v/keyword :a/b :v/symbol 'a :v/ref [:v/enum "datomic.tx"] :v/tuple [nil "x" nil]}]`

// A route is how a clone is made: who reads the source, and who writes the clone.
type route struct {
	name string
	desttest.Kind
}

// routes are those that have a running Datomic at one end at least.
func routes(t testing.TB, s *liveServer) []route {
	fromLive := func(k desttest.Kind) desttest.Kind {
		k.Open = s.open
		return k
	}
	return []route{{"to live", liveKind(s)}, {"from live", fromLive(nativeKind())}, {"live to live", fromLive(liveKind(s))}}
}

// open reads a database that the child of s serves.
func (s *liveServer) open(t testing.TB, dir string) source.Conn {
	db, err := s.child.Connect(context.Background(), live.ClientAPI, sourceArg(dir), filepath.Base(dir))
	require.NoError(t, err)
	conn, err := sourcelive.Open(context.Background(), db, sourcelive.Options{})
	require.NoError(t, err)
	return conn
}

func sourceArg(dir string) string {
	return fmt.Sprintf(`{:server-type :datomic-local :storage-dir %q :system "dev"}`, filepath.Dir(filepath.Dir(dir)))
}

// source makes a database that the child of s serves, and returns its directory.
func (s *liveServer) source(t testing.TB) string {
	dir := filepath.Join(t.TempDir(), "dev", "source")
	_, err := s.child.Create(context.Background(), live.ClientAPI, sourceArg(dir), "source")
	require.NoError(t, err)
	return dir
}

// transact makes transactions to a database that the child of s serves; txs is as in liveRuns.
func (s *liveServer) transact(t testing.TB, dir, txs string) {
	t.Helper()
	require.NoError(t, s.child.Load(context.Background(), "interop.clj", interop.Script(t, "interop")))
	code := fmt.Sprintf(`(ns runs (:require [datomic.client.api :as d] [interop :refer [attr tx! conn]]))
		(let [c (conn %s "dev" %s)] (doseq [f [%s]] (f c)))`, interop.Str(filepath.Dir(filepath.Dir(dir))), interop.Str(filepath.Base(dir)), each(txs))
	require.NoError(t, s.child.Load(context.Background(), "runs.clj", code), txs)
}

func TestLiveRuns(t *testing.T) {
	s := newLiveServer(t)
	for _, c := range liveRuns {
		t.Run("run "+c.run+", "+c.name, func(t *testing.T) {
			src := s.source(t)
			clones := map[string]desttest.Clone{}
			for _, txs := range strings.Split(c.txs, "+\n") {
				s.transact(t, src, txs)
				for _, r := range routes(t, s) {
					if clones[r.name] == nil {
						clones[r.name] = r.New(t)
					}
					result, err := r.Sync(t, src, clones[r.name], session.Options{MaxBatchSize: 3})
					require.NoError(t, err, r.name)
					require.Empty(t, result.Session.NotCarried, r.name)
					r.Compare(t, src, clones[r.name])
				}
			}
		})
	}
	for _, c := range liveRunTests {
		for _, r := range routes(t, s) {
			t.Run("run "+c.run+", "+c.name+", "+r.name, func(t *testing.T) { c.test(t, s, r) })
		}
	}
}

// each makes a function of every transaction.
func each(txs string) string {
	var b strings.Builder
	depth, from := 0, 0
	for i, r := range txs {
		switch r {
		case '[', '(', '{':
			if depth++; depth == 1 {
				from = i
			}
		case ']', ')', '}':
			if depth--; depth == 0 {
				b.WriteString("(fn [c] (tx! c " + txs[from:i+1] + ")) ")
			}
		}
	}
	return b.String()
}
