package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dclone/store/pgtest"
)

// A source in PostgreSQL stays open while it is followed: there is no run while nothing happens in it,
// what happens is carried over, and connections that break are made again.
func TestFollowStorage(t *testing.T) {
	t.Parallel()
	s := &script{t: t, dir: t.TempDir()}
	backup := filepath.Join(s.dir, "stock")
	for _, n := range []int{6, 12} {
		stockBackup(t, backup, n, "stock-00000000-1111-4222-8333-444444444444")
	}
	s.postgres(pgtest.Start(t).Database(t))
	words := s.words(`"datomic:sql://shop?$P" $D`)
	src, dst := words[0], words[1]
	restore := func(point string) {
		t.Helper()
		if _, stderr, code := dcloneRun(t, nil, "restore", "--force", "file:"+backup, src, "--t", point); code != codeDone {
			t.Fatalf("restore: exit code %d\n%s", code, stderr)
		}
	}
	restore("1020")
	p := start(t, nil, "sync", "--follow", "--poll", "20ms", "--json", "--accept-not-carried", src, dst)
	p.await(`"summary"`)
	record := filepath.Join(s.dir, "dev", "clone", sidecarName+recordSuffix)
	before, err := os.ReadFile(record)
	s.must(err)
	time.Sleep(300 * time.Millisecond)
	if after, err := os.ReadFile(record); err != nil || string(after) != string(before) {
		t.Errorf("a run while nothing happened: %s, %v", after, err)
	}
	pgtest.Exec(t, s.superuser, "select pg_terminate_backend(pid) from pg_stat_activity where usename like 'user%' and datname = current_database()")
	restore("1032")
	var sum summaryMessage
	s.must(json.Unmarshal([]byte(p.await(`"summary"`)), &sum))
	if sum.Transactions != 6 || sum.LastSourceT != 1032 || sum.Status != "incremental" {
		t.Errorf("summary: %+v", sum)
	}
	// What went back is not followed.
	restore("1020")
	if code := p.end(); code != codeDiverged || !strings.Contains(p.stderr.String(), `"code":5`) {
		t.Errorf("exit code %d\n%s", code, &p.stderr)
	}
	if strings.Contains(p.stderr.String(), s.secret) {
		t.Errorf("the password was printed:\n%s", &p.stderr)
	}
	s.stdout, s.ran = "", "sync"
	s.keepsSecret()
}

// A backup is followed from restore point to restore point; one that is named stays what it is.
func TestFollowBackup(t *testing.T) {
	t.Parallel()
	const id = "stock-00000000-1111-4222-8333-444444444444"
	dir := t.TempDir()
	stock := filepath.Join(dir, "stock")
	stockBackup(t, stock, 3, id)
	follow := func(src, clone string) *process {
		p := start(t, nil, "sync", "--follow", "--poll", "20ms", "--json", "--accept-not-carried", src, "datomic-local:"+dir+"/dev/"+clone)
		p.await(`"summary"`)
		return p
	}
	newest, named := follow("file:"+stock, "newest"), follow("file:"+stock+"?t=1014", "named")
	for i, n := range []int{5, 9} {
		stockBackup(t, stock, n, id)
		var sum summaryMessage
		if err := json.Unmarshal([]byte(newest.await(`"summary"`)), &sum); err != nil || sum.Transactions != int64(2+2*i) {
			t.Fatalf("summary: %+v, %v", sum, err)
		}
	}
	for _, p := range []*process{newest, named} {
		p.signal(os.Interrupt)
		if code := p.end(); code != codeInterrupted {
			t.Errorf("exit code %d\n%s", code, &p.stderr)
		}
	}
	for clone, want := range map[string]string{"newest": "source t 1026 ", "named": "source t 1014 "} {
		if out, _, _ := dcloneRun(t, nil, "status", "datomic-local:"+dir+"/dev/"+clone); !strings.Contains(out, want) {
			t.Errorf("status of %s, want %s:\n%s", clone, want, out)
		}
	}
}

// The server may go away for a while, but must be there at first.
func TestFollowUnreachable(t *testing.T) {
	t.Parallel()
	s := &script{t: t, dir: t.TempDir()}
	_, stderr, code := dcloneRun(t, nil, "sync", "--follow", "datomic:sql://shop?jdbc:postgresql://127.0.0.1:1/d?user=u&password=swordfish",
		"datomic-local:"+s.dir+"/dev/clone")
	if code != codeSource || strings.Contains(stderr, "swordfish") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}
