package kvs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dclone/store/pgtest"
)

// bare takes away what libpq would read of this machine.
func bare(t *testing.T) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "PG") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("PGUSER", "os-user")
}

// where says where a configuration leads.
func where(t *testing.T, url string) string {
	t.Helper()
	target, err := parseURL(url)
	require.NoError(t, err, url)
	cfg, err := target.config()
	require.NoError(t, err, url)
	c := cfg.ConnConfig
	require.Equal(t, "dclone", c.RuntimeParams["application_name"])
	hosts := []string{fmt.Sprintf("%s:%d", c.Host, c.Port)}
	for _, f := range c.Fallbacks {
		hosts = append(hosts, fmt.Sprintf("%s:%d", f.Host, f.Port))
	}
	return fmt.Sprintf("%s:%s@%s/%s", c.User, c.Password, strings.Join(slices.Compact(hosts), ","), c.Database)
}

func TestJDBC(t *testing.T) {
	bare(t)
	for _, c := range []struct{ url, want string }{
		{"jdbc:postgresql://h:5599/datomic?user=u&password=p&sslmode=disable", "u:p@h:5599/datomic"},
		{"jdbc:postgresql://h/datomic?user=u&password=p&ssl=false&sslmode=disable", "u:p@h:5432/datomic"},
		{"jdbc:postgresql://h/d?sslmode=DISABLE&user=a%26b&password=p%25%27+%5C%2B%C3%BC", `a&b:p%' \+ü@h:5432/d`},
		{"jdbc:postgresql://a,b:1,[::1]:2,[fe80::2]/d?user=u&sslmode=disable", "u:@a:5432,b:1,::1:2,fe80::2:5432/d"},
		{"jdbc:postgresql:d?user=u&sslmode=disable", "u:@localhost:5432/d"},
		{"jdbc:postgresql:/?user=u&sslmode=disable", "u:@localhost:5432/"},
		{"jdbc:postgresql:///d%20e?user=u&sslmode=disable", "u:@localhost:5432/d e"},
		{"jdbc:postgresql://h/d?sslmode=disable", "os-user:@h:5432/d"},
		{"jdbc:postgresql://h/d?sslmode=disable&loggerLevel=OFF&reWriteBatchedInserts=true&no.such=1&&flag", "os-user:@h:5432/d"},
	} {
		require.Equal(t, c.want, where(t, c.url), c.url)
	}
}

// What the URL leaves out comes from where libpq looks.
func TestEnvironment(t *testing.T) {
	bare(t)
	pass := filepath.Join(t.TempDir(), "pgpass")
	require.NoError(t, os.WriteFile(pass, []byte("h:5432:d:u:from-pgpass\n"), 0o600))
	t.Setenv("PGPASSFILE", pass)
	require.Contains(t, where(t, "jdbc:postgresql://h/d?user=u&sslmode=disable"), "u:from-pgpass@h")
	t.Setenv("PGPASSWORD", "from-env")
	t.Setenv("PGHOST", "env-host")
	t.Setenv("PGPORT", "7")
	require.Contains(t, where(t, "jdbc:postgresql:d?sslmode=disable"), "os-user:from-env@env-host:7/d")
	require.Contains(t, where(t, "jdbc:postgresql://h/d?sslmode=disable&password=from-url"), "os-user:from-url@h:7/d")
	require.Contains(t, where(t, "jdbc:postgresql://h,[::1]/d?sslmode=disable"), "@h:7,::1:7/d")
	require.Contains(t, where(t, "jdbc:postgresql://h:8,g/d?sslmode=disable"), "@h:8,g:5432/d")
	for attrs := range map[string]bool{"read-write": true, "read-only": true, "any": true} {
		t.Setenv("PGTARGETSESSIONATTRS", attrs)
		where(t, "jdbc:postgresql://h/d?sslmode=disable")
	}
}

