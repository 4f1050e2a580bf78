package session_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/datomic/live"
	destlive "dclone/dest/live"
	"dclone/interop"
	"dclone/replay"
	"dclone/session"
)

// A wave is a source at some time, what a calm run makes of it, and how many acts that run has.
type wave struct {
	src       string
	txs, acts int
}

// waves makes sources, and their calm clones with options.
func (s *liveServer) waves(t *testing.T, opt session.Options) (waves []wave) {
	calm := s.pair(t, "")
	for _, src := range featureSources(t, s.jvm, 2, 5) {
		w := wave{src: src}
		calm.src = src
		opt.At = func(replay.Point) error { w.acts++; return nil }
		calm.must(t, opt)
		calm.check(t)
		w.txs = len(calm.Read(t).Txs)
		waves = append(waves, w)
	}
	return waves
}

// A mortal is a database whose child is killed while a transaction is under way, or soon after.
type mortal struct {
	destlive.DB
	left  atomic.Int64 // transactions until then
	after time.Duration
	pid   int
}

func (m *mortal) Transact(ctx context.Context, data []byte) (live.Report, error) {
	if m.left.Add(-1) == 0 {
		time.AfterFunc(m.after, func() { kill(m.pid) })
	}
	return m.DB.Transact(ctx, data)
}

// kill ends a process as kill -9 does.
func kill(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		p.Kill()
	}
}

// The JVM is killed with kill -9, in the first copy and in the replay: the clone is that of a run without.
func TestLiveKilledJVM(t *testing.T) {
	s := newLiveServer(t)
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	p, killed := s.pair(t, ""), false
	s.release(t, p)
	shared := p.opt.Connect
	p.opt.Settle = 10 * time.Millisecond
	p.opt.Connect = func(ctx context.Context) (*destlive.Connection, error) {
		if killed { // where the first was killed, the shared one goes on
			return shared(ctx)
		}
		killed = true
		child, err := live.Start(ctx, p.target.Child)
		if err != nil {
			return nil, err
		}
		c, err := p.target.ConnectTo(ctx, child, child.Kill)
		if err == nil {
			m := &mortal{DB: c.DB, pid: child.PID(), after: time.Duration(r.IntN(3000)) * time.Microsecond}
			m.left.Store(1 + r.Int64N(20))
			c.DB = m
		}
		return c, err
	}
	for _, w := range s.waves(t, session.Options{}) {
		p.src, killed = w.src, false
		p.must(t, session.Options{})
		require.Len(t, p.Read(t).Txs, w.txs)
		p.check(t)
		s.release(t, p)
	}
}

// The groups of a run that is killed are small: there is much to fall between.
var killedOptions = session.Options{MaxBatchSize: 40}

// liveChild is the process that is killed: one run with a JVM of its own. It tells of the JVM, and of every act.
func liveChild(src, storage, classpath string) {
	*session.LiveLimits = childLimits
	p := placeAt(src, storage, live.Options{Classpath: classpath, JVMOpts: quickJVM})
	p.opt.Connect = func(ctx context.Context) (*destlive.Connection, error) {
		child, err := live.Start(ctx, p.target.Child)
		if err != nil {
			return nil, err
		}
		fmt.Println("JVM", child.PID())
		return p.target.ConnectTo(ctx, child, child.Kill)
	}
	opt := killedOptions
	opt.At = func(at replay.Point) error {
		_, err := fmt.Println(at)
		return err
	}
	if _, err := p.sync(opt); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// killAt runs a child, and kills it soon after it has told of so many acts. Its JVM must end with it.
func (p *livePair) killAt(t *testing.T, act int, after time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0], p.src, p.storage, interop.Classpath(t))
	cmd.Env = append(os.Environ(), childVar+"=live", "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer cmd.Wait()
	defer cmd.Process.Kill()
	jvm := 0
	for lines := bufio.NewScanner(out); act > 0; {
		require.True(t, lines.Scan(), "the run has ended before it was killed")
		if _, err := fmt.Sscanf(lines.Text(), "JVM %d", &jvm); err != nil {
			act--
		}
	}
	time.Sleep(after)
	require.NotZero(t, jvm)
	require.True(t, runs(jvm))
	require.NoError(t, cmd.Process.Kill())
	for deadline := time.Now().Add(10 * time.Second); runs(jvm); time.Sleep(10 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "the JVM has outlived the run")
	}
}

// runs reports whether a process, or a thread of it, has not ended; one that nobody has waited for yet has.
func runs(pid int) bool {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	stat, statErr := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil || statErr != nil {
		p, err := os.FindProcess(pid)
		return err == nil && p.Signal(syscall.Signal(0)) == nil
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z") || len(threads) > 1
}

// The whole of dclone is killed with kill -9, in the first copy and in the replay: the next run ends with the clone of one
// that nothing happened to.
func TestLiveKilled(t *testing.T) {
	s := newLiveServer(t)
	before := *session.LiveLimits
	t.Cleanup(func() { *session.LiveLimits = before })
	*session.LiveLimits = childLimits
	waves := s.waves(t, killedOptions)
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	rounds := 2
	if testing.Short() {
		rounds = 1
	}
	for range rounds {
		p := s.pair(t, "")
		for _, w := range waves {
			p.src = w.src
			s.release(t, p)
			act, after := 1+r.IntN(w.acts-1), time.Duration(r.IntN(3000))*time.Microsecond
			t.Logf("killed %v after act %d of %d", after, act, w.acts)
			p.killAt(t, act, after)
			p.must(t, killedOptions)
			require.Len(t, p.Read(t).Txs, w.txs, "transactions of the clone")
			p.check(t)
		}
	}
}
