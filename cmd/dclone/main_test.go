package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"dclone/replay"
	"dclone/store/pgtest"
)

// Environment that makes the test binary be dclone.
const (
	envMain = "DCLONE_TEST_MAIN"
	envGate = "DCLONE_TEST_GATE" // POINT:FILE, to stay at a point of the loop as long as there is that file
)

func TestMain(m *testing.M) {
	if os.Getenv(envMain) == "" {
		os.Exit(pgtest.Main(m))
	}
	if path := os.Getenv(envHold); path != "" {
		hold(path)
		return
	}
	point, gate, _ := strings.Cut(os.Getenv(envGate), ":")
	at = func(p replay.Point) error {
		for p == replay.Point(point) {
			if _, err := os.Stat(gate); err != nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		return nil
	}
	main()
}

// command returns the test binary as dclone.
func command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = []string{envMain + "=1", "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(),
		"GORACE=atexit_sleep_ms=0"}
	return cmd
}

// dclone runs dclone to its end.
func dcloneRun(t testing.TB, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := command(t, args...)
	cmd.Env = append(cmd.Env, env...)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	return finish(t, cmd.Run(), &out, &err)
}

func finish(t testing.TB, failed error, out, err *bytes.Buffer) (string, string, int) {
	t.Helper()
	var exit *exec.ExitError
	if failed != nil && !errors.As(failed, &exit) {
		t.Fatal(failed)
	}
	code := 0
	if exit != nil {
		code = exit.ExitCode()
	}
	return out.String(), err.String(), code
}
