package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/store"
	"dclone/store/dir"
	"dclone/store/kvs"
	"dclone/store/pgtest"
)

var errStop = errors.New("stopped by the test")

// whole makes every write to m fail that comes before what it refers to.
func whole(m *memFiles) func(key string, data []byte) error {
	return func(key string, data []byte) error {
		ids, err := refersTo(key, data)
		if err != nil {
			return err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, id := range ids {
			if m.files[keyTo(id)] == nil {
				return fmt.Errorf("%s is written before %s, to which it refers", key, id)
			}
		}
		return nil
	}
}

// TestStops stops a copy before each of its writes, alone and by several workers, and goes on from there.
// At no instant is anything there without all below it.
func TestStops(t *testing.T) {
	real := realFiles(t, "alltypes")
	want := newMemFiles()
	_, err := Copy(t.Context(), store.NewBackup(real), store.NewBackup(want), Options{T: 1493})
	require.NoError(t, err)
	for _, c := range []struct{ workers, step int }{{1, 7}, {4, 11}, {16, 23}} {
		stops := 0
		for n := 0; ; n += c.step {
			m := newMemFiles()
			stopAfter(m, n)
			r, err := Copy(t.Context(), store.NewBackup(real), store.NewBackup(m), Options{T: 1493, Concurrency: c.workers})
			if err == nil {
				require.GreaterOrEqual(t, n, len(want.files))
				break
			}
			require.ErrorIs(t, err, errStop)
			stops++
			m.before = whole(m)
			again, err := Copy(t.Context(), store.NewBackup(real), store.NewBackup(m), Options{T: 1493, Concurrency: c.workers})
			require.NoError(t, err)
			require.LessOrEqual(t, r.Copied+again.Copied, int64(len(want.files)-2)) // not the owner, nor the root
			requireSame(t, want.files, m.files)
		}
		require.Greater(t, stops, 5)
	}
}

// stopAfter makes the writes after the first n fail. The ones before must be whole.
func stopAfter(m *memFiles, n int) {
	check := whole(m)
	var writes atomic.Int64
	m.before = func(key string, data []byte) error {
		if writes.Add(1) > int64(n) {
			return errStop
		}
		return check(key, data)
	}
}

// TestRandomStops cancels copies, with and without Full, of one point after the other, and in the
// end has what an undisturbed copy has.
func TestRandomStops(t *testing.T) {
	real := realFiles(t, "alltypes")
	for seed := range uint64(8) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		m := newMemFiles()
		for _, point := range []dclone.T{1493, 5619} {
			for {
				ctx, cancel := context.WithCancel(t.Context())
				left := rnd.Int64N(120)
				check := whole(m)
				var writes atomic.Int64
				m.before = func(key string, data []byte) error {
					if writes.Add(1) > left {
						cancel()
					}
					return check(key, data)
				}
				opt := Options{T: point, Concurrency: 1 + rnd.IntN(8), Full: rnd.IntN(4) == 0}
				r, err := Copy(ctx, store.NewBackup(real), store.NewBackup(m), opt)
				cancel()
				if err == nil {
					require.Equal(t, point, r.T)
					break
				}
				require.ErrorIs(t, err, context.Canceled)
			}
		}
		requireSame(t, real.files, m.files)
	}
}

const childVar = "DCLONE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		if err := child(os.Args[1], os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(pgtest.Main(m))
}

// child is a process of its own: one that is killed, or measured.
func child(task, from, to string) error {
	a, err := dir.Open(from)
	if err != nil {
		return err
	}
	source, opt := store.NewBackup(a), Options{Concurrency: 3, ReadAll: task == "read all"}
	switch task {
	case "copy":
		b, err := dir.Open(to)
		if err != nil {
			return err
		}
		fmt.Println("begin")
		_, err = Copy(context.Background(), source, store.NewBackup(b), opt)
		return err
	case "restore":
		s, err := kvs.Connect(context.Background(), to)
		if err != nil {
			return err
		}
		fmt.Println("begin")
		_, err = Restore(context.Background(), source, s, "x", Options{Force: true})
		return err
	}
	r, err := Verify(context.Background(), source, opt)
	return errors.Join(err, wrong(r))
}

func wrong(r Report) error {
	if len(r.Missing)+len(r.Unreadable) > 0 {
		return fmt.Errorf("%d missing, %d unreadable", len(r.Missing), len(r.Unreadable))
	}
	return nil
}

// TestKills kills the process that copies, again and again, until one comes to the end.
func TestKills(t *testing.T) {
	real := realFiles(t, "alltypes")
	from := onDisk(t, real)
	want := newMemFiles()
	_, err := Copy(t.Context(), store.NewBackup(real), store.NewBackup(want), Options{})
	require.NoError(t, err)
	rnd := rand.New(rand.NewPCG(1, 2))
	killed := 0
	for range 3 {
		to := filepath.Join(t.TempDir(), "backup")
		for patience := 2 * time.Millisecond; ; patience += patience / 2 {
			done := killChild(t, "copy", from, to, time.Duration(rnd.Int64N(int64(patience))))
			requireWhole(t, fromDisk(t, to))
			if done {
				break
			}
			killed++
		}
		requireSame(t, want.files, fromDisk(t, to).files)
	}
	require.Greater(t, killed, 6)
}

// killChild starts a task and kills it some time after it began. It reports whether it was done before.
func killChild(t *testing.T, task, from, to string, after time.Duration) bool {
	cmd := exec.Command(os.Args[0], task, from, to)
	cmd.Env = append(os.Environ(), childVar+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	time.Sleep(after)
	_ = cmd.Process.Kill()
	return cmd.Wait() == nil
}

// requireWhole requires that all that is there has below it all that it refers to.
func requireWhole(t *testing.T, m *memFiles) {
	for key, data := range m.files {
		require.NoError(t, whole(m)(key, data))
	}
}
