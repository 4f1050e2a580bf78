package interop_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/datomic/local"
	"dclone/interop"
	"dclone/replay"
	"dclone/session"
)

// cloneChildVar names, in a process that is to be killed, the storage directory to work in.
const cloneChildVar = "DCLONE_TEST_CLONE_CHILD"

// The test binary is its own child: one run of dclone, which tells of every act.
func init() {
	storage := os.Getenv(cloneChildVar)
	if storage == "" {
		return
	}
	p := clonePair{storage: storage, source: os.Args[1], clone: os.Args[2], opt: childOptions}
	p.opt.At = func(at replay.Point) error {
		_, err := fmt.Println(at)
		return err
	}
	childLimits()
	if _, err := p.run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A child's groups and batches are small, so that there is much to fall between.
var childOptions = session.Options{MaxBatchSize: 40, EidBatch: 1, Jobs: 2}

func childLimits() {
	replay.ReplayLimits = replay.Limits{Txs: 3, Bytes: 1 << 30, After: time.Hour}
	replay.LoadLimits = replay.ReplayLimits
}

// A childRun is how long an uninterrupted run takes, and the number of acts it tells of.
type childRun struct {
	whole time.Duration
	acts  int
}

func (p clonePair) child(t *testing.T) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], p.source, p.clone)
	cmd.Env = append(os.Environ(), cloneChildVar+"="+p.storage)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return cmd, bufio.NewScanner(out)
}

func (p clonePair) uninterrupted(t *testing.T) (run childRun) {
	t.Helper()
	cmd, lines := p.child(t)
	began := time.Now()
	for lines.Scan() {
		run.acts++
	}
	require.NoError(t, cmd.Wait())
	run.whole = time.Since(began)
	return run
}

// killed kills a child: at a random instant, or a moment after one of its acts, often the last, behind which a
// first copy is published.
func (p clonePair) killed(t *testing.T, run childRun) {
	t.Helper()
	cmd, lines := p.child(t)
	if rand.IntN(3) == 0 {
		time.AfterFunc(time.Duration(rand.Int64N(int64(run.whole))), func() { cmd.Process.Kill() })
		for lines.Scan() {
		}
	} else {
		left, wait := rand.IntN(run.acts), time.Millisecond
		if rand.IntN(4) == 0 {
			left, wait = run.acts, 10*time.Millisecond
		}
		for ; left > 0 && lines.Scan(); left-- {
		}
		time.Sleep(time.Duration(rand.Int64N(int64(wait))))
		_ = cmd.Process.Kill() // it may have come to its end
		for lines.Scan() {
		}
	}
	_ = cmd.Wait()
}

// TestCloneKilled kills runs, has Datomic Local open what they leave, and runs again. Local sees no clone, or one
// that ends with some transaction of the uninterrupted one; the rerun makes the same bytes.
func TestCloneKilled(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "random", "clone")
	p := newClonePair(t, jvm)
	large := `(tx! c (for [i (range 3)] {:r/tags (keyword (str "k" i (apply str (repeat 600000 "x"))))}))`
	p.create(t, `(random/schema! c) (random/txs! c 1 100)
		(tx! c (for [i (range 600)] {:db/id (str i) :r/n i :r/ref (str (quot i 2))}))`+large+`(random/txs! c 2 20)`)
	p.release(t, p.source)
	p.copyDatabase(t, p.source, "later")
	later := p
	later.source = "later"
	later.grow(t, `(random/txs! c 3 40)`+strings.Repeat(large, 3)+`(random/txs! c 4 40)`)
	p.opt, later.opt = childOptions, childOptions

	first := p.uninterrupted(t)
	p.copyDatabase(t, p.clone, "clone-later")
	next := later.to("clone-later", childOptions).uninterrupted(t)
	rounds := 10
	if testing.Short() {
		rounds = 4
	}
	for _, what := range []struct {
		name string
		pair clonePair
		from string // the clone to begin with
		want string // the clone of an uninterrupted run
		run  childRun
	}{
		{"first copy", p, "", p.clone, first},
		{"catch-up", later, p.clone, "clone-later", next},
	} {
		tally := map[string]int{}
		log := later.loggedBy(t, what.want)
		for range rounds {
			k := what.pair.to("killed", childOptions)
			require.NoError(t, os.RemoveAll(k.dir(k.clone)))
			if what.from != "" {
				k.copyDatabase(t, what.from, k.clone)
			}
			for range 1 + rand.IntN(2) { // a rerun may be killed, too
				k.killed(t, what.run)
				tally[k.seen(t, log)]++
			}
			k.finish(t)
			require.Equal(t, p.read(t, what.want, "db.log"), p.read(t, k.clone, "db.log"), "db.log after %v", tally)
			require.Equal(t, p.read(t, what.want, "log.idx"), p.read(t, k.clone, "log.idx"), "log.idx after %v", tally)
		}
		t.Logf("%s, %v and %d acts uninterrupted; after a kill Datomic Local met:%s", what.name, what.run.whole, what.run.acts, lines(tally))
		require.Equal(t, log, later.loggedBy(t, "killed"))
	}
	later.to("killed", childOptions).compareDatoms(t, newSourceView(jvm.Dump(t, p.storage, cloneSystem, later.source)), "after all kills")
}

// loggedBy returns a line for each transaction that Datomic Local reads in the log of a database.
func (p clonePair) loggedBy(t *testing.T, db string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "log")
	p.jvm.Eval(t, fmt.Sprintf(`(clone/sum-tx-range (conn %s) %s)`, p.in(db), interop.Str(file)))
	p.release(t, db)
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return b
}

// seen has Datomic Local look at what a kill left, and says what it met. The only thing it may
// fail at is a transaction that is half written.
func (p clonePair) seen(t *testing.T, log []byte) string {
	t.Helper()
	listed := p.jvm.Eval(t, `(boolean (some #{`+interop.Str(p.clone)+`} (list-dbs `+interop.Str(p.storage)+` "dev")))`) == "true"
	_, err := p.jvm.TryEval(`(conn ` + p.in(p.clone) + `)`)
	var ex *interop.Exception
	switch {
	case err == nil:
		require.True(t, listed)
	case !listed:
		require.ErrorAs(t, err, &ex)
		require.Contains(t, ex.Message, "Db not found")
		return "no database"
	default:
		require.True(t, errors.As(err, &ex) && ex.Class == "java.io.EOFException" && p.torn(t), "%v", err)
		return "EOFException, for a torn transaction"
	}
	got := p.loggedBy(t, p.clone)
	require.True(t, bytes.HasPrefix(log, got), "Datomic Local reads another log")
	if len(got) < len(log) {
		return "a part of the transactions"
	}
	return "all transactions"
}

// torn reports whether the clone's log ends within a frame.
func (p clonePair) torn(t *testing.T) bool {
	t.Helper()
	l, err := local.OpenLog(p.dir(p.clone))
	require.NoError(t, err)
	defer l.Close()
	info, err := os.Stat(filepath.Join(p.dir(p.clone), "db.log"))
	require.NoError(t, err)
	return info.Size() > l.End()
}

// finish runs dclone once more, in this process.
func (p clonePair) finish(t *testing.T) {
	t.Helper()
	replayed, loaded := replay.ReplayLimits, replay.LoadLimits
	defer func() { replay.ReplayLimits, replay.LoadLimits = replayed, loaded }()
	childLimits()
	p.must(t)
}

func lines(tally map[string]int) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(tally)) {
		fmt.Fprintf(&b, "\n\t%4d %s", tally[k], k)
	}
	return b.String()
}
