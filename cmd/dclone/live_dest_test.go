package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dclone/datomic/live"
	"dclone/interop"
)

// A clone that Datomic Local serves is followed with one JVM, and no secret of its address is kept anywhere.
func TestFollowLive(t *testing.T) {
	classpath := interop.Classpath(t)
	s := newStage(t, 10)
	java, err := exec.LookPath("java")
	s.shop.must(err)
	link := filepath.Join(s.dir, "bin", "java")
	s.shop.must(os.Mkdir(filepath.Dir(link), 0o777))
	s.shop.must(os.Symlink(java, link))
	state := filepath.Join(s.dir, "xdg")
	env := []string{live.ClasspathVariable + "=" + classpath, "JAVA_TOOL_OPTIONS=-XX:TieredStopAtLevel=1",
		"XDG_STATE_HOME=" + state, "PATH=" + filepath.Dir(link)}
	dst := `client:{:server-type :datomic-local :system "dev" :secret "swordfish" :storage-dir "` + s.dir + `"}#clone`
	p := start(t, env, "sync", "--follow", "--poll", "50ms", "--json", s.src, dst)
	p.await(`"message":"made database client:`)
	p.await(`"status":"initial"`)
	s.shop.must(os.Remove(link))
	for _, last := range []string{`"last_source_t":19`, `"last_source_t":22`} {
		s.shop.grow(3, shopStart)
		if line := p.await(last); !strings.Contains(line, `"status":"incremental"`) {
			t.Errorf("it reported %s", line)
		}
	}
	// A JVM that dies is replaced.
	s.shop.must(os.Symlink(java, link))
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(p.cmd.Process.Pid), "java").Output()
	s.shop.must(err)
	jvm, err := strconv.Atoi(strings.TrimSpace(string(out)))
	s.shop.must(err)
	s.shop.must(syscall.Kill(jvm, syscall.SIGKILL))
	s.shop.grow(2, shopStart)
	p.await(`"last_source_t":24`)
	p.signal(syscall.SIGTERM)
	if code := p.end(); code != codeInterrupted || strings.Contains(p.stderr.String(), "swordfish") {
		t.Fatalf("exit code %d; stderr:\n%s", code, &p.stderr)
	}
	stdout, stderr, code := dcloneRun(t, env, "status", "--fail-if-behind", dst)
	if code != codeDone || strings.Contains(stdout+stderr, "swordfish") {
		t.Errorf("status: exit code %d\n%s%s", code, stdout, stderr)
	}
	keepsNo(t, state, "swordfish")
}

// keepsNo makes sure that the files in dir, of which there are some, do not hold text.
func keepsNo(t *testing.T, dir, text string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) || strings.Contains(path, text) {
			t.Errorf("%s holds %s", path, text)
		}
		return err
	})
	if err != nil || files < 2 {
		t.Errorf("%d files in %s: %v", files, dir, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "dclone")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory of sidecars: %v, %v", info.Mode(), err)
	}
}

// Whether another process has a clone of Datomic Local open is seen before a JVM is started.
func TestLiveLocked(t *testing.T) {
	s := newStage(t, 10)
	lock := filepath.Join(s.dir, "dev", "clone", ".lock")
	s.shop.must(os.Mkdir(filepath.Dir(lock), 0o777))
	release := holdPosix(t, lock)
	s.dst = `client:{:server-type :datomic-local :system "dev" :storage-dir "` + s.dir + `"}#clone`
	state := filepath.Join(s.dir, "x.state")
	for _, args := range [][]string{{"sync", s.src, s.dst}, {"plan", s.src, s.dst}, {"unlock", s.dst}} {
		out, stderr := s.dclone(codeLocked, append(args, "--state", state)...)
		if !strings.Contains(out+stderr, "/.lock") || args[0] == "unlock" && !strings.Contains(out, "/.lock  process ") {
			t.Errorf("dclone %v:\n%s%s", args, out, stderr)
		}
	}
	p := start(t, []string{live.ClasspathVariable + "=/none"}, "sync", "--json", "--retry-lock", "30s", "--state", state, s.src, s.dst)
	time.Sleep(200 * time.Millisecond)
	release()
	if code := p.end(); code != codeDest || !strings.Contains(p.stderr.String(), `"message":"open destination client:`) {
		t.Errorf("exit code %d; stderr:\n%s", code, &p.stderr)
	}
	if _, err := os.Stat(state); err == nil {
		t.Error("there is a sidecar")
	}
}

