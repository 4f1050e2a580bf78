package interop_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dclone/interop"
)

const (
	idIdent     = 10
	idPartition = 11
	idAlter     = 19
	idTxInstant = 50
	idPreds     = 72
	firstUserA  = 73
	txPartition = 3
)

// TestFeatures runs all waves, each after a release, and makes sure that what they are there for is in
// the database: a feature that a change of the script loses would otherwise be tested by nobody.
func TestFeatures(t *testing.T) {
	jvm, dir := interop.Start(t), t.TempDir()
	jvm.Load(t, "features")
	db := interop.Str(dir) + ` "dev" "features"`
	jvm.Eval(t, `(create `+db+`)`)
	var waves int
	fmt.Sscan(jvm.Eval(t, `(count features/waves)`), &waves)
	for i := 1; i <= waves; i++ {
		var n int
		fmt.Sscan(jvm.Eval(t, fmt.Sprintf(`(features/run-wave! (reopen %s) %d)`, db, i)), &n)
		if n == 0 {
			t.Errorf("wave %d made no transaction", i)
		}
	}
	dumps := jvm.Dump(t, dir, "dev", "features")
	for _, f := range []struct {
		name  string
		found bool
	}{
		{"a lone surrogate", hasValue(dumps, `S\ud83d`)},
		{"a string of 4,096 characters", hasValue(dumps, "S"+strings.Repeat("z", 4096))},
		{"NaN", hasValue(dumps, "D7ff8000000000000") && hasValue(dumps, "F7fc00000")},
		{"a negative zero", hasValue(dumps, "F80000000")},
		{"the least long", hasValue(dumps, "L-9223372036854775808")},
		{"the least instant", hasValue(dumps, "I-9223372036854775808")},
		{"a bigdec of the largest scale", hasValue(dumps, "M3e2147483647")},
		{"an empty namespace", hasValue(dumps, `K\u|x`)},
		{"a tuple of nothing but nil", hasValue(dumps, "T[nil nil nil nil nil nil nil nil]")},
		{"a datom beyond 64 KiB", anyDatom(dumps, func(d interop.Datom) bool { return len(d.V) > 65535 })},
		{"a transaction with nothing but its instant", anyTx(dumps, func(_, tx interop.Tx) bool { return len(tx.Datoms) == 1 })},
		{"an instant that is not the first datom", anyTx(dumps, func(_, tx interop.Tx) bool { return tx.T > 5 && tx.Datoms[0].A != idTxInstant })},
		{"equal instants", anyTx(dumps, func(last, tx interop.Tx) bool { return last.T > 5 && instant(last) == instant(tx) })},
		{"metadata", anyDatom(dumps, func(d interop.Datom) bool { return d.E == d.Tx && d.A != idTxInstant })},
		{"data on an older transaction", anyDatom(dumps, func(d interop.Datom) bool { return isTx(d.E) && d.E < d.Tx && d.Added })},
		{"a retraction from an older transaction", anyDatom(dumps, func(d interop.Datom) bool { return isTx(d.E) && d.E < d.Tx && !d.Added })},
		{"a ref to a transaction", anyDatom(dumps, func(d interop.Datom) bool { return d.V == fmt.Sprintf("L%d", d.Tx) })},
		{"a ref to a transaction in a tuple", anyDatom(dumps, func(d interop.Datom) bool {
			var e int64
			fmt.Sscanf(d.V, "T[L%d", &e)
			return isTx(e)
		})},
		{"a user's attribute on a builtin", anyDatom(dumps, func(d interop.Datom) bool { return d.E < firstUserA && d.A >= firstUserA })},
		{"a user's attribute on an attribute", anyDatom(dumps, func(d interop.Datom) bool { return d.E >= firstUserA && d.E < 500 && d.A >= firstUserA })},
		{"a partition of the user's", anyDatom(dumps, func(d interop.Datom) bool { return d.A == idPartition && d.Tx > txPartition<<42+5 })},
		{"an altered attribute", anyDatom(dumps, func(d interop.Datom) bool { return d.A == idAlter })},
		{"a predicate taken away", anyDatom(dumps, func(d interop.Datom) bool { return d.A == idPreds && !d.Added })},
		{"a value asserted anew", anyDatom(dumps, asserted(dumps, 2))},
		{"an ident held by two entities in turn", identsMoved(dumps) > 2},
		{"a retraction in another spelling", anyDatom(dumps, func(d interop.Datom) bool { return d.V == "RHTTP://A/%4A" && !d.Added })},
		{"a ref to a number that is no entity", anyDatom(dumps, func(d interop.Datom) bool { return d.V == fmt.Sprintf("L%d", 4<<42+1000001) })},
		{"a value that became an entity", anyDatom(dumps, func(d interop.Datom) bool { return d.E == 4<<42+102 })},
	} {
		if !f.found {
			t.Errorf("the waves no longer make %s", f.name)
		}
	}
	for _, q := range []struct{ query, want string }{
		{`[:find (count ?e) :where [?e :f/note "twin"] [?e :f/n 7]]`, "1"},
		{`[:find (count ?x) :where [?x :f/ref ?y] [?y :f/ref ?x]]`, "5"},
		{`[:find ?t :where [?e :f/id "m5"] [?e :m/size+code ?t]]`, `[nil "c5"]`},
		{`[:find ?t :where [?e :f/id "m3"] [?e :m/size+code ?t]]`, "nil"},
		{`[:find ?n :where [?e :db/ident :color/blue] [?e :f/n ?n]]`, "99"},
		{`[:find (count ?v) :where [?e :f/id "large"] [?e :many/string ?v]]`, "1500"},
		{`[:find ?n :where [?e :f/id "person"] [?e :p/odd ?n]]`, "40"},
		{`[:find ?n :where [?e :f/id "phoenix"] [?e :f/n ?n]]`, "3"},
		{`[:find ?i :where [?e :f/id "painted-later"] [?e :f/ref ?r] [?r :db/ident ?i]]`, ":color/crimson"},
	} {
		if got := jvm.Eval(t, `(ffirst (d/q '`+q.query+` (d/db (conn `+db+`))))`); got != q.want {
			t.Errorf("%s = %s, want %s", q.query, got, q.want)
		}
	}
}

