package session_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dclone/datomic/live"
	"dclone/dest/desttest"
	destlive "dclone/dest/live"
	destlocal "dclone/dest/local"
	"dclone/historytest"
	"dclone/replay"
	"dclone/session"
	"dclone/source"
)

// A nativeClone is a directory for a clone.
type nativeClone struct{ dir string }

func (c nativeClone) Sidecar() string                         { return filepath.Join(c.dir, "dclone.state") }
func (c nativeClone) Read(t testing.TB) *historytest.Database { return historytest.Read(t, c.dir) }

func (c nativeClone) Sync(src source.Conn, opt session.Options) (session.Result, error) {
	dst, err := destlocal.Lock(c.dir)
	if err != nil {
		return session.Result{}, err
	}
	defer dst.Close()
	opt.NoIndex = true
	return session.Sync(context.Background(), src, dst, c.Sidecar(), opt)
}

func (c nativeClone) Meddle(t testing.TB) {
	if _, err := os.Stat(filepath.Join(c.dir, "db.log")); err != nil {
		historytest.New(t, c.dir, 1)
	}
	strangerTransacts(t, c.dir)
}

func nativeKind() desttest.Kind {
	return desttest.Kind{
		Caps:  desttest.Caps{Verbatim: true, Predicates: true, Restart: true},
		New:   func(t testing.TB) desttest.Clone { return nativeClone{filepath.Join(t.TempDir(), "clone")} },
		Small: small,
		Check: func(t testing.TB, src string, c desttest.Clone) {
			t.Helper()
			historytest.Check(t, src, c.(nativeClone).dir, c.Sidecar())
		},
	}
}

// liveCaps are those of Datomic Local: what a transaction comes to is the transactor's affair.
var liveCaps = desttest.Caps{Shared: true, Loses: []string{destlive.ReasonLong, destlive.ReasonOwnTx, destlive.ReasonLater}}

func liveKind(s *liveServer) desttest.Kind {
	return desttest.Kind{
		Caps: liveCaps,
		New:  func(t testing.TB) desttest.Clone { return s.pair(t, "") },
		Small: func(t testing.TB, txs int) {
			before := *session.LiveLimits
			t.Cleanup(func() { *session.LiveLimits = before })
			*session.LiveLimits = replay.Limits{Txs: txs, Bytes: 1 << 30, After: time.Hour}
		},
		Judge: func(err error) bool {
			// It stumbles over an attribute that is altered and has no name, which is in no log of its own.
			var refused *live.Refused
			return errors.As(err, &refused) || strings.Contains(err.Error(), "Named.getNamespace()")
		},
	}
}

func TestDestLocal(t *testing.T) { desttest.Run(t, nativeKind()) }

func TestDestLive(t *testing.T) { desttest.Run(t, liveKind(newLiveServer(t))) }

// fewer is how many seeds there are to try of n, where there is little time.
func fewer(n int) int {
	if testing.Short() {
		return 1
	}
	return n
}
