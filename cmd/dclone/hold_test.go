//go:build linux || darwin

package main

import (
	"bufio"
	"io"
	"os"
	"syscall"
	"testing"
)

// envHold makes the test binary hold a lock until its input ends.
const envHold = "DCLONE_TEST_HOLD"

// hold takes the lock that a JVM takes: POSIX, and of the process.
func hold(path string) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err == nil {
		l := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
		err = syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &l)
	}
	if err != nil {
		os.Exit(1)
	}
	os.Stdout.WriteString("held\n")
	io.Copy(io.Discard, os.Stdin)
	f.Close()
}

// holdPosix locks a file in a child, until release is called.
func holdPosix(t *testing.T, path string) (release func()) {
	t.Helper()
	cmd := command(t)
	cmd.Env = append(cmd.Env, envHold+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("the child holds no lock: %v", err)
	}
	return func() {
		in.Close()
		cmd.Wait()
	}
}
