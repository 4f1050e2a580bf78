package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A backup that is interrupted, or killed, leaves what it copied and no restore point; the next goes on from
// there. Meanwhile no other writes to the same place.
func TestBackupInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "stock"), filepath.Join(dir, "copy")
	stockBackup(t, src, 60, "stock-00000000-1111-4222-8333-444444444444")
	args := []string{"backup", "file:" + src, "file:" + dst, "--concurrency", "1", "--pace", "20ms"}
	for i, c := range []struct {
		signal os.Signal
		code   int
	}{{syscall.SIGINT, codeInterrupted}, {syscall.SIGTERM, codeInterrupted}, {syscall.SIGKILL, -1}} {
		before := countSegments(dst)
		p := start(t, nil, args...)
		awaitSegments(t, dst, before+4)
		if i == 0 {
			if _, stderr, code := dcloneRun(t, nil, args...); code != codeLocked || !strings.Contains(stderr, "again when the other backup has ended") {
				t.Errorf("a second backup: exit code %d\n%s", code, stderr)
			}
		}
		p.signal(c.signal)
		if code := p.end(); code != c.code {
			t.Errorf("%v: exit code %d, want %d\n%s", c.signal, code, c.code, &p.stderr)
		}
		if out, _, code := dcloneRun(t, nil, "list", "file:"+dst); code != codeDone || !strings.Contains(out, "no restore points") {
			t.Errorf("after %v: exit code %d\n%s", c.signal, code, out)
		}
	}
	out, stderr, code := dcloneRun(t, nil, args[:3]...)
	if code != codeDone || strings.Contains(out, "Copied 0 ") || strings.Contains(out, "skipped 0 ") {
		t.Errorf("the run after it: exit code %d\n%s%s", code, out, stderr)
	}
	if out, stderr, code := dcloneRun(t, nil, "verify", "file:"+dst, "--read-all"); code != codeDone {
		t.Errorf("verify: exit code %d\n%s%s", code, out, stderr)
	}
}

// awaitSegments waits until a backup has n segments.
func awaitSegments(t *testing.T, dir string, n int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if countSegments(dir) >= n {
			return
		}
	}
	t.Fatalf("%s has not got %d segments", dir, n)
}

func countSegments(dir string) int {
	all, _ := filepath.Glob(filepath.Join(dir, "values", "*", "*"))
	return len(all)
}
