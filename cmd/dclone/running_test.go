package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	destlocal "dclone/dest/local"
	"dclone/replay"
)

func TestInterrupt(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			s, p, open := replaying(t)
			p.signal(sig)
			p.await(`"message_type":"warning"`)
			open()
			if code := p.end(); code != codeInterrupted {
				t.Fatalf("exit code %d, want %d; stderr:\n%s", code, codeInterrupted, &p.stderr)
			}
			if !strings.Contains(p.stderr.String(), `"message":"interrupted, state saved, run again"`) {
				t.Errorf("stderr:\n%s", &p.stderr)
			}
			st := s.status()
			if st.Running || st.LastRun.Outcome != outcomeInterrupted || *st.LastRun.ExitCode != codeInterrupted {
				t.Errorf("last run: %+v", st.LastRun)
			}
			if st.SourceT <= 16 || st.SourceT >= 3016 {
				t.Errorf("source t %d: the run was to be cut within", st.SourceT)
			}
			out, _ := s.dclone(codeDone, "sync", s.src, s.dst)
			if !strings.Contains(out, "incremental") {
				t.Errorf("the run after it:\n%s", out)
			}
			s.dclone(codeDone, "verify", s.src, s.dst)
		})
	}
}

// A first copy that is interrupted before anything is committed, and again while it is published.
func TestInterruptFirstCopy(t *testing.T) {
	s := newStage(t, 50)
	for _, at := range []struct {
		point replay.Point
		line  string
	}{{replay.BeforeWrite, `"stage":"reading"`}, {replay.BeforeCommit, `"stage":"reading"`}, {replay.AfterCommit, `"stage":"loading"`}} {
		env, open := s.gate(at.point)
		p := start(t, env, "sync", "--json", s.src, s.dst)
		p.await(at.line)
		p.signal(os.Interrupt)
		p.await(`"message_type":"warning"`)
		p.signal(os.Interrupt)
		open()
		if code := p.end(); code != codeInterrupted {
			t.Fatalf("%s: exit code %d, want %d; stderr:\n%s", at.point, code, codeInterrupted, &p.stderr)
		}
	}
	out, _ := s.dclone(codeDone, "sync", s.src, s.dst)
	if !strings.Contains(out, "initial") {
		t.Errorf("the run after it:\n%s", out)
	}
	s.dclone(codeDone, "verify", s.src, s.dst)
}

func TestWhileRunning(t *testing.T) {
	s, p, open := replaying(t)
	st := s.status()
	if !st.Running || st.LastRun.PID != p.cmd.Process.Pid || st.LastRun.Outcome != outcomeRunning || st.Phase != "current" {
		t.Errorf("status: %+v, last run %+v", st, st.LastRun)
	}
	if out, _ := s.dclone(codeDone, "status", s.dst); !strings.Contains(out, "last run     process ") {
		t.Errorf("status:\n%s", out)
	}
	s.dclone(codeDone, "list", "datomic-local:"+s.dir)
	var all sync.WaitGroup
	for _, args := range [][]string{{"sync", s.src, s.dst}, {"sync", "--restart", s.src, s.dst}, {"plan", s.src, s.dst},
		{"verify", s.src, s.dst}, {"map", s.dst, "10"}, {"reset", s.dst}, {"reset", "-n", "--drop-clone", s.dst}, {"unlock", s.dst}} {
		all.Go(func() {
			out, stderr, code := dcloneRun(t, nil, args...)
			if code != codeLocked || args[0] == "unlock" && !strings.Contains(out, "a run of dclone since") {
				t.Errorf("%v: exit code %d\n%s%s", args, code, out, stderr)
			}
		})
	}
	all.Wait()
	open()
	if code := p.end(); code != codeDone {
		t.Fatalf("exit code %d; stderr:\n%s", code, &p.stderr)
	}
	if st := s.status(); st.Running || st.LastRun.Outcome != outcomeDone || st.LastRun.Status != "incremental" {
		t.Errorf("last run: %+v", st.LastRun)
	}
	s.dclone(codeDone, "verify", s.src, s.dst)
}

func TestKilled(t *testing.T) {
	s, p, _ := replaying(t)
	p.signal(os.Kill)
	p.end()
	if st := s.status(); st.Running || st.LastRun.Outcome != outcomeKilled || st.Phase != "current" {
		t.Errorf("status: %+v, last run %+v", st, st.LastRun)
	}
	if out, _ := s.dclone(codeDone, "status", s.dst); !strings.Contains(out, "cut off while replaying") {
		t.Errorf("status:\n%s", out)
	}
	if out, _ := s.dclone(codeDone, "unlock", s.dst); !strings.Contains(out, "nothing is locked") {
		t.Errorf("unlock:\n%s", out)
	}
	s.dclone(codeDone, "sync", s.src, s.dst)
	s.dclone(codeDone, "verify", s.src, s.dst)
}

