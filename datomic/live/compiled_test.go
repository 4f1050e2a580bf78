package live

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/interop"
)

// What a child compiles is kept for those that come later, whatever becomes of the others that were about to.
func TestCompiledIsKept(t *testing.T) {
	cp, cache := interop.Classpath(t), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	all := filepath.Join(cache, "dclone", "compiled")
	kept := func() (names []string) {
		entries, err := os.ReadDir(all)
		require.NoError(t, err)
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	begin := func() *Child {
		c, err := Start(t.Context(), Options{Classpath: cp})
		require.NoError(t, err)
		t.Cleanup(c.Kill)
		return c
	}
	first, idle := begin(), begin()
	require.Len(t, kept(), 2)
	idle.Kill()
	require.Len(t, kept(), 1)
	late := findCompiled("java", cp)
	late.dir = first.code.dir
	_, err := first.Databases(t.Context(), ClientAPI, `{:server-type :datomic-local :storage-dir :mem :system "x"}`)
	require.NoError(t, err)
	require.Error(t, os.Rename(late.into, late.dir), "what another child has made stays")
	late.drop()
	names := kept()
	require.Len(t, names, 1)
	classes, err := filepath.Glob(filepath.Join(all, names[0], "clojure", "core", "async*.class"))
	require.NoError(t, err)
	require.NotEmpty(t, classes)

	next := begin()
	require.Equal(t, compiled{dir: late.dir}, next.code)
	_, err = next.Databases(t.Context(), ClientAPI, `{:server-type :datomic-local :storage-dir :mem :system "x"}`)
	require.NoError(t, err)
	require.Equal(t, names, kept())

	// Another class path has its own; what nobody has used for long goes.
	long := time.Now().Add(-2 * unused)
	require.NoError(t, os.Chtimes(filepath.Join(all, names[0]), long, long))
	other := findCompiled("java", cp)
	require.NotEmpty(t, other.into)
	require.Equal(t, []string{filepath.Base(other.into)}, kept())
	other.drop()
	require.Empty(t, kept())
}

// A class path that is not what it was is another one, and without a place to keep things nothing is kept.
func TestCompiledOf(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	jar := filepath.Join(t.TempDir(), "some.jar")
	require.NoError(t, os.WriteFile(jar, []byte("one"), 0o666))
	one := findCompiled("java", jar)
	require.NoError(t, os.Rename(one.into, one.dir))
	require.Equal(t, compiled{dir: one.dir}, findCompiled("java", jar))
	require.Equal(t, one.dir+string(filepath.ListSeparator)+jar, compiled{dir: one.dir}.before(jar))
	require.NotEqual(t, one.dir, findCompiled("other java", jar).dir)
	require.NoError(t, os.WriteFile(jar, []byte("other"), 0o666))
	require.NotEqual(t, one.dir, findCompiled("java", jar).dir)

	t.Setenv("XDG_CACHE_HOME", "relative")
	t.Setenv("HOME", "")
	require.Equal(t, compiled{}, findCompiled("java", jar))
	require.Equal(t, jar, compiled{}.before(jar))
}
