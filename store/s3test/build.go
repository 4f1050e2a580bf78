package s3test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"dclone/filelock"
)

const (
	module  = "github.com/versity/versitygw"
	command = module + "/cmd/versitygw"
	version = "v1.8.0"
)

// buildTime is more than the build takes where all has to be fetched and compiled.
const buildTime = 8 * time.Minute

// gateway returns the path of the program, which it builds where it is not in the cache: under a lock,
// for go test runs packages as processes beside each other.
func gateway() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(base, "dclone", "versitygw-"+version)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := filelock.Wait(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	program := filepath.Join(dir, "versitygw")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	return program, build(program)
}

// build makes the program. The working directory keeps our go.mod out of it, the environment what
// our own tests are built with. It is built elsewhere and renamed, for a build may be killed.
func build(program string) error {
	dir, err := os.MkdirTemp(filepath.Dir(program), "build")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), buildTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "install", "-trimpath", "-ldflags=-s -w", command+"@"+version)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOOS=", "GOARCH=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s@%s: %w: %s", command, version, err, strings.TrimSpace(string(out)))
	}
	return os.Rename(filepath.Join(dir, filepath.Base(program)), program)
}
