package live

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// Options say how a child is started.
type Options struct {
	Classpath string            // see Classpath
	JVMOpts   []string          // after dclone's own, so that another -Xmx counts
	Log       func(line string) // takes what the child prints; it may be nil
}

// A Child is a JVM with a library of Datomic's in it. Its methods, and those of its DBs, may be
// called from several goroutines.
type Child struct {
	cmd    *exec.Cmd
	stdin  *os.File
	stdout *os.File
	stderr tail
	loads  sync.Mutex // files of the bridge are loaded one after the other
	code   compiled   // as loads allows

	requests chan []byte   // to the goroutine that writes them
	exited   chan struct{} // the process has ended
	quiet    chan struct{} // and all that it printed was read
	gone     chan struct{} // no request can be made any more; err says why

	mu     sync.Mutex
	calls  map[int64]*call
	nextID int64
	loaded map[string]bool // files of the bridge
	cause  error           // why it was ended
	err    error
}

// patience is how long a child may take to end once its stdin has.
const patience = 5 * time.Second

// Start starts a child and waits until it is ready. The error is a *MissingError where there is
// no Java, and where the class path has no Clojure.
func Start(ctx context.Context, opt Options) (*Child, error) {
	java, err := findJava()
	if err != nil {
		return nil, err
	}
	code := findCompiled(java, opt.Classpath)
	c, err := start(ctx, exec.Command(java, javaArgs(code.before(opt.Classpath), opt.JVMOpts)...), opt.Log)
	if err != nil {
		code.drop()
		return nil, err
	}
	c.code = code
	return c, nil
}

func start(ctx context.Context, cmd *exec.Cmd, log func(string)) (*Child, error) {
	text, err := bootText()
	if err != nil {
		return nil, err
	}
	c := &Child{cmd: cmd, stderr: tail{log: log}, requests: make(chan []byte), exited: make(chan struct{}),
		quiet: make(chan struct{}), gone: make(chan struct{}), calls: map[int64]*call{}, loaded: map[string]bool{}}
	ready := c.register(0)
	if err := c.run(); err != nil {
		return nil, fmt.Errorf("start JVM: %w", err)
	}
	c.requests <- text
	if _, err := c.wait(ctx, ready); err != nil {
		c.Kill()
		if c.stderr.mentions("clojure.main") {
			err = &MissingError{"the class path has no Clojure, nor a library of Datomic's; " + Coordinates}
		}
		return nil, fmt.Errorf("start JVM: %w", err)
	}
	return c, nil
}

// run starts the process and the goroutines that serve it, which end with it.
func (c *Child) run() error {
	var theirs [3]*os.File
	pipe := func(i int) (ours *os.File, err error) {
		r, w, err := os.Pipe()
		if i == 0 {
			r, w = w, r
		}
		theirs[i] = w
		return r, err
	}
	var ours [3]*os.File
	var err error
	for i := range ours {
		if ours[i], err = pipe(i); err != nil {
			break
		}
	}
	if err == nil {
		c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = theirs[0], theirs[1], theirs[2]
		c.cmd.SysProcAttr = attributes()
		err = c.launch()
	}
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		for _, f := range ours {
			f.Close()
		}
		return err
	}
	c.stdin, c.stdout = ours[0], ours[1]
	go func() {
		c.stderr.read(ours[2])
		ours[2].Close()
		close(c.quiet)
	}()
	go c.send()
	go c.receive()
	return nil
}

// launch starts the process. The thread that does so stays until the process has ended: were it to end
// before, Linux would take that for the death of the parent.
func (c *Child) launch() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.cmd.Start()
		started <- err
		if err == nil {
			c.cmd.Wait()
			close(c.exited)
		}
	}()
	return <-started
}

// send writes requests.
func (c *Child) send() {
	defer c.stdin.Close()
	for {
		select {
		case b := <-c.requests:
			if _, err := c.stdin.Write(b); err != nil {
				c.end(nil) // that it is gone tells more than that its pipe is
				return
			}
		case <-c.gone:
			return
		}
	}
}

// receive reads answers, and in the end tells everybody that there will be no more.
func (c *Child) receive() {
	defer c.stdout.Close()
	r := bufio.NewReaderSize(c.stdout, 64<<10)
	var err error
	for err == nil {
		var frame []byte
		if frame, err = readFrame(r, takeBuffer()); err == nil {
			err = c.dispatch(frame)
		}
	}
	var bad *frameError
	if errors.As(err, &bad) {
		c.end(bad)
	} else {
		c.end(nil)
	}
	<-c.exited
	select {
	case <-c.quiet:
	case <-time.After(time.Second): // something it has started holds its stderr
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = c.epitaph()
	close(c.gone)
}

// epitaph says why the child is gone, as the mutex allows.
func (c *Child) epitaph() error {
	if errors.Is(c.cause, ErrClosed) {
		return ErrClosed
	}
	cause := c.cause
	if cause == nil {
		cause = errors.New(c.cmd.ProcessState.String())
	}
	if c.stderr.mentions("java.lang.OutOfMemoryError") {
		cause = fmt.Errorf("its memory is exhausted, give it more with --jvm-opts -Xmx…: %w", cause)
	}
	return &GoneError{Cause: cause, Stderr: c.stderr.last()}
}

// end ends the process for a cause, nil where it ends of itself.
func (c *Child) end(cause error) {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = cause
	}
	c.mu.Unlock()
	if cause == nil {
		// Its pipes are closed: it has ended, is about to, or cannot be talked to.
		select {
		case <-c.exited:
			return
		case <-time.After(time.Second):
		}
	}
	c.cmd.Process.Kill()
}

// Close has the child end and waits for it. What is under way fails.
func (c *Child) Close() error {
	c.mu.Lock()
	if c.cause == nil && c.err == nil {
		c.cause = ErrClosed
	}
	c.mu.Unlock()
	c.stdin.Close()
	select {
	case <-c.gone:
	case <-time.After(patience):
		c.Kill()
	}
	c.tidy()
	return nil
}

// Kill ends the child at once and waits for it.
func (c *Child) Kill() {
	c.end(ErrClosed)
	<-c.gone
	c.tidy()
}

// tidy leaves nothing behind of a child that is gone.
func (c *Child) tidy() {
	c.loads.Lock()
	defer c.loads.Unlock()
	c.code.drop()
}

// PID returns the id of the child's process.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Done is closed when the child is gone.
func (c *Child) Done() <-chan struct{} { return c.gone }

// Err returns why the child is gone, nil while it is not: ErrClosed or a *GoneError.
func (c *Child) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

var _ io.Closer = (*Child)(nil)