func TestEncryption(t *testing.T) {
	bare(t)
	mode := func(url string) string {
		target, err := parseURL(url)
		require.NoError(t, err)
		cfg, err := target.config()
		require.NoError(t, err, url)
		switch c := cfg.ConnConfig; {
		case c.TLSConfig == nil && len(c.Fallbacks) == 0:
			return "disable"
		case c.TLSConfig == nil:
			return "allow"
		case len(c.Fallbacks) > 0:
			return "prefer"
		case c.TLSConfig.InsecureSkipVerify && c.TLSConfig.VerifyPeerCertificate == nil:
			return "require"
		case c.TLSConfig.InsecureSkipVerify:
			return "verify-ca"
		}
		return "verify-full"
	}
	for _, c := range []struct{ params, want string }{
		{"", "prefer"}, {"ssl=true", "verify-full"}, {"ssl", "verify-full"}, {"ssl=false", "prefer"}, {"ssl=true&sslmode=require", "require"},
		{"sslmode=disable", "disable"}, {"sslmode=allow", "allow"}, {"sslmode=verify-ca", "verify-ca"}, {"sslmode=Verify-Full", "verify-full"},
		{"ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory", "require"},
		{"sslmode=verify-full&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory", "verify-full"},
	} {
		require.Equal(t, c.want, mode("jdbc:postgresql://h/d?"+c.params), c.params)
	}
}

func TestParameters(t *testing.T) {
	bare(t)
	config := func(params string) *pgx.ConnConfig {
		target, err := parseURL("jdbc:postgresql://h/d?sslmode=disable&" + params)
		require.NoError(t, err)
		cfg, err := target.config()
		require.NoError(t, err)
		return cfg.ConnConfig
	}
	c := config("currentSchema=a,b&options=-c%20x=1&connectTimeout=7")
	require.Equal(t, "a,b", c.RuntimeParams["search_path"])
	require.Equal(t, "-c x=1", c.RuntimeParams["options"])
	require.Equal(t, "7s", c.ConnectTimeout.String())
	require.Equal(t, "on", c.RuntimeParams["default_transaction_read_only"])
	require.Equal(t, pgx.QueryExecModeCacheStatement, c.DefaultQueryExecMode)
	c = config("prepareThreshold=0")
	require.Equal(t, pgx.QueryExecModeExec, c.DefaultQueryExecMode)
	require.Empty(t, c.RuntimeParams["default_transaction_read_only"], "a pooler would refuse it")
	for server, has := range map[string]bool{"primary": true, "master": true, "secondary": true, "preferSecondary": true, "any": false} {
		require.Equal(t, has, config("targetServerType="+server).ValidateConnect != nil, server)
	}
}

// The sessions can write nothing, except where this package means to.
func TestReadOnly(t *testing.T) {
	url, dsn := pgtest.Start(t).Database(t)
	s, err := Connect(t.Context(), url)
	require.NoError(t, err)
	defer s.Close()
	const id = "6b012fb3-0000-4000-8000-000000000001"
	_, err = s.pool.Exec(t.Context(), "insert into datomic_kvs values ('x', 1, '{}', null)")
	require.Equal(t, "25006", code(err), "%v", err)
	require.NoError(t, s.PutSegments(t.Context(), []string{id}, [][]byte{{1}}))
	_, err = s.pool.Exec(t.Context(), "delete from datomic_kvs")
	require.Equal(t, "25006", code(err), "%v", err)
	require.Equal(t, [][]string{{id}}, pgtest.Exec(t, dsn, "select id from datomic_kvs"))
	require.NotEmpty(t, pgtest.Exec(t, dsn, "select 1 from pg_stat_activity where application_name = 'dclone'"))
}

const secret = "hunter2x"