// A destination that others have locked: Datomic Local's way, and dclone's own.
func TestLocked(t *testing.T) {
	s := newStage(t, 10)
	dir := filepath.Join(s.dir, "dev", "clone")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	release := holdPosix(t, filepath.Join(dir, ".lock"))
	_, stderr := s.dclone(codeLocked, "sync", s.src, s.dst)
	if !strings.Contains(stderr, "has the database open") {
		t.Errorf("stderr:\n%s", stderr)
	}
	out, _ := s.dclone(codeLocked, "unlock", s.dst)
	if !strings.Contains(out, "/.lock  process ") {
		t.Errorf("unlock:\n%s", out)
	}
	s.dclone(codeLocked, "plan", s.src, s.dst)
	release()
	s.dclone(codeDone, "sync", s.src, s.dst)

	held, err := destlocal.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	s.dclone(codeLocked, "sync", s.src, s.dst)
	s.dclone(codeLocked, "reset", s.dst)
	p := start(t, nil, "sync", "--retry-lock", "30s", s.src, s.dst)
	time.Sleep(200 * time.Millisecond)
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if code := p.end(); code != codeDone {
		t.Fatalf("exit code %d; stderr:\n%s", code, &p.stderr)
	}
}

// A run that waits for a lock can be interrupted, and has written nothing.
func TestInterruptWaiting(t *testing.T) {
	s := newStage(t, 10)
	dir := filepath.Join(s.dir, "dev", "clone")
	held, err := destlocal.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	p := start(t, nil, "sync", "-v", "--retry-lock", "1h", s.src, s.dst)
	time.Sleep(200 * time.Millisecond)
	p.signal(os.Interrupt)
	if code := p.end(); code != codeInterrupted {
		t.Fatalf("exit code %d; stderr:\n%s", code, &p.stderr)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("in the directory: %v, %v", entries, err)
	}
}

func TestFollow(t *testing.T) {
	s := newStage(t, 10)
	p := start(t, nil, "sync", "--follow", "--poll", "20ms", "--json", s.src, s.dst)
	p.await(`"status":"initial"`)
	s.shop.grow(3, shopStart)
	if line := p.await(`"status":"incremental"`); !strings.Contains(line, `"message_type":"summary"`) {
		t.Errorf("it reported %s", line)
	}
	// Somebody has a look at the clone; the run waits.
	held, err := lockSoon(filepath.Join(s.dir, "dev", "clone"))
	if err != nil {
		t.Fatal(err)
	}
	p.await(`"message_type":"warning"`)
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	s.shop.grow(3, shopStart)
	p.await(`"last_source_t":22`)
	p.signal(syscall.SIGTERM)
	if code := p.end(); code != codeInterrupted {
		t.Fatalf("exit code %d; stderr:\n%s", code, &p.stderr)
	}
	s.dclone(codeDone, "verify", s.src, s.dst)
}

// lockSoon locks a directory that a run locks from time to time.
func lockSoon(dir string) (*destlocal.Clone, error) {
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		c, err := destlocal.Lock(dir)
		if err == nil || time.Now().After(end) {
			return c, err
		}
	}
}

// A reader that goes away ends the program, quietly.
func TestReaderGone(t *testing.T) {
	s := newStage(t, 5000)
	cmd := command(t, "log", s.src)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	out.Close()
	if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
		t.Errorf("%v; stderr:\n%s", err, &stderr)
	}
}

// Results that cannot be written are a failure.
func TestFullDevice(t *testing.T) {
	s := newStage(t, 10)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	cmd := command(t, "log", s.src)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = full, &stderr
	if _, _, code := finish(t, cmd.Run(), new(bytes.Buffer), &stderr); code != codeFailure {
		t.Errorf("exit code %d; stderr:\n%s", code, &stderr)
	}
}

// A first copy that was cut off, before anybody can see it.
func TestUnfinished(t *testing.T) {
	s := newStage(t, 50)
	env, _ := s.gate(replay.BeforeCommit)
	p := start(t, env, "sync", "--json", s.src, s.dst)
	for end := time.Now().Add(20 * time.Second); !destlocal.Loading(filepath.Dir(s.sidecar)); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not load")
		}
	}
	p.signal(os.Kill)
	p.end()
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{codeDone, []string{"status", s.dst}, "the first copy is under way"},
		{codeBehind, []string{"status", "--fail-if-behind=1000000", s.dst}, "its first copy is not whole"},
		{codeDone, []string{"list", "datomic-local:" + s.dir}, "/dev/shop (loading)"},
		{codeDone, []string{"plan", s.src, s.dst}, "finish the first copy that is under way"},
		{codeFailure, []string{"verify", s.src, s.dst}, "its first copy is not finished"},
		{codeNone, []string{"log", s.dst}, "there is no database at"},
		{codeUsage, []string{"sync", "--max-batch-size", "7", s.src, s.dst}, "set --max-batch-size to 7"},
		{codeUsage, []string{"sync", "--tx-entities", "all", s.src, s.dst}, "set --tx-entities to all"},
		{codeDiverged, []string{"sync", "--state", s.dir + "/other.state", s.src, s.dst}, "claimed by another session"},
		{codeDone, []string{"reset", "-n", s.dst}, "the unfinished first copy"},
		{codeDone, []string{"sync", s.src, s.dst}, "initial (an earlier run was cut off)"},
		{codeDone, []string{"verify", s.src, s.dst}, "equal"},
	} {
		out, stderr := s.dclone(c.code, c.args...)
		if !strings.Contains(out+stderr, c.want) {
			t.Errorf("dclone %v: it does not say %q:\n%s%s", c.args, c.want, out, stderr)
		}
	}
}
