package session_test

import (
	"bufio"
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

	"dclone"
	"dclone/fressian"
	"dclone/historytest"
	"dclone/historytest/seeds"
	"dclone/interop"
	"dclone/replay"
	"dclone/session"
	"dclone/state"
)

const childVar = "DCLONE_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childVar) {
	case "":
	case "live":
		liveChild(os.Args[1], os.Args[2], os.Args[3])
	default:
		child(pair{os.Args[1], os.Args[2]})
	}
	code := interop.Main(m)
	if served.child != nil {
		served.child.Close()
	}
	if features.dir != "" {
		os.RemoveAll(features.dir)
	}
	os.Exit(code)
}

// The child's groups and batches are small: there is much to fall between.
var (
	childLimits  = replay.Limits{Txs: 6, Bytes: 1 << 30, After: time.Hour}
	childOptions = session.Options{MaxBatchSize: 40, EidBatch: 1, Jobs: 2}
)

// child is the process that is killed: one run, said to begin. It tells of every act.
func child(p pair) {
	replay.ReplayLimits, replay.LoadLimits = childLimits, childLimits
	fmt.Println("begin")
	opt := childOptions
	opt.At = func(at replay.Point) error {
		_, err := fmt.Println(at)
		return err
	}
	opt.Progress = func(p session.Progress) {
		if p.Phase == state.Publishing {
			fmt.Println(p.Phase)
		}
	}
	if _, err := p.sync(opt); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// start runs a child and returns when it begins, with the acts it tells of.
func (p pair) start(t testing.TB) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], p.src, p.dst)
	cmd.Env = append(os.Environ(), childVar+"=1", "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	require.Equal(t, "begin", lines.Text())
	return cmd, lines
}

// A tally counts what kills fell into.
type tally map[string]int

func (c tally) String() string {
	s := ""
	for _, k := range slices.Sorted(maps.Keys(c)) {
		s += fmt.Sprintf("\n\t%4d %s", c[k], k)
	}
	return s
}

// look notes what a kill left, and makes sure that real Datomic Local could look, too.
func (c tally) look(t testing.TB, p pair) {
	t.Helper()
	if _, err := os.Stat(p.dst); err != nil {
		c["nothing there yet"]++
		return
	}
	if seen(t, p.dst) {
		c["db.log torn"]++
	}
	idx, errIdx := os.Stat(filepath.Join(p.dst, "log.idx"))
	if log, err := os.ReadFile(filepath.Join(p.dst, "db.log")); err == nil && errIdx == nil {
		if txs, _ := historytest.Split(log); idx.Size()/8 > int64(len(txs)) {
			c["log.idx an entry ahead"]++
		}
	}
	if log, err := os.ReadFile(filepath.Join(p.dst, "db.log.loading")); err == nil {
		if _, err := historytest.Split(log); err != nil {
			c["db.log.loading torn"]++
		}
	}
	if roots, _ := filepath.Glob(filepath.Join(p.dst, "db-root-*")); len(roots) > 0 {
		c["db-root there"]++
	}
	st, err := state.Open(p.sidecar())
	if err != nil {
		require.ErrorIs(t, err, state.ErrNone)
		c["no sidecar"]++
		return
	}
	defer func() { require.NoError(t, st.Close()) }()
	pos, err := st.Position()
	require.NoError(t, err)
	c[fmt.Sprintf("phase %s, map stored %v", pos.Phase, pos.Mapped)]++
	intent, err := st.Intent()
	require.NoError(t, err)
	if intent == nil {
		return
	}
	c["intent open"]++
	if log, err := os.Stat(filepath.Join(p.dst, "db.log")); err == nil {
		length := pos.Clone.Length
		for _, f := range intent.Frames {
			length += f.Length
		}
		switch {
		case log.Size() == pos.Clone.Length:
			c["intent open, nothing written"]++
		case log.Size() == length:
			c["intent open, all written"]++
		default:
			c["intent open, a part written"]++
		}
	}
}

// A course is how long a run takes, and the acts it tells of.
type course struct {
	whole time.Duration
	acts  []string
}

