//go:build unix

package live_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	"dclone/interop"
)

// fill makes a database with n entities that have a number and a name, and returns it with the number's attribute.
func fill(t testing.TB, p place, n int) (*live.DB, dclone.EntityID) {
	t.Helper()
	ctx := t.Context()
	db := p.create(t)
	r, err := db.Transact(ctx, forms(t, append(attribute("n", kw("x", "n"), "long", "one"), attribute("s", kw("x", "s"), "string", "one")...)...))
	require.NoError(t, err)
	for from := 0; from < n; {
		var all [][]any
		for ; from < n && len(all) < 40_000; from++ {
			e := "e" + strconv.Itoa(from)
			all = append(all, add(e, kw("x", "n"), int64(from)), add(e, kw("x", "s"), "the name of "+e))
		}
		_, err := db.Transact(ctx, forms(t, all...))
		require.NoError(t, err)
	}
	_, err = db.Refresh(ctx)
	require.NoError(t, err)
	return db, r.Tempids["n"]
}

// One child, and all that may happen in it without its end.
func TestChild(t *testing.T) {
	c := child(t, interop.Classpath(t))
	ctx := t.Context()
	dir := t.TempDir()
	db, n := fill(t, place{c, live.ClientAPI, localArg(dir), "filled"}, 50_000)

	t.Run("printing", func(t *testing.T) {
		require.NoError(t, c.Load(ctx, "prints.clj", `(println "out") (.println System/out "System/out") (binding [*out* *err*] (println "err"))`))
		_, err := db.Refresh(ctx)
		require.NoError(t, err)
	})
	t.Run("errors", func(t *testing.T) {
		var remote *live.RemoteError
		require.ErrorAs(t, c.Load(ctx, "throws.clj", `(throw (ex-info "thrown" {:cognitect.anomalies/category :cognitect.anomalies/fault :n 1}))`), &remote)
		require.Equal(t, live.RemoteError{Class: "clojure.lang.ExceptionInfo", Message: "thrown", Anomaly: "cognitect.anomalies/fault",
			Data: "{:cognitect.anomalies/category :cognitect.anomalies/fault, :n 1}"}, *remote)
		_, err := c.Connect(ctx, live.ClientAPI, `{:server-type :nonsense}`, "x")
		require.ErrorAs(t, err, &remote)
		require.Equal(t, "cognitect.anomalies/incorrect", remote.Anomaly)
		_, err = c.Connect(ctx, live.ClientAPI, `{:server-type `, "x")
		require.ErrorContains(t, err, "EOF")
		_, err = c.Connect(ctx, live.ClientAPI, localArg(dir), "none")
		require.ErrorIs(t, err, live.ErrNoDatabase)
		var missing *live.MissingError
		_, err = c.Connect(ctx, live.ClientAPI, `{:server-type :cloud :region "us-east-1" :system "s" :endpoint "http://localhost:1"}`, "x")
		require.ErrorAs(t, err, &missing)
		require.ErrorContains(t, err, "com.datomic/client-cloud")
		_, err = c.Connect(ctx, live.PeerAPI, "datomic:mem://x", "")
		require.ErrorAs(t, err, &missing)
		require.ErrorContains(t, err, "com.datomic/peer")
		_, err = c.Connect(ctx, "main", "", "")
		require.ErrorContains(t, err, "no such API")
		_, err = db.Transact(ctx, []byte{0xE5})
		require.Error(t, err)
		require.NotErrorIs(t, err, live.ErrUnknownOutcome, "it was not sent")
	})
	t.Run("leaving", func(t *testing.T) {
		for i := range 20 {
			canceled, cancel := context.WithCancel(ctx)
			var last error
			seen := 0
			for datoms, err := range db.Datoms(canceled, live.Range{Attr: n, At: db.Basis(), Chunk: 100}) {
				if seen += len(datoms); seen > 100*i {
					cancel()
				}
				if last = err; i%2 == 0 && seen > 100*i {
					break
				}
			}
			if i%2 == 1 {
				require.ErrorIs(t, last, context.Canceled)
			}
			cancel()
		}
		require.NoError(t, c.Load(ctx, "idle.clj", `
			(loop [n 0]
			  (when (> (count @#'dclone.main/under-way) 1)
			    (when (> n 500) (throw (ex-info "streams are left" {})))
			    (Thread/sleep 10)
			    (recur (inc n))))`))
	})
	t.Run("side by side", func(t *testing.T) {
		slow := 0
		for range db.Datoms(ctx, live.Range{Attr: n, At: db.Basis(), Chunk: 10}) {
			if slow++; slow == 3 { // and is not read on while others are
				count := 0
				for datoms, err := range db.Datoms(ctx, live.Range{Attr: n, At: db.Basis(), History: true}) {
					require.NoError(t, err)
					count += len(datoms)
				}
				require.Equal(t, 50_000, count)
				_, err := db.Refresh(ctx)
				require.NoError(t, err)
				break
			}
		}
	})
	t.Run("large transaction", func(t *testing.T) {
		for tx, err := range db.TxRange(ctx, 7, 8, 100) {
			require.NoError(t, err)
			require.Len(t, tx.Datoms, 40_001)
			for _, d := range tx.Datoms[1:] {
				require.True(t, len(d.V) > 0 && d.Tx == dclone.TxID(7) && d.Added)
			}
		}
	})
}

