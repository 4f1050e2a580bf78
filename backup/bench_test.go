//go:build unix

package backup

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// These run whole processes, on directories, to learn how much memory they take at most.

func BenchmarkCopy(b *testing.B) {
	from := onDisk(b, realFiles(b, "mbrainz"))
	for b.Loop() {
		to := filepath.Join(b.TempDir(), "backup")
		measure(b, "copy", from, to)
	}
}

func BenchmarkCopyAgain(b *testing.B) {
	from, to := onDisk(b, realFiles(b, "mbrainz")), filepath.Join(b.TempDir(), "backup")
	measure(b, "copy", from, to)
	for b.Loop() {
		measure(b, "copy", from, to)
	}
}

func BenchmarkVerify(b *testing.B) {
	from := onDisk(b, realFiles(b, "mbrainz"))
	for b.Loop() {
		measure(b, "verify", from, "")
	}
}

func BenchmarkVerifyReadAll(b *testing.B) {
	from := onDisk(b, realFiles(b, "mbrainz"))
	for b.Loop() {
		measure(b, "read all", from, "")
	}
}

// measure runs a child and reports the most memory that one of them took.
func measure(b *testing.B, task, from, to string) {
	cmd := exec.Command(os.Args[0], task, from, to)
	cmd.Env = append(os.Environ(), childVar+"=1")
	cmd.Stderr = os.Stderr
	require.NoError(b, cmd.Run())
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		b.ReportMetric(float64(usage.Maxrss)/1024, "MB")
		b.ReportMetric(float64(cmd.ProcessState.UserTime().Milliseconds()+cmd.ProcessState.SystemTime().Milliseconds()), "cpu-ms")
	}
}