func hasValue(d interop.Dumps, v string) bool {
	return anyDatom(d, func(d interop.Datom) bool { return d.V == v })
}

func anyDatom(d interop.Dumps, ok func(interop.Datom) bool) bool {
	return anyTx(d, func(_, tx interop.Tx) bool { return slices.ContainsFunc(tx.Datoms, ok) })
}

func anyTx(d interop.Dumps, ok func(last, tx interop.Tx) bool) bool {
	for i, tx := range d.Log {
		if i > 0 && ok(d.Log[i-1], tx) {
			return true
		}
	}
	return false
}

func instant(tx interop.Tx) string {
	for _, d := range tx.Datoms {
		if d.A == idTxInstant {
			return d.V
		}
	}
	return ""
}

func isTx(e int64) bool { return e>>42 == txPartition }

// asserted is true of a datom whose e, a, v is asserted for the nth time.
func asserted(d interop.Dumps, n int) func(interop.Datom) bool {
	type eav struct {
		e, a int64
		v    string
	}
	seen := map[eav]int{}
	return func(d interop.Datom) bool {
		if d.Added && d.A != idAlter {
			seen[eav{d.E, d.A, d.V}]++
		}
		return d.A != idAlter && seen[eav{d.E, d.A, d.V}] == n
	}
}

func identsMoved(d interop.Dumps) int {
	holders := map[string]map[int64]bool{}
	anyDatom(d, func(d interop.Datom) bool {
		if d.A == idIdent && d.Added {
			if holders[d.V] == nil {
				holders[d.V] = map[int64]bool{}
			}
			holders[d.V][d.E] = true
		}
		return false
	})
	moved := 0
	for _, h := range holders {
		if len(h) > 1 {
			moved++
		}
	}
	return moved
}

func TestRandom(t *testing.T) {
	jvm, dir := interop.Start(t), t.TempDir()
	jvm.Load(t, "random")
	const seed, txs = 42, 150
	var pictures [2]string
	for i := range pictures {
		db := fmt.Sprintf("%s %q %q", interop.Str(dir), "dev", fmt.Sprint("random", i))
		var done int
		fmt.Sscan(jvm.Eval(t, fmt.Sprintf(`(def c (create %s)) (random/schema! c) (random/txs! c %d %d)`, db, seed, txs)), &done)
		t.Logf("%d of %d transactions done", done, txs)
		if done < txs/2 {
			t.Errorf("%d of %d random transactions were refused", txs-done, txs)
		}
		pictures[i] = jvm.Eval(t, `(picture (d/db c))`)
	}
	if pictures[0] != pictures[1] {
		t.Errorf("a seed gave\n%s\nand then\n%s", pictures[0], pictures[1])
	}
	if !strings.Contains(pictures[0], "[:r/id") {
		t.Errorf("the picture names no entity: %s", pictures[0])
	}
}
