package pgtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long the server may take to begin and to end.
const patience = 30 * time.Second

// requirement is the environment variable that turns skips into failures.
const requirement = "DCLONE_REQUIRE_INTEROP"

// script makes a server in $2 with the programs in $1 and runs it on port $3 until its stdin is closed,
// which the end of the test process does, even if that was killed.
const script = `
trap '' INT TERM HUP
"$1/initdb" -D "$2/data" -U postgres -E UTF8 --locale=C -N --auth-local=trust --auth-host=scram-sha-256 >"$2/log" 2>&1 || exit 1
"$1/postgres" -D "$2/data" -k "$2" -p "$3" -h 127.0.0.1 -F -c full_page_writes=off -c max_connections=60 \
	-c wal_level=minimal -c max_wal_senders=0 -c shared_buffers=32MB >>"$2/log" 2>&1 </dev/null &
server=$!
while read -r _; do :; done
kill -QUIT $server 2>/dev/null
wait $server
rm -rf "$2"
`

// A Server is a PostgreSQL that is running.
type Server struct {
	Port int
	dir  string

	made  atomic.Int64 // databases
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{}
}

var shared struct {
	sync.Mutex
	server *Server
	err    error
}

// Start answers the server that the tests of this process share, starting it if need be.
func Start(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = launch()
	}
	var m missing
	switch err := shared.err; {
	case err == nil:
	case errors.As(err, &m) && os.Getenv(requirement) != "1":
		t.Skipf("needs a real PostgreSQL, but %v", m)
	default:
		t.Fatalf("start PostgreSQL: %v", err)
	}
	return shared.server
}

// Main runs the tests of m, then ends the server and waits for it. Without Main the server ends by
// itself, a moment after the test process.
func Main(m *testing.M) int {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		shared.server.close()
		shared.server = nil
	}
	return code
}

// missing is what has to be installed.
type missing string

func (m missing) Error() string { return string(m) }

// bin finds the programs of the newest PostgreSQL.
func bin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		path, err := exec.LookPath("postgres")
		if err != nil {
			return "", missing("there is none in /usr/lib/postgresql nor on the PATH: apt-get install postgresql")
		}
		return filepath.Dir(path), nil
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) })
	return filepath.Dir(newest), nil
}

func launch() (*Server, error) {
	bin, err := bin()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{Port: port, dir: dir, ended: make(chan struct{})}
	s.cmd = exec.Command("sh", "-c", script, "sh", bin, dir, strconv.Itoa(port))
	s.cmd.Dir = "/"
	if err := asPostgres(s.cmd, dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.cmd.Wait()
		close(s.ended)
	}()
	if err := s.prepare(); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		s.close()
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, log), os.RemoveAll(dir))
	}
	return s, nil
}

// freePort answers a port of the loopback that nobody listens on at this moment.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// prepare waits for the server and makes the role that owns the databases.
func (s *Server) prepare() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		_, err := s.admin(ctx, "create role datomic login password 'datomic'")
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return err
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// admin runs statements as the superuser; the answer is the first column of the last one's first row.
func (s *Server) admin(ctx context.Context, statements ...string) (string, error) {
	conn, err := pgx.Connect(ctx, fmt.Sprintf("host=%s port=%d user=postgres dbname=postgres sslmode=disable", s.dir, s.Port))
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var answer string
	for _, statement := range statements {
		results, err := conn.PgConn().Exec(ctx, statement).ReadAll()
		if err != nil {
			return "", fmt.Errorf("%s: %w", strings.Fields(statement)[0], err)
		}
		if last := results[len(results)-1]; len(last.Rows) > 0 {
			answer = string(last.Rows[0][0])
		}
	}
	return answer, nil
}

// close ends the server and waits for it.
func (s *Server) close() {
	s.stdin.Close()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.cmd.Process.Kill()
	}
}
