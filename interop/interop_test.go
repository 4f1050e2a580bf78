package interop_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dclone/interop"
)

func TestMain(m *testing.M) { os.Exit(interop.Main(m)) }

func TestEval(t *testing.T) {
	jvm := interop.Start(t)
	for _, c := range []struct{ code, want string }{
		{`(+ 1 2)`, `3`},
		{`(def n 1) (inc n)`, `2`},
		{`(println "noise") (.println System/out "noise") :quiet`, `:quiet`},
		{`"ü😀\n"`, `"ü😀\n"`},
		{`[nil 1.5M #inst "2024-01-01"]`, `[nil 1.5M #inst "2024-01-01T00:00:00.000-00:00"]`},
		{interop.Str(`a "quoted" \ text`), `"a \"quoted\" \\ text"`},
		{``, `nil`},
	} {
		if got := jvm.Eval(t, c.code); got != c.want {
			t.Errorf("%s = %s, want %s", c.code, got, c.want)
		}
	}
}

func TestException(t *testing.T) {
	jvm := interop.Start(t)
	_, err := jvm.TryEval(`(throw (ex-info "no" {:why 1}))`)
	var ex *interop.Exception
	if !errors.As(err, &ex) || ex.Class != "clojure.lang.ExceptionInfo" || ex.Message != "no" || ex.Data != "{:why 1}" {
		t.Errorf("got %v", err)
	}
	if _, err := jvm.TryEval(`(unbalanced`); err == nil {
		t.Error("a form without an end was read")
	}
	if got := jvm.Eval(t, ":alive"); got != ":alive" {
		t.Errorf("after an exception: %s", got)
	}
}

func TestDatabase(t *testing.T) {
	jvm, dir := interop.Start(t), t.TempDir()
	db := interop.Str(dir) + ` "dev" "people"`
	jvm.Eval(t, `(def c (create `+db+`))
		(tx! c [{:db/ident :p/name :db/valueType :db.type/string :db/cardinality :db.cardinality/one :db/unique :db.unique/identity}
		        [:db/add "datomic.tx" :db/txInstant #inst "2024-01-01"]])
		(tx! c [{:p/name "Ada Lovelace"} [:db/add "datomic.tx" :db/txInstant #inst "2024-01-02"]])`)
	if got := jvm.Eval(t, `(try-tx! c [[:db/add "datomic.tx" :db/txInstant #inst "2023-01-01"]])`); got != ":db.error/past-tx-instant" {
		t.Errorf("an earlier instant: %s", got)
	}
	if got, want := jvm.Eval(t, `(list-dbs `+interop.Str(dir)+` "dev")`), `["people"]`; got != want {
		t.Errorf("list-dbs = %s, want %s", got, want)
	}

	dumps := jvm.Dump(t, dir, "dev", "people")
	if n := len(dumps.Log); n != 8 {
		t.Fatalf("the log has %d transactions, want 6 of the bootstrap and 2", n)
	}
	last := dumps.Log[7]
	if last.T != 7 || len(last.Datoms) != 2 {
		t.Fatalf("the newest transaction is %v", last)
	}
	if d := last.Datoms[0]; d.A != 73 || d.V != `S`+`\u`+hex("Ada Lovelace") || d.Tx != 3<<42|7 || !d.Added {
		t.Errorf("got %v", d)
	}
	if len(dumps.Current) == 0 || len(dumps.History) < len(dumps.Current) {
		t.Errorf("%d current datoms, %d in history", len(dumps.Current), len(dumps.History))
	}

	jvm.Eval(t, `(release `+db+`)`)
	if _, err := os.Stat(filepath.Join(dir, "dev", "people", "db.log")); err != nil {
		t.Error(err)
	}
	other := interop.Fresh(t)
	if got := other.Eval(t, `(ffirst (d/q '[:find ?n :where [_ :p/name ?n]] (d/db (conn `+db+`))))`); got != `"Ada Lovelace"` {
		t.Errorf("another process reads %s", got)
	}
}

// hex is the notation's \u form of an ASCII text.
func hex(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteString("00" + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]))
	}
	return b.String()
}

func TestSkipsWithoutJava(t *testing.T) {
	var sub *testing.T
	t.Run("without java", func(t *testing.T) {
		sub = t
		t.Setenv("PATH", "")
		t.Setenv("DCLONE_REQUIRE_INTEROP", "")
		interop.Fresh(t)
	})
	if !sub.Skipped() {
		t.Error("a test went on without java")
	}
}

func TestFreshDiesAlone(t *testing.T) {
	mine := interop.Fresh(t)
	mine.Kill()
	if _, err := mine.TryEval("1"); err == nil {
		t.Error("a killed JVM answered")
	}
	if got := interop.Start(t).Eval(t, "1"); got != "1" {
		t.Errorf("the shared JVM answers %s", got)
	}
}