// bad are URLs that cannot be used; each holds the secret.
var bad = []struct{ url, why string }{
	{"jdbc:mysql://h/d?user=u&password=hunter2x", "begin with jdbc:postgresql"},
	{"postgresql://u:hunter2x@h/d", "begin with jdbc:postgresql"},
	{"", "begin with"},
	{"jdbc:postgresql://u:hunter2x@h/d", "?user="},
	{"jdbc:postgresql://h:hunter2x/d", "port of host 1"},
	{"jdbc:postgresql://h,g:0/d?password=hunter2x", "port of host 2"},
	{"jdbc:postgresql://h:65536/d?password=hunter2x", "port of host 1"},
	{"jdbc:postgresql://h,/d?password=hunter2x", "host 2"},
	{"jdbc:postgresql://h/d%zz?password=hunter2x", "badly escaped"},
	{"jdbc:postgresql://h/d;password=hunter2x", "question mark"},
	{"jdbc:postgresql://h/d&password=hunter2x", "question mark"},
	{"jdbc:postgresql://h/d?password=hunter2x%", "parameter 1, password, is badly escaped: %25 stands for a percent sign"},
	{"jdbc:postgresql://h/d?password=hunter2x%00", "parameter 1, password, is badly escaped"},
	{"jdbc:postgresql://h/d?a&hunter2x%x=1", "parameter 2 is badly escaped"},
	{"jdbc:postgresql://h/d?password=hunter2x&sslmode=hunter2x", "sslmode is invalid"},
	{"jdbc:postgresql://h/d?password=hunter2x&sslrootcert=/no/such", "no such file"},
	{"jdbc:postgresql://h/d?password=hunter2x&connectTimeout=soon", ""},
	{"jdbc:postgresql://h/d?password=hunter2x&socketFactory=com.x.hunter2x", "socketFactory"},
	{"jdbc:postgresql://h/d?password=hunter2x&sslfactory=com.x.hunter2x", "sslfactory"},
	{"jdbc:postgresql://h/d?password=hunter2x&gssEncMode=require", "gssEncMode"},
	{"jdbc:postgresql://h/d?password=hunter2x&authenticationPluginClassName=x", "authenticationPluginClassName"},
	{"jdbc:postgresql://h/d?password=hunter2x&targetServerType=hunter2x", "targetServerType"},
	{"jdbc:postgresql://h/d?password=hunter2x&channelBinding=hunter2x", ""},
	{"jdbc:postgresql://h/d?password=hunter2x&requireAuth=hunter2x", ""},
	{"jdbc:postgresql://h/d?password=hunter2x&service=hunter2x", ""},
}

func TestRefuses(t *testing.T) {
	bare(t)
	for _, c := range bad {
		s, err := Connect(t.Context(), c.url)
		require.Error(t, err, c.url)
		require.Nil(t, s)
		var address *AddressError
		require.ErrorAs(t, err, &address, c.url)
		require.ErrorContains(t, err, c.why)
		for e := err; e != nil; e = errors.Unwrap(e) {
			require.NotContains(t, fmt.Sprintf("%v %+v %#v", e, e, e), secret, c.url)
		}
	}
}

func FuzzJDBC(f *testing.F) {
	for _, c := range bad {
		f.Add(c.url)
	}
	f.Add("jdbc:postgresql://a,b:1,[::1]:2/d?user=u&password=hunter2x&ssl=true&currentSchema=x&targetServerType=primary")
	f.Fuzz(func(t *testing.T, url string) {
		target, err := parseURL(url)
		if err != nil {
			return
		}
		_, _ = target.settings()
		again, err := parseURL(target.String())
		require.NoError(t, err, "%q", target)
		require.Equal(t, target.hosts, again.hosts)
		require.Equal(t, target.database, again.database)
		require.Empty(t, again.params)
	})
}

func FuzzRows(f *testing.F) {
	f.Add([]byte(`{"a" {:db-id "a-1"}, :datomic/deleted #{"b-1"}}`))
	f.Add([]byte(`{:d/r "6b012e71-4116-4a92-9b51-941fc673b950", :d/v "7277", :d/l 3, :tail "6b012e71-ed0d-45a9-aa4a-1196b53c7193"}`))
	f.Add([]byte(`{:prev "pod-coord"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := parseCatalog(b); err == nil {
			c.databases()
			c.deleted()
			more, added, err := c.with("new name", "new-1")
			if err == nil && added {
				_, err := more.find("new name")
				require.NoError(t, err)
			}
		}
		text := string(b)
		m, err := parseMap("x", &text)
		if err != nil {
			return
		}
		for _, key := range []string{"tail", "prev", "key"} {
			id, err := m.segment("x", "", key)
			require.True(t, err != nil || id == "" || segmentID.MatchString(id))
		}
	})
}