// timed runs a child to its end.
func (p pair) timed(t *testing.T) (c course) {
	t.Helper()
	cmd, lines := p.start(t)
	began := time.Now()
	for lines.Scan() {
		c.acts = append(c.acts, lines.Text())
	}
	require.NoError(t, cmd.Wait())
	c.whole = time.Since(began)
	return c
}

// killed runs children and kills each, the last run excepted: at a random instant, or as soon
// as it tells of one of its acts, which falls into what the act does.
func (p pair) killed(t *testing.T, c tally, r *rand.Rand, run course, kills int) {
	t.Helper()
	for range kills {
		cmd, lines := p.start(t)
		switch n := r.IntN(6); {
		case n < 3:
			delay := time.Duration(r.Int64N(int64(run.whole) / int64(min(kills, 3))))
			time.AfterFunc(delay, func() { cmd.Process.Kill() })
			for lines.Scan() {
			}
		case n < 5 || !slices.Contains(run.acts, string(state.Publishing)):
			for left := r.IntN(len(run.acts) / min(kills, 3)); left > 0 && lines.Scan(); left-- {
			}
			time.Sleep(time.Duration(r.IntN(300)) * time.Microsecond)
		default:
			for lines.Scan() && lines.Text() != string(state.Publishing) {
			}
			time.Sleep(time.Duration(r.IntN(20_000)) * time.Microsecond)
		}
		_ = cmd.Process.Kill() // it may have come to its end
		if err := cmd.Wait(); err == nil {
			c["came to its end before the kill"]++
		}
		c["kills"]++
		c.look(t, p)
	}
	replayed, loaded := replay.ReplayLimits, replay.LoadLimits
	defer func() { replay.ReplayLimits, replay.LoadLimits = replayed, loaded }()
	replay.ReplayLimits, replay.LoadLimits = childLimits, childLimits
	p.must(t, childOptions)
	seen(t, p.dst)
}

// large appends transactions so large that a kill can fall within the writing of one.
func large(h *historytest.History) {
	v, err := fressian.Append(nil, strings.Repeat("large ", 200_000))
	if err != nil {
		panic(err)
	}
	for range 2 {
		h.Commit(dclone.Datom{E: 7, A: 63, V: v, Added: true})
		h.Commit(dclone.Datom{E: 7, A: 63, V: v})
	}
}

// Children are killed with SIGKILL while they make a first copy, and while they catch up.
func TestKill(t *testing.T) {
	const rounds = 16
	dir := t.TempDir()
	seed := seeds.Of(t, 1)[0]
	h := historytest.New(t, filepath.Join(dir, "source"), seed)
	h.Step(60)
	h.Grow(15_000)
	large(h)
	h.Step(60)
	early := pair{filepath.Join(dir, "early"), filepath.Join(dir, "clone1")}
	copyDir(t, h.Dir, early.src)
	h.Grow(8_000)
	large(h)
	h.Step(150)
	late := pair{h.Dir, filepath.Join(dir, "clone2")}

	first := early.timed(t)
	early.check(t)
	copyDir(t, early.dst, late.dst)
	next := late.timed(t)
	late.check(t)
	want1, want2 := early.log(t), late.log(t)

	r := rand.New(rand.NewPCG(seed, uint64(time.Now().UnixNano())))
	for _, what := range []struct {
		name string
		src  string
		from string // the clone to begin with
		want [2]string
		run  course
	}{
		{"first copy", early.src, "", want1, first},
		{"catch-up", late.src, early.dst, want2, next},
	} {
		c := tally{}
		for round := range rounds {
			p := pair{what.src, filepath.Join(dir, "killed")}
			require.NoError(t, os.RemoveAll(p.dst))
			if what.from != "" {
				copyDir(t, what.from, p.dst)
			}
			kills := 1
			if round%4 == 3 { // the runs that recover are killed too
				kills = 3
			}
			p.killed(t, c, r, what.run, kills)
			sameLogs(t, what.want, p.log(t), "%s, round %d", what.name, round)
			if round%16 == 15 {
				p.check(t)
			}
		}
		t.Logf("%s, %d rounds, %v uninterrupted:%s", what.name, rounds, what.run.whole, c)
	}
}
