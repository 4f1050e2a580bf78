package session_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	destlive "dclone/dest/live"
	"dclone/historytest"
	"dclone/session"
)

// later returns a copy of a database with one more transaction, of an instant.
func later(t testing.TB, src string, instant time.Time) string {
	to := filepath.Join(t.TempDir(), "later")
	copyDir(t, src, to)
	txs := historytest.Read(t, to).Txs
	at := txs[len(txs)-1].T + 1
	appendTx(t, to, at, []dclone.Datom{instantDatom(t, at, instant)})
	return to
}

// Instants of the future are refused before anything is written, or waited for where that is not long.
func TestLiveClocks(t *testing.T) {
	s := newLiveServer(t)
	src := featureSources(t, s.jvm, 1)[0]
	logOf := func(p *livePair) string {
		b, err := os.ReadFile(filepath.Join(p.dir(), "db.log"))
		require.NoError(t, err)
		return string(b)
	}
	t.Run("far future", func(t *testing.T) {
		ahead := later(t, src, time.Now().Add(time.Hour))
		p := s.pair(t, ahead)
		p.opt.Settle = 15 * time.Second
		var future *destlive.FutureError
		was := logOf(p)
		_, err := p.sync(session.Options{})
		require.ErrorAs(t, err, &future)
		require.Equal(t, was, logOf(p))

		p = s.pair(t, src)
		p.must(t, session.Options{})
		p.src, was = ahead, logOf(p)
		_, err = p.sync(session.Options{})
		require.ErrorAs(t, err, &future)
		require.Equal(t, was, logOf(p))
		p.src = src
		require.Equal(t, session.UpToDate, p.must(t, session.Options{}).Status)
	})
	t.Run("near future", func(t *testing.T) {
		p := s.pair(t, src)
		p.opt.Settle = 30 * time.Second
		p.must(t, session.Options{})
		instant := time.Now().Add(3 * time.Second)
		p.src = later(t, src, instant)
		p.must(t, session.Options{})
		require.True(t, time.Now().After(instant))
		p.check(t)
	})
}
