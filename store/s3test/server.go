package s3test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A Server is a running gateway. It ends with the test process, however that ends.
type Server struct {
	Endpoint             string
	AccessKey, SecretKey string

	dir string // of the buckets
}

var shared struct {
	sync.Mutex
	server  *Server
	err     error
	buckets int
}

// Start returns the server that the tests of this process share, starting it if need be.
func Start(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = start()
	}
	switch err := shared.err; {
	case err == nil:
	case os.Getenv("DCLONE_REQUIRE_INTEROP") == "1":
		t.Fatalf("no S3 server: %v", err)
	default:
		t.Skipf("no S3 server: %v", err)
	}
	return shared.server
}

// Bucket makes a bucket for t, and returns its name.
func (s *Server) Bucket(t testing.TB) string {
	t.Helper()
	shared.Lock()
	shared.buckets++
	name := fmt.Sprintf("bucket-%d", shared.buckets)
	shared.Unlock()
	require.NoError(t, os.Mkdir(filepath.Join(s.dir, name), 0o755))
	t.Cleanup(func() { os.RemoveAll(filepath.Join(s.dir, name)) })
	return name
}

// Env is the environment that leads a client to the server, and to no credentials but the server's.
func (s *Server) Env() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + s.Endpoint, "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=" + s.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s.SecretKey,
		"AWS_ACCESS_KEY=", "AWS_SECRET_KEY=", "AWS_SESSION_TOKEN=", "AWS_PROFILE=", "AWS_ENDPOINT_URL_S3=",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
	}
}

// Setenv makes Env that of t.
func (s *Server) Setenv(t testing.TB) {
	for _, e := range s.Env() {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
}

// startAttempts is for ports that others take between our look and the gateway's.
const startAttempts = 3

func start() (s *Server, err error) {
	program, err := gateway()
	if err != nil {
		return nil, err
	}
	for range startAttempts {
		if s, err = launch(program); err == nil {
			return s, nil
		}
	}
	return nil, err
}

// launch runs the gateway below a shell that removes it, and its directory, when our end of its input
// closes: that happens even if this process is killed.
func launch(program string) (*Server, error) {
	dir, err := os.MkdirTemp("", "dclone-s3test-")
	if err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &Server{Endpoint: "http://" + address, AccessKey: "access", SecretKey: "a-secret-key", dir: filepath.Join(dir, "buckets")}
	if err := os.Mkdir(s.dir, 0o755); err != nil {
		return nil, err
	}
	cmd := exec.Command("sh", "-c", `"$@" </dev/null & read -r line; kill -9 $!; wait; rm -rf "$0"`, dir,
		program, "--quiet", "--port", address, "posix", s.dir)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := s.await(); err != nil {
		said, _ := os.ReadFile(log.Name())
		in.Close()
		cmd.Wait()
		return nil, fmt.Errorf("start %s: %w: %s", program, err, bytes.TrimSpace(said))
	}
	keep = append(keep, in)
	return s, nil
}

// keep are pipes that must not be closed by the garbage collector.
var keep []io.Closer

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// patience is how long a gateway may take to answer.
const patience = 20 * time.Second

// await waits for the answer of an S3 server, which is to refuse a request without a signature.
func (s *Server) await() error {
	client := http.Client{Timeout: time.Second}
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		r, err := client.Get(s.Endpoint)
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusForbidden {
				return nil
			}
			err = fmt.Errorf("it answers %s", r.Status)
		}
		if time.Now().After(end) {
			return err
		}
	}
}
