//go:build unix

package live_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/datomic/live"
)

// program puts a program of the shell on the path, which has nothing else.
func program(t *testing.T, bin, name, script string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script), 0o755))
}

func TestClasspath(t *testing.T) {
	bin, dir, cache := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv("PATH", bin)
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	t.Setenv(live.ClasspathVariable, "")
	find := func(given string) (string, error) { return live.Classpath(t.Context(), given, dir) }
	write := func(file, text string) string {
		path := filepath.Join(dir, file)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		return path
	}

	_, err := find("")
	var missing *live.MissingError
	require.ErrorAs(t, err, &missing)
	for _, part := range []string{"--datomic-classpath", live.ClasspathVariable, "deps.edn", "com.datomic/local", "com.datomic/peer"} {
		require.ErrorContains(t, err, part)
	}
	cp, err := find("a.jar")
	require.NoError(t, err)
	require.Equal(t, "a.jar", cp)
	t.Setenv(live.ClasspathVariable, "b.jar")
	cp, err = find("")
	require.NoError(t, err)
	require.Equal(t, "b.jar", cp)
	t.Setenv(live.ClasspathVariable, "")

	write("pom.xml", "<project/>")
	_, err = find("")
	require.ErrorAs(t, err, &missing)
	require.ErrorContains(t, err, "no mvn")

	jar := write("local.jar", "")
	program(t, bin, "mvn", `for a in "$@"; do case "$a" in -Dmdep.outputFile=*) printf %s "`+jar+`" > "${a#*=}";; esac; done; echo run >> "`+dir+`/runs"`)
	for range 3 {
		cp, err = find("")
		require.NoError(t, err)
		require.Equal(t, jar, cp)
	}
	runs, err := os.ReadFile(filepath.Join(dir, "runs"))
	require.NoError(t, err)
	require.Equal(t, "run\n", string(runs), "it is resolved once")
	write("pom.xml", "<project><!-- another --></project>")
	_, err = find("")
	require.NoError(t, err)
	runs, err = os.ReadFile(filepath.Join(dir, "runs"))
	require.NoError(t, err)
	require.Equal(t, "run\nrun\n", string(runs))

	write("deps.edn", "{}")
	program(t, bin, "clojure", `[ "$1" = -Spath ] && echo "src:`+jar+`"`)
	cp, err = find("")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "src")+":"+jar, cp)

	write("deps.edn", "{:broken")
	program(t, bin, "clojure", `echo "Error building classpath. EOF while reading" >&2; exit 1`)
	_, err = find("")
	require.ErrorContains(t, err, "EOF while reading")
}
