package interop

import (
	"bufio"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

//go:embed clj/*.clj demo.clj
var scripts embed.FS

// patience is how long one request may take. It is there for requests that wait for a lock nobody
// lets go of; the slowest thing tests do, indexing a million datoms, stays far below.
const patience = 5 * time.Minute

// A flavor is what a JVM has on its class path.
type flavor struct {
	name    string
	pom     []byte
	heap    string
	scripts []string // loaded before any request
}

var (
	localFlavor = flavor{"Datomic Local", localPom, "512m", []string{"interop"}}
	proFlavor   = flavor{"Datomic Pro", proPom, "1g", []string{"interop", "transactor", "fsbackup", "peer", "pro"}}
)

// A JVM is a child process with Datomic Local in it, or with Datomic Pro too. Its methods may be called from several
// goroutines; requests run one after the other.
//
// The child lives as long as its stdin is open, so it cannot outlive the test process, however that
// ends: it halts in the middle of a request too.
type JVM struct {
	mu     sync.Mutex
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *tail
	broken error // why no request can be made any more
	ended  chan struct{}
}

// An Exception is what a request threw.
type Exception struct {
	Class   string
	Message string
	Data    string // ex-data, as pr-str writes it; "nil" where there is none
	Trace   string
}

func (e *Exception) Error() string {
	if e.Data == "nil" {
		return e.Class + ": " + e.Message
	}
	return e.Class + ": " + e.Message + " " + e.Data
}

// A sharing is the JVM of one flavor that the tests of this process share.
type sharing struct {
	sync.Mutex
	jvm *JVM
	err error
}

var sharedLocal, sharedPro sharing

func (s *sharing) start(t testing.TB, f flavor) *JVM {
	t.Helper()
	s.Lock()
	defer s.Unlock()
	if s.jvm == nil && s.err == nil {
		s.jvm, s.err = launch(f)
	}
	require(t, f, s.err)
	return s.jvm
}

func (s *sharing) close() {
	s.Lock()
	defer s.Unlock()
	if s.jvm != nil {
		s.jvm.Close()
	}
}

// Start answers the JVM with Datomic Local that the tests of this process share, starting it if need be.
func Start(t testing.TB) *JVM {
	t.Helper()
	return sharedLocal.start(t, localFlavor)
}

// StartPro answers the JVM with Datomic Pro and Datomic Local that the tests of this process share, starting
// it if need be.
func StartPro(t testing.TB) *JVM {
	t.Helper()
	return sharedPro.start(t, proFlavor)
}

// Fresh starts a JVM with Datomic Local for t alone, which ends with t.
func Fresh(t testing.TB) *JVM {
	t.Helper()
	return fresh(t, localFlavor)
}

func fresh(t testing.TB, f flavor) *JVM {
	t.Helper()
	jvm, err := launch(f)
	require(t, f, err)
	t.Cleanup(jvm.Close)
	return jvm
}

// Main runs the tests of m, then ends the shared JVMs and waits for them. Without Main they end by
// themselves, a moment after the test process.
func Main(m *testing.M) int {
	code := m.Run()
	sharedLocal.close()
	sharedPro.close()
	return code
}

func require(t testing.TB, f flavor, err error) {
	t.Helper()
	var m missing
	switch {
	case err == nil:
	case errors.As(err, &m) && os.Getenv(requirement) != "1":
		t.Skipf("needs the real %s, but %v", f.name, m)
	default:
		t.Fatalf("start %s: %v", f.name, err)
	}
}

// launch starts a JVM. The server's source goes by environment, so that nothing has to be put on disk
// and stdin is the protocol's from its first byte; all the other scripts are requests.
func launch(f flavor) (*JVM, error) {
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, missing{"java"}
	}
	cp, err := classpath(f)
	if err != nil {
		return nil, err
	}
	server, err := scripts.ReadFile("clj/server.clj")
	if err != nil {
		return nil, err
	}
	heap := "-Xmx" + f.heap
	if h := os.Getenv("DCLONE_INTEROP_HEAP"); h != "" {
		heap = "-Xmx" + h
	}
	cmd := exec.Command(java, heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true",
		"-Dfile.encoding=UTF-8", "-cp", cp, "clojure.main", "-e",
		`(clojure.lang.Compiler/load (java.io.StringReader. (System/getenv "DCLONE_INTEROP_SERVER")) "server.clj" "server.clj")`)
	cmd.Env = append(os.Environ(), "DCLONE_INTEROP_SERVER="+string(server))
	return start(cmd, f.scripts)
}

func start(cmd *exec.Cmd, scripts []string) (*JVM, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	// A pipe of our own: StdoutPipe's would be closed by Wait before the last answer is read.
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	j := &JVM{cmd: cmd, in: in, out: bufio.NewReader(r), stderr: new(tail), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = w, j.stderr
	err = cmd.Start()
	w.Close()
	if err != nil {
		r.Close()
		return nil, err
	}
	go func() {
		cmd.Wait()
		close(j.ended)
	}()
	for _, name := range scripts {
		if err := j.load(name); err != nil {
			j.Kill()
			return nil, fmt.Errorf("load %s.clj: %w\n%s", name, err, j.stderr)
		}
	}
	return j, nil
}

// Eval evaluates the forms in code and answers the printed value of the last one. An exception fails t.
func (j *JVM) Eval(t testing.TB, code string) string {
	t.Helper()
	v, err := j.TryEval(code)
	if err != nil {
		j.fail(t, code, err)
	}
	return v
}

func (j *JVM) fail(t testing.TB, code string, err error) {
	t.Helper()
	var ex *Exception
	if errors.As(err, &ex) {
		t.Fatalf("evaluate %s\n%v\n%s", code, err, ex.Trace)
	}
	t.Fatalf("evaluate %s\n%v\n%s", code, err, j.stderr)
}

// TryEval is Eval for requests that may fail: what the code throws is an *[Exception], any other
// error means that the JVM is gone.
func (j *JVM) TryEval(code string) (string, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return "", j.broken
	}
	timer := time.AfterFunc(patience, j.Kill)
	defer timer.Stop()
	answer, err := j.roundTrip(code)
	if err != nil {
		j.broken = fmt.Errorf("the JVM is gone: %w", err)
		return "", j.broken
	}
	if len(answer) == 1 {
		return answer[0], nil
	}
	return "", &Exception{Class: answer[0], Message: answer[1], Data: answer[2], Trace: answer[3]}
}

// Load makes the definitions of embedded scripts at hand, each in the namespace named as the script is:
// after Load(t, "features"), (features/run-waves! conn) can be called.
func (j *JVM) Load(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := j.load(name); err != nil {
			j.fail(t, name+".clj", err)
		}
	}
}

func (j *JVM) load(name string) error {
	file := name + ".clj"
	src, err := scripts.ReadFile("clj/" + file)
	if err != nil {
		src, err = scripts.ReadFile(file)
	}
	if err != nil {
		return err
	}
	_, err = j.TryEval("(interop.server/load-once " + Str(file) + " " + Str(string(src)) + ")")
	return err
}

// Close ends the JVM and waits for it. What it had open is let go of, as by any process that ends.
func (j *JVM) Close() {
	j.in.Close()
	select {
	case <-j.ended:
	case <-time.After(10 * time.Second):
		j.Kill()
	}
}

// Kill ends the JVM at once, as kill -9 does, and waits for it. A request under way answers an error.
func (j *JVM) Kill() {
	j.cmd.Process.Kill()
	<-j.ended
}

// Str answers s as a Clojure string literal.
func Str(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