func TestLiveSidecar(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	t.Setenv("XDG_STATE_HOME", "")
	t.Chdir(t.TempDir())
	if err := os.WriteFile("c.edn", []byte(`{:system "s" :server-type :cloud :secret "swordfish"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ xdg, text, state, want string }{
		{"", "client:c.edn#x", "", `^/home/me/\.local/state/dclone/x-[0-9a-f]{12}\.state$`},
		{"not/absolute", "client:c.edn#x", "", `^/home/me/\.local/state/dclone/x-[0-9a-f]{12}\.state$`},
		{"/state", "client:c.edn#x", "", `^/state/dclone/x-[0-9a-f]{12}\.state$`},
		{"/state", "datomic:dev://h:1/a%20b*?password=swordfish", "", `^/state/dclone/a_20b_-[0-9a-f]{12}\.state$`},
		{"/state", "datomic:dev://h:1/" + strings.Repeat("ü", 100), "", `^/state/dclone/ü{60}-[0-9a-f]{12}\.state$`},
		{"/state", "client:c.edn#x", "/my.state", `^/my\.state$`},
		{"/state", "datomic-local:/a/b/c", "", `^/a/b/c/dclone\.state$`},
	} {
		t.Setenv("XDG_STATE_HOME", c.xdg)
		p, err := newPlace(c.text, c.state)
		if err != nil || !regexp.MustCompile(c.want).MatchString(p.state) {
			t.Errorf("the sidecar of %s is %s, %v; want %s", c.text, p.state, err, c.want)
		}
		if p.isLive() != (p.dir == "") {
			t.Errorf("%s: live %v, directory %q", c.text, p.isLive(), p.dir)
		}
	}
	t.Setenv("XDG_STATE_HOME", "")
	one, err := newPlace("client:c.edn#x", "")
	if err != nil {
		t.Fatal(err)
	}
	for text, same := range map[string]bool{
		`client:{:server-type :cloud, :system "s"}#x`:                true,
		`client:{:system "s" :secret "***" :server-type :cloud}#x`:   true,
		`client:{:system "s" :server-type :cloud}#y`:                 false,
		`client:{:system "S" :server-type :cloud}#x`:                 false,
		`client:{:system "s" :server-type :cloud :region "eu"}#x`:    false,
		`client:{:system "s" :server-type :datomic-local}#x`:         false,
		`client:{:system "s" :server-type :cloud :secret "other"}#x`: true,
	} {
		if other, err := newPlace(text, ""); err != nil || (other.state == one.state) != same {
			t.Errorf("%s: %s, %v; that of %s is %s", text, other.state, err, one.address, one.state)
		}
	}
	t.Setenv("HOME", "")
	if _, err := newPlace("client:c.edn#x", ""); err == nil || !strings.Contains(err.Error(), "HOME is not set") {
		t.Errorf("without HOME: %v", err)
	}
	if _, err := newPlace("client:c.edn#x", "/my.state"); err != nil {
		t.Errorf("without HOME, with --state: %v", err)
	}
}

func TestAllowDest(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	for _, c := range []struct {
		text  string
		names []string
		try   string // "" where it is allowed
	}{
		{"datomic-local:/a/b/c", nil, ""},
		{`client:{:server-type :datomic-local :system "prod"}#x`, nil, ""},
		{"datomic:dev://localhost:4334/x", nil, ""},
		{"datomic:dev://Prod:4334/x", nil, "--allow-dest Prod, "},
		{"datomic:dev://Prod:4334/x", []string{"other", "pROD"}, ""},
		{"datomic:dev://Prod:4334/x", []string{"prod:4334", "", "x", "localhost"}, "--allow-dest Prod, "},
		{`client:{:server-type :cloud :system "my prod"}#x`, nil, "--allow-dest 'my prod', "},
		{"datomic:ddb://eu-west-1/orders/x", []string{"orders"}, "--allow-dest eu-west-1/orders, "},
		{"datomic:cass://c1,c2:9042/k.t/x", []string{"c1"}, "--allow-dest c1,c2, "},
		{"datomic:cass://c1,c2:9042/k.t/x", []string{"c1,c2"}, ""},
	} {
		p, err := newPlace(c.text, "")
		if err != nil {
			t.Fatal(err)
		}
		err = p.allow(c.names)
		f, refused := err.(*failure)
		if refused != (c.try != "") || refused && (f.code != codeUsage || !strings.HasPrefix(f.try, c.try)) {
			t.Errorf("%s with %q: %+v, want try %q", c.text, c.names, err, c.try)
		}
	}
}
