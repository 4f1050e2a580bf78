package verify

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/realdata"
	"dclone/session"
)

// TestRealData verifies clones of databases that Datomic Local wrote: first copies, and one
// that is caught up with two thousand transactions.
func TestRealData(t *testing.T) {
	for _, c := range []struct{ archive, first, later string }{
		{"types5.tar.gz", "types5", ""},
		{"bigd.tar.gz", "bigd", ""},
		{"mbrainz.tar.gz", "mbrainz", "mbrainz-later"},
	} {
		t.Run(c.first, func(t *testing.T) {
			data, dir := realdata.Unpack(t, "local", c.archive), t.TempDir()
			src := filepath.Join(data, c.first)
			syncClone(t, src, dir, session.Options{})
			requireOK(t, verifyClone(t, src, dir, Options{}))
			if c.later == "" {
				return
			}
			src = filepath.Join(data, c.later)
			syncClone(t, src, dir, session.Options{})
			for _, l := range levels {
				rep := verifyClone(t, src, dir, Options{Level: l})
				requireOK(t, rep)
				if l != Counts {
					require.Greater(t, rep.Transactions, int64(1000))
				}
			}
		})
	}
}