// Whatever is under way when the JVM dies fails, and a transaction's outcome is unknown.
func TestKilled(t *testing.T) {
	c := child(t, interop.Classpath(t))
	db, n := fill(t, place{c, live.ClientAPI, localArg(t.TempDir()), "killed"}, 20_000)
	var failed error
	for datoms, err := range db.Datoms(t.Context(), live.Range{Attr: n, At: db.Basis(), Chunk: 10}) {
		if failed = err; err == nil && datoms[0].V != nil {
			require.NoError(t, syscall.Kill(c.PID(), syscall.SIGKILL))
			<-c.Done()
		}
	}
	var gone *live.GoneError
	require.ErrorAs(t, failed, &gone)
	require.ErrorContains(t, failed, "killed")
	_, err := db.Transact(t.Context(), forms(t, add("x", kw("x", "n"), int64(1))))
	require.ErrorAs(t, err, &gone)
	require.NotErrorIs(t, err, live.ErrUnknownOutcome, "it was not sent")
}

func TestUnknownOutcome(t *testing.T) {
	c := child(t, interop.Classpath(t))
	p := place{c, live.ClientAPI, localArg(t.TempDir()), "unknown"}
	p.create(t)
	require.NoError(t, c.Load(t.Context(), "slow.clj", `
		(swap! dclone.main/apis update "client" assoc :transact (fn [_ _] (Thread/sleep 100000)))`))
	db := p.connect(t)
	doc := forms(t, add("datomic.tx", kw("db", "doc"), "x"))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := db.Transact(ctx, doc)
	require.ErrorIs(t, err, live.ErrUnknownOutcome)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	time.AfterFunc(200*time.Millisecond, func() { syscall.Kill(c.PID(), syscall.SIGKILL) })
	_, err = db.Transact(t.Context(), doc)
	require.ErrorIs(t, err, live.ErrUnknownOutcome)
	var gone *live.GoneError
	require.ErrorAs(t, err, &gone)
}

func TestMemoryExhausted(t *testing.T) {
	c := child(t, interop.Classpath(t), "-Xmx64m")
	err := c.Load(t.Context(), "greedy.clj", `(loop [all []] (recur (conj all (byte-array 1000000))))`)
	require.ErrorContains(t, err, "--jvm-opts")
	require.ErrorContains(t, err, "OutOfMemoryError")
}

func TestMissing(t *testing.T) {
	var missing *live.MissingError
	_, err := live.Start(t.Context(), live.Options{Classpath: t.TempDir()})
	if errors.As(err, &missing) && strings.Contains(err.Error(), "no java") {
		t.Skip("needs java")
	}
	require.ErrorAs(t, err, &missing)
	require.ErrorContains(t, err, "com.datomic/local")

	bare, _, _ := strings.Cut(interop.Classpath(t), "core.specs.alpha")
	bare = bare[:strings.LastIndexByte(bare, filepath.ListSeparator)]
	for _, jar := range filepath.SplitList(interop.Classpath(t)) {
		if strings.Contains(jar, "core.specs.alpha") {
			bare += string(filepath.ListSeparator) + jar
		}
	}
	c := child(t, bare)
	_, err = c.Connect(t.Context(), live.ClientAPI, localArg(t.TempDir()), "x")
	require.ErrorAs(t, err, &missing)
	require.ErrorContains(t, err, "com.datomic/local")

	t.Setenv("PATH", t.TempDir())
	t.Setenv("JAVA_HOME", "")
	_, err = live.Start(t.Context(), live.Options{})
	require.ErrorAs(t, err, &missing)
	require.ErrorContains(t, err, "no java")
}

const parentVariable = "DCLONE_LIVE_PARENT"

// TestParent is the process that TestOrphan kills; by itself it does nothing.
func TestParent(t *testing.T) {
	cp := os.Getenv(parentVariable)
	if cp == "" {
		t.Skip("is run by TestOrphan")
	}
	c, err := live.Start(t.Context(), live.Options{Classpath: cp})
	require.NoError(t, err)
	fmt.Println("child", c.PID())
	c.Load(t.Context(), "busy.clj", `(loop [] (recur))`)
}

// The child does not outlive a parent that is killed, whatever it is doing.
func TestOrphan(t *testing.T) {
	parent := exec.Command(os.Args[0], "-test.run=^TestParent$", "-test.v")
	parent.Env = append(os.Environ(), parentVariable+"="+interop.Classpath(t))
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	pid := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "child %d", &pid); err == nil {
			break
		}
	}
	require.NotZero(t, pid)
	require.NoError(t, syscall.Kill(pid, 0))
	require.NoError(t, parent.Process.Kill())
	parent.Wait()
	for end := time.Now().Add(10 * time.Second); alive(pid); time.Sleep(20 * time.Millisecond) {
		require.True(t, time.Now().Before(end), "the child lives on")
	}
}

// alive reports whether a process runs; one that nobody has waited for yet does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err == nil {
		_, state, _ := strings.Cut(string(stat), ") ")
		return !strings.HasPrefix(state, "Z")
	}
	return syscall.Kill(pid, 0) == nil
}
