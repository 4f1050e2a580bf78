package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dclone/replay"
)

// A process is a dclone that runs beside the test.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    *bufio.Scanner
	stderr bytes.Buffer
}

func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: command(t, args...)}
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// await reads lines up to the one that holds text.
func (p *process) await(text string) string {
	p.t.Helper()
	for p.out.Scan() {
		if strings.Contains(p.out.Text(), text) {
			return p.out.Text()
		}
	}
	p.cmd.Wait()
	p.t.Fatalf("it ended without %s; stderr:\n%s", text, &p.stderr)
	return ""
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// end waits for the process and returns its exit code, -1 where it was killed.
func (p *process) end() int {
	p.t.Helper()
	for p.out.Scan() {
	}
	p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// A stage is a shop and a clone in a directory.
type stage struct {
	t       *testing.T
	dir     string
	shop    *shop
	src     string
	dst     string
	sidecar string
}

func newStage(t *testing.T, items int) *stage {
	t.Helper()
	t.Parallel()
	dir := t.TempDir()
	s := &stage{t: t, dir: dir, src: "datomic-local:" + dir + "/dev/shop", dst: "datomic-local:" + dir + "/dev/clone",
		sidecar: filepath.Join(dir, "dev", "clone", sidecarName)}
	s.shop = makeShop(t, filepath.Join(dir, "dev", "shop"), items, shopStart)
	return s
}

// dclone runs dclone and wants an exit code.
func (s *stage) dclone(code int, args ...string) (stdout, stderr string) {
	s.t.Helper()
	stdout, stderr, got := dcloneRun(s.t, nil, args...)
	if got != code {
		s.t.Fatalf("dclone %s: exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), got, code, stdout, stderr)
	}
	return stdout, stderr
}

// status returns what status says.
func (s *stage) status() status {
	s.t.Helper()
	out, _ := s.dclone(codeDone, "status", "--json", s.dst)
	var st status
	if err := json.Unmarshal([]byte(out), &st); err != nil {
		s.t.Fatal(err)
	}
	return st
}

// gate makes a file that stops a run at a point of its loop until the file is removed.
func (s *stage) gate(p replay.Point) (env []string, open func()) {
	path := filepath.Join(s.dir, "gate")
	s.shop.must(os.WriteFile(path, nil, 0o666))
	return []string{envGate + "=" + string(p) + ":" + path}, func() { s.shop.must(os.Remove(path)) }
}

// replaying returns a stage with a run that has replayed the first 1,000 of 3,000 transactions, and stays
// there until the gate is opened.
func replaying(t *testing.T) (s *stage, p *process, open func()) {
	s = newStage(t, 10)
	s.dclone(codeDone, "sync", s.src, s.dst)
	s.shop.grow(3000, shopStart)
	env, open := s.gate(replay.AfterCommit)
	p = start(t, env, "sync", "--json", s.src, s.dst)
	p.await(`"stage":"replaying"`)
	return s, p, open
}
