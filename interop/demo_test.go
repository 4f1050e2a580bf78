package interop_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"dclone/interop"
)

var update = flag.Bool("update", false, "make testdata/demo anew")

const demoDir = "../testdata/demo"

// maxDemo keeps the demo small: it lies in the repository.
const maxDemo = 120 << 10

// TestDemo makes sure that the databases in testdata are what demo.clj makes.
func TestDemo(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "demo")
	if *update {
		dir, err := filepath.Abs(demoDir)
		if err != nil {
			t.Fatal(err)
		}
		jvm.Eval(t, `(demo/build! `+interop.Str(dir)+`)`)
	}
	// A copy: to open a database is to lock it, and to write beside it what is missing.
	mine, fresh := t.TempDir(), t.TempDir()
	if err := os.CopyFS(mine, os.DirFS(demoDir)); err != nil {
		t.Fatal(err)
	}
	jvm.Eval(t, `(demo/build! `+interop.Str(fresh)+`)`)
	if got, want := jvm.Eval(t, `(list-dbs `+interop.Str(mine)+` "demo")`), `["bookshop" "bookshop-later"]`; got != want {
		t.Fatalf("the demo has %s, want %s", got, want)
	}
	for _, db := range []string{"bookshop", "bookshop-later"} {
		show := func(dir string) string {
			return jvm.Eval(t, `(let [db (d/db (conn `+interop.Str(dir)+` "demo" "`+db+`"))] [(:t db) (picture db)])`)
		}
		if got, want := show(mine), show(fresh); got != want {
			t.Errorf("%s shows\n%s\nand demo.clj makes\n%s\nmake it anew with -update", db, got, want)
		}
		log, n := jvm.Dump(t, mine, "demo", db).Log, 0
		for _, tx := range log {
			n += len(tx.Datoms)
		}
		t.Logf("%s: %d transactions, %d datoms, %d bytes", db, len(log), n, len(demoLog(t, db)))
	}
	early, later := demoLog(t, "bookshop"), demoLog(t, "bookshop-later")
	if !bytes.HasPrefix(later, early) || len(later) == len(early) {
		t.Error("bookshop-later does not go on where bookshop ends")
	}
	if n := len(early) + len(later); n > maxDemo {
		t.Errorf("the demo's logs take %d bytes, more than %d", n, maxDemo)
	}
}

func demoLog(t *testing.T, db string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(demoDir, "demo", db, "db.log"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
