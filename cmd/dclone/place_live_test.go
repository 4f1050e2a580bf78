package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"dclone/datomic/live"
	"dclone/state"
)

// The sidecar of a live clone is refused at the address of its directory, whatever is there, and the other way round.
func TestSidecarOfOtherKind(t *testing.T) {
	const native, client = "datomic-local:/nowhere/dev/clone", `client:{:server-type :datomic-local, :storage-dir "/nowhere", :system "dev"}#clone`
	for _, c := range []struct{ kind, of, at, says string }{
		{live.KindLocal, client, native, "is of a live clone"},
		{"", native, client, "is of a clone that dclone writes itself"},
	} {
		path := filepath.Join(t.TempDir(), "dclone.state")
		store, err := state.Create(path, state.Session{Version: state.Version, Dest: state.Identity{Address: c.of, Kind: c.kind}},
			state.Position{Phase: state.Loading})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		dst, err := newPlace(c.at, path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = dst.check(context.Background(), 0)
		var f *failure
		if !errors.As(err, &f) || f.code != codeDiverged || !strings.Contains(f.Error(), c.says) || !strings.Contains(f.try, shellWord(c.of)) {
			t.Errorf("%s with the sidecar of %s: %v", c.at, c.of, err)
		}
		own, err := newPlace(c.of, path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := own.check(context.Background(), 0); err != nil {
			t.Errorf("%s: %v", c.of, err)
		}
	}
}
