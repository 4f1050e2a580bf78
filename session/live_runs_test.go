package session_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/interop"
	"dclone/session"
)

// What other tools for cloning Datomic lose, duplicate or stumble over. Each case is transactions before the first copy,
// and transactions that are replayed; a + between them stands for another run.
var liveRuns = []struct{ name, txs string }{
	{"an attribute on an enum entity", `
		[(attr :country/code :string) {:db/ident :country/fr} {:db/ident :country/de}]
		[[:db/add :country/fr :country/code "FR"]] +
		[[:db/add :country/de :country/code "DE"]]`},
	{"entities with only refs, chains and cycles", `
		[(attr :x/next :ref) (attr :x/all :ref :many true) (attr :x/n :long)]
		[[:db/add "x" :x/next "y"] [:db/add "y" :x/next "z"] [:db/add "z" :x/n 1]]
		[[:db/add "a" :x/next "b"] [:db/add "b" :x/next "a"] [:db/add "b" :x/all "b"]] +
		[[:db/add "c" :x/next "d"] [:db/add "d" :x/all "c"] [:db/add "d" :x/all "e"] [:db/add "e" :x/next "c"]]`},
	{"a ref to what was never there", `
		[(attr :x/next :ref)] [[:db/add "x" :x/next 87960930222999]] +
		[[:db/add "y" :x/next 87960930333999] [:db/add "x" :x/next 87960930222999]]`},
	{"refs by an attribute numbered otherwise", `
		[(attr :c/a :long) (attr :c/b :long)] [(attr :c/a+b :tuple :db/tupleAttrs [:c/a :c/b])]
		[(attr :r/to :ref) (attr :r/n :long)] [{:r/n 1 :r/to "t" :c/a 1} {:db/id "t" :r/n 2}] +
		[{:r/n 3 :r/to "t" :c/a 1 :c/b 2} {:db/id "t" :r/n 4}] [(attr :r/more :ref)] [{:r/n 5 :r/more "t"} {:db/id "t" :r/n 6}]`},
	{"transaction metadata and instants", `
		[(attr :tx/by :string) (attr :n/n :long) [:db/add "datomic.tx" :db/txInstant #inst "2024-01-01"]]
		[{:db/id "datomic.tx" :tx/by "me" :db/txInstant #inst "2024-02-01"} {:n/n 1}] +
		[{:db/id "datomic.tx" :tx/by "you" :db/txInstant #inst "2024-03-01"}] [[:db/add "datomic.tx" :db/txInstant #inst "2024-03-01"]] []`},
	{"retraction, new schema then data, rename", `
		[(attr :n/n :long) (attr :n/t :string :many true)] [{:n/n 1 :n/t ["a" "b"]} {:n/n 2}] +
		[[:db/retractEntity (ffirst (d/q '[:find ?e :where [?e :n/n 1]] (d/db c)))]]
		[(attr :m/new :string)] [{:m/new "x" :n/n 3}] [{:db/id :n/n :db/ident :n/number}] [{:n/number 4}]`},
	{"unique values that move", `
		[(attr :u/id :string :db/unique :db.unique/identity) (attr :u/v :string :db/unique :db.unique/value)]
		[{:u/id "a" :u/v "1"} {:u/id "b" :u/v "2"}] +
		[[:db/retract [:u/id "a"] :u/id "a"] [:db/add [:u/id "b"] :u/v "3"]]
		[{:u/id "a" :u/v "2"}] +
		[[:db/add [:u/id "a"] :u/id "b"] [:db/add [:u/id "b"] :u/id "a"]] [{:u/id "c"}]
		[[:db/add [:u/id "c"] :u/id "d"]] [{:u/id "c"}]`},
	{"schema flags", `
		[(attr :f/a :string :db/doc "text" :db/noHistory true) (attr :f/b :ref :db/isComponent true) (attr :f/c :long :db/unique :db.unique/value)
		 {:db/ident :f/spec :db.entity/attrs [:f/a :f/c]}] [{:f/c 1 :f/b {:f/a "x"}}] +
		[[:db/add :f/a :db/noHistory false]] [{:f/c 2 :f/a "y"}] [[:db/add :f/a :db/cardinality :db.cardinality/many]]`},
	{"composite tuples", `
		[(attr :c/a :long) (attr :c/b :string) (attr :c/r :ref)] [{:c/a 1 :c/b "x"} {:c/a 1} {:c/a 2 :c/b "y"} {:c/a 3 :c/r "r"} {:db/id "r" :c/b "r"}]
		[(attr :c/ab :tuple :db/tupleAttrs [:c/a :c/b] :db/unique :db.unique/identity) (attr :c/ar :tuple :db/tupleAttrs [:c/a :c/r])]
		[[:db/add (ffirst (d/q '[:find ?e :where [?e :c/a 2]] (d/db c))) :c/a 2]] [{:c/a 5 :c/b "five" :c/r "t"} {:db/id "t" :c/a 6}] +
		[[:db/add (ffirst (d/q '[:find ?e :where [?e :c/a 3]] (d/db c))) :c/a 3]]
		[{:c/a 7 :c/b "x" :c/r "t"} {:db/id "t" :c/a 8}] [{:c/a 7 :c/b "y"}]`},
	{"tuples with refs", `
		[(attr :t/refs :tuple :db/tupleType :db.type/ref) (attr :t/mix :tuple :db/tupleTypes [:db.type/ref :db.type/string]) (attr :t/n :long)]
		[{:t/n 1}] [{:t/n 2 :t/refs [87960930222111 nil] :t/mix [87960930222112 "s"]}] +
		[{:t/n 3 :t/mix [87960930222113 nil] :t/refs [87960930222111 87960930222114]}]`},
	{"long strings", `
		[(attr :s/s :string)] [{:s/s (apply str (repeat 4096 "x"))}] [{:s/s (apply str (repeat 4000 "é"))}] +
		[{:s/s (apply str (repeat 1300 "漢"))}]`},
}

func TestLiveRuns(t *testing.T) {
	s := newLiveServer(t)
	for i, c := range liveRuns {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			db := fmt.Sprintf(`%s "dev" "run-%d"`, interop.Str(dir), i)
			s.jvm.Eval(t, `(do (create `+db+`) (release `+db+`))`)
			p := s.pair(t, filepath.Join(dir, "dev", fmt.Sprintf("run-%d", i)))
			for _, txs := range strings.Split(c.txs, "+\n") {
				t.Log(txs)
				s.jvm.Eval(t, `(let [c (reopen `+db+`)] (doseq [f [`+each(txs)+`]] (f c)) (release `+db+`))`)
				r := p.must(t, session.Options{MaxBatchSize: 3})
				require.Empty(t, r.Session.NotCarried)
				p.check(t)
			}
		})
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
