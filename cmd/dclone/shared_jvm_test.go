package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"dclone/datomic/live"
	"dclone/interop"
	"dclone/replay"
)

// A live source and a live clone have one JVM, as long as nothing happens to it.
func TestSharedJVM(t *testing.T) {
	classpath := interop.Classpath(t)
	s := newStage(t, 10)
	java, err := exec.LookPath("java")
	s.shop.must(err)
	began, state := filepath.Join(s.dir, "began"), filepath.Join(s.dir, "x.state")
	bin := filepath.Join(s.dir, "bin")
	s.shop.must(os.Mkdir(bin, 0o777))
	s.shop.must(os.WriteFile(filepath.Join(bin, "java"), []byte("#!/bin/sh\necho $$ >> "+began+"\nexec "+java+` "$@"`+"\n"), 0o777))
	env := []string{live.ClasspathVariable + "=" + classpath, "JAVA_HOME=", "PATH=" + bin, "JAVA_TOOL_OPTIONS=-XX:TieredStopAtLevel=1"}
	client := `client:{:server-type :datomic-local :system "dev" :storage-dir "` + s.dir + `"}`
	args := []string{"sync", "--json", "--settle", "1ms", "--state", state, client + "#shop", client + "#clone"}
	pids := func() []string {
		b, err := os.ReadFile(began)
		s.shop.must(err)
		return strings.Fields(string(b))
	}
	if out, stderr, code := dcloneRun(t, env, args...); code != codeDone || len(pids()) != 1 {
		t.Fatalf("exit code %d, %d JVMs\n%s%s", code, len(pids()), out, stderr)
	}
	s.shop.grow(600, shopStart)
	gate, open := s.gate(replay.AfterCommit)
	p := start(t, append(gate, env...), args...)
	p.await(`"stage":"replaying"`)
	jvm, err := strconv.Atoi(pids()[1])
	s.shop.must(err)
	s.shop.must(syscall.Kill(jvm, syscall.SIGKILL))
	open()
	p.await(`"last_source_t":616`)
	if code := p.end(); code != codeDone || len(pids()) < 4 {
		t.Fatalf("exit code %d, %d JVMs; stderr:\n%s", code, len(pids()), &p.stderr)
	}
	s.dclone(codeDone, "verify", "--state", state, s.src, s.dst)
}
