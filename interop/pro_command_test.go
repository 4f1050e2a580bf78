package interop_test

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/interop"
	"dclone/session"
)

// A command is the program, as users have it.
type command struct{ path string }

func buildCommand(t testing.TB) command {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dclone")
	out, err := exec.Command("go", "build", "-o", path, "dclone/cmd/dclone").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return command{path}
}

// run answers what the program printed. It fails t unless the exit code is the one that is wanted.
func (c command) run(t testing.TB, code int, args ...string) string {
	t.Helper()
	out, err := exec.Command(c.path, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	got := 0
	if exit != nil {
		got = exit.ExitCode()
	}
	require.Equal(t, code, got, "dclone %v\n%s", args, out)
	return string(out)
}

func (p proClone) address() string {
	return "datomic-local:" + filepath.Join(p.storage, cloneSystem, p.clone)
}

// notCarried are the attributes of profeatures and features of which datoms have no place in Datomic Local.
var notCarried = []string{":q/bytes", ":q/many-bytes", ":q/fn", ":q/gone", ":db/fn", ":db/index"}

// TestProCommands clones a storage and a backup of one database with the program itself, lets the source go on, be excised
// from, and go back to an earlier t.
func TestProCommands(t *testing.T) {
	jvm, dclone := interop.StartPro(t), buildCommand(t)
	src := newProSource(t, jvm, "commands", `(features/run-wave! c 1) (profeatures/run-wave! c 1) (pro/index! uri) (features/run-wave! c 2)`)
	backup := src.backup(t, "")
	clones := map[string]proClone{
		src.uri():                            newProClone(t, src, "of a storage", session.Options{}),
		"file://" + filepath.ToSlash(backup): newProClone(t, src, "of a backup", session.Options{}),
	}
	step := func(code string) {
		src.eval(t, code)
		src.backup(t, backup)
		dumps := src.dump(t)
		for address, k := range clones {
			out := dclone.run(t, 3, "sync", address, k.address())
			for _, a := range notCarried {
				require.Contains(t, out, " "+a+": ", k.clone)
			}
			require.NotContains(t, out, "password=datomic")
			k.compare(t, dumps, k.clone)
			require.Contains(t, dclone.run(t, 3, "verify", address, k.address()), "equal, level full")
			dclone.run(t, 3, "sync", address, k.address())
		}
	}
	t.Run("plan", func(t *testing.T) {
		for address, k := range clones {
			out := dclone.run(t, 3, "plan", address, k.address())
			require.Contains(t, out, ":q/bytes", k.clone)
		}
	})
	step(`:nothing`)
	step(`(features/run-wave! c 3) (profeatures/run-wave! c 2)`)
	step(`(pro/index! uri) (features/run-wave! c 4)`)

	t.Run("excision", func(t *testing.T) {
		src.eval(t, `(profeatures/excise! c) (pro/index! uri) (features/run-wave! c 5)`)
		k := clones[src.uri()]
		out := dclone.run(t, 3, "sync", src.uri(), k.address())
		require.Contains(t, out, ":db/excise")
		fresh := newProClone(t, src, "after excision", session.Options{})
		dclone.run(t, 3, "sync", src.uri(), fresh.address())
		fresh.compare(t, src.dump(t), "a first copy after excision")
		require.Equal(t, "#{}", jvm.Eval(t, fmt.Sprintf(`(set (d/q '[:find ?e :where [?e :q/secret "secret 2"]] (d/db (conn %s))))`, fresh.in(fresh.clone))))
	})
	t.Run("gone back", func(t *testing.T) {
		k := clones[src.uri()]
		before := k.files(t, k.clone)
		jvm.Eval(t, fmt.Sprintf(`(pro/release %[1]s) (pro/restore! %[2]s %[1]s (last (:ts (pro/backups %[2]s))))`,
			interop.Str(src.uri()), interop.Str("file:"+backup)))
		dclone.run(t, 5, "sync", src.uri(), k.address())
		src.eval(t, `(features/run-wave! c 3) (features/run-wave! c 4) (features/run-wave! c 5)`)
		dclone.run(t, 5, "sync", src.uri(), k.address())
		state := []string{"dclone.state", "dclone.state.json"}
		require.Equal(t, without(before, state...), without(k.files(t, k.clone), state...))
	})
}
