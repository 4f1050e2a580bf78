package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// What plan says of a database that real Datomic Local has made is what sync does.
func TestPlanIsSync(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "demo", "bookshop"), "datomic-local:"+dir+"/demo/clone"
	for i, from := range []string{"bookshop", "bookshop-later"} {
		if err := os.RemoveAll(src); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(src, os.DirFS(filepath.Join("..", "..", "testdata", "demo", "demo", from))); err != nil {
			t.Fatal(err)
		}
		var plan planDoc
		var sum summaryMessage
		for _, run := range []struct {
			into any
			args []string
		}{{&plan, []string{"plan", "--json"}}, {&sum, []string{"sync", "--json", "--progress", "none"}}} {
			out, stderr, code := dcloneRun(t, nil, append(run.args, "datomic-local:"+src, dst)...)
			if code != codeDone || json.Unmarshal([]byte(out), run.into) != nil {
				t.Fatalf("dclone %v: exit code %d:\n%s%s", run.args, code, out, stderr)
			}
		}
		switch {
		case i == 0 && (plan.Action != actionFirstCopy || sum.Status != "initial" || *plan.CloneT != sum.CloneT ||
			plan.Datoms != sum.Datoms || plan.Entities != sum.Entities || plan.ToT != sum.LastSourceT):
			t.Errorf("plan %+v\nsync %+v", plan, sum)
		case i == 1 && (plan.Action != actionCatchUp || sum.Status != "incremental" || plan.Transactions != sum.Transactions ||
			plan.Datoms != sum.Datoms || plan.ToT != sum.LastSourceT || plan.Transactions == 0):
			t.Errorf("plan %+v\nsync %+v", plan, sum)
		}
	}
}
