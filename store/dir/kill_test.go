//go:build unix

package dir_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/store"
	"dclone/store/dir"
)

const killVar = "DCLONE_TEST_WRITE"

// init makes the test binary, asked by its environment, a process that writes files for ever.
func init() {
	path := os.Getenv(killVar)
	if path == "" {
		return
	}
	fmt.Println(writeForEver(path))
	os.Exit(1)
}

func writeForEver(path string) error {
	files, err := dir.Open(path)
	if err != nil {
		return err
	}
	if err := files.Lock(context.Background()); err != nil {
		return err
	}
	errs := make(chan error)
	for range 4 {
		go func() {
			for {
				key := fmt.Sprintf("values/%02x/%d", rand.IntN(8), rand.IntN(8))
				if err := files.Put(context.Background(), key, sealed(rand.IntN(200_000))); err != nil {
					errs <- err
				}
			}
		}()
	}
	fmt.Println("writing")
	return <-errs
}

// sealed returns n bytes behind their digest.
func sealed(n int) []byte {
	data := bytes.Repeat([]byte{byte(n)}, n)
	sum := sha256.Sum256(data)
	return append(sum[:], data...)
}

func isSealed(data []byte) bool {
	if len(data) < sha256.Size {
		return false
	}
	sum := sha256.Sum256(data[sha256.Size:])
	return bytes.Equal(sum[:], data[:sha256.Size])
}

// TestKilled kills writers, who keep others out until then. Under their keys files are whole, each time; what was half written is gone
// once the next writer has the lock.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup")
	seen, left := 0, 0
	for range 15 {
		killWriter(t, path, time.Duration(rand.IntN(40))*time.Millisecond)
		matches, err := filepath.Glob(filepath.Join(path, "values", "*", "*"))
		require.NoError(t, err)
		for _, name := range matches {
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			require.True(t, isSealed(data), "%s is torn", name)
			seen++
		}
		entries, err := os.ReadDir(filepath.Join(path, ".dclone"))
		require.NoError(t, err)
		left += len(entries) - 1
	}
	require.Positive(t, seen)
	require.Positive(t, left, "no writer was killed while it wrote")
	require.NoError(t, open(t, path).Lock(t.Context()))
	entries, err := os.ReadDir(filepath.Join(path, ".dclone"))
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

func killWriter(t *testing.T, path string, after time.Duration) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killVar+"="+path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "writing\n", line)
	require.ErrorIs(t, open(t, path).Lock(t.Context()), store.ErrLocked)
	time.Sleep(after)
	require.NoError(t, cmd.Process.Kill())
	require.EqualError(t, cmd.Wait(), "signal: killed")
}
