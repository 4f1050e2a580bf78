package pgtest_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/store/pgtest"
)

func TestMain(m *testing.M) {
	if os.Getenv("PGTEST_CHILD") == "" {
		os.Exit(pgtest.Main(m))
	}
	os.Exit(m.Run())
}

func TestDatabase(t *testing.T) {
	s := pgtest.Start(t)
	url, dsn := s.Database(t)
	_, other := s.Database(t)
	require.Contains(t, url, "jdbc:postgresql://127.0.0.1:")
	pgtest.Exec(t, dsn, "insert into datomic_kvs values ('a', 1, '{}', null)")
	require.Equal(t, [][]string{{"a", "1"}}, pgtest.Exec(t, dsn, "select id, rev from datomic_kvs"))
	require.Empty(t, pgtest.Exec(t, other, "select id from datomic_kvs"))
}

// The server ends with the test process, even one that is killed.
func TestEndsWithTheProcess(t *testing.T) {
	if os.Getenv("PGTEST_CHILD") != "" {
		pgtest.Exec(t, pgtest.Start(t).Superuser("x/postgres"), "select 1")
		os.Stdout.WriteString("running " + strings.Fields(pgtest.Start(t).Superuser("x/postgres"))[0] + "\n")
		select {}
	}
	pgtest.Start(t) // skips where there is none
	child := exec.Command(os.Args[0], "-test.run=TestEndsWithTheProcess")
	child.Env = append(os.Environ(), "PGTEST_CHILD=1")
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	dir := strings.TrimSpace(strings.TrimPrefix(line, "running host="))
	require.DirExists(t, filepath.Join(dir, "data"))
	require.NoError(t, child.Process.Kill())
	child.Wait()
	require.Eventually(t, func() bool {
		_, err := os.Stat(dir)
		return os.IsNotExist(err)
	}, 20*time.Second, 20*time.Millisecond, "the server's directory is still there")
}
