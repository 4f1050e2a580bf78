package session_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	"dclone/datomic/local"
	"dclone/dest"
	"dclone/dest/desttest"
	destlive "dclone/dest/live"
	"dclone/historytest"
	"dclone/replay"
	"dclone/session"
)

// The runs of the table that are no transactions, but what happens to a run.
var liveRunTests = []struct {
	run, name string
	test      func(t *testing.T, s *liveServer, r route)
}{
	{"9", "a crash between position and map", crashInCommit},
	{"10", "one write fails", oneWriteFails},
	{"11", "cut after some replayed transactions", cutInReplay},
	{"14", "cut after the copy, before it is known", cutAfterCopy},
	{"16", "another database of the same name", sameName},
	{"17", "somebody edits the clone", edited},
	{"19", "the source is its own clone", ownClone},
	{"20", "somebody's schema is there", conflicting},
}

// counted makes n transactions, each of two entities that refer to each other.
func (s *liveServer) counted(t testing.TB, dir string, n int) {
	s.transact(t, dir, strings.Repeat(`[{:n/n 1 :n/to {:n/n 2}}] `, n))
}

// numbered makes a source with a schema and n transactions.
func (s *liveServer) numbered(t testing.TB, n int) string {
	dir := s.source(t)
	s.transact(t, dir, `[(attr :n/n :long) (attr :n/to :ref :db/isComponent true)]`)
	s.counted(t, dir, n)
	return dir
}

// must is a run that ends well, with the clone that it should.
func (r route) must(t testing.TB, src string, c desttest.Clone) session.Result {
	t.Helper()
	result, err := r.Sync(t, src, c, session.Options{})
	require.NoError(t, err)
	r.Compare(t, src, c)
	return result
}

// refused is a run that is refused, and writes nothing.
func (r route) refused(t testing.TB, src string, c desttest.Clone, opt session.Options, is func(error) bool) {
	t.Helper()
	before := c.Read(t).Txs
	_, err := r.Sync(t, src, c, opt)
	require.True(t, is(err), "%v", err)
	require.Equal(t, before, c.Read(t).Txs, "something was written")
}

func wraps(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }

func isDrift(err error) bool {
	var drift *dest.DriftError
	return errors.As(err, &drift)
}

// crashInCommit leaves the sidecar as a crash within its transaction does: new pages, and the old ones that name them.
func crashInCommit(t *testing.T, s *liveServer, r route) {
	src, c := s.numbered(t, 3), r.New(t)
	r.must(t, src, c)
	s.counted(t, src, 3)
	var before []byte
	_, err := r.Sync(t, src, c, session.Options{At: func(at replay.Point) (err error) {
		switch at {
		case replay.BeforeCommit:
			before, err = os.ReadFile(c.Sidecar())
			return err
		case replay.AfterCommit:
			return errPlug
		}
		return nil
	}})
	require.ErrorIs(t, err, errPlug)
	after, err := os.ReadFile(c.Sidecar())
	require.NoError(t, err)
	meta := 2 * os.Getpagesize()
	require.NotEqual(t, before[:meta], after[:meta])
	require.NotEqual(t, before[meta:], after[meta:])
	require.NoError(t, os.WriteFile(c.Sidecar(), append(before[:meta:meta], after[meta:]...), 0o600))
	require.True(t, r.must(t, src, c).Resumed)
	s.transact(t, src, `[[:db/add (ffirst (d/q '[:find (max ?e) :where [?e :n/to]] (d/db c))) :n/to "new"] [:db/add "new" :n/n 3]]`)
	r.must(t, src, c)
}

// A failing is a database that fails to transact once.
type failing struct {
	destlive.DB
	left *atomic.Int64
	err  error
}

func (f failing) Transact(ctx context.Context, data []byte) (live.Report, error) {
	if f.left.Add(-1) == 0 {
		return live.Report{}, f.err
	}
	return f.DB.Transact(ctx, data)
}

// oneWriteFails has the destination say no once, at whichever transaction.
func oneWriteFails(t *testing.T, s *liveServer, r route) {
	if r.Caps.Verbatim {
		t.Skip("only a running Datomic says no")
	}
	src := s.numbered(t, 3)
	for _, n := range []int64{1, 3, 5} {
		p := s.pair(t, src)
		left := new(atomic.Int64)
		left.Store(n)
		connect := p.opt.Connect
		refused := &live.Refused{Message: "no", Anomaly: "cognitect.anomalies/incorrect"}
		p.opt.Connect = func(ctx context.Context) (*destlive.Connection, error) {
			c, err := connect(ctx)
			if err == nil {
				c.DB = failing{c.DB, left, refused}
			}
			return c, err
		}
		ended := make(chan error, 1)
		go func() {
			_, err := p.sync(session.Options{MaxBatchSize: 3})
			ended <- err
		}()
		select {
		case err := <-ended:
			require.ErrorIs(t, err, refused)
		case <-time.After(30 * time.Second):
			require.Fail(t, "the run has not ended")
		}
		r.must(t, src, p)
	}
}

// cutInReplay cuts a run behind k of ten transactions.
func cutInReplay(t *testing.T, s *liveServer, r route) {
	r.Small(t, 1)
	src, c := s.numbered(t, 1), r.New(t)
	r.must(t, src, c)
	for _, k := range []int{1, 5, 10} {
		s.counted(t, src, 10)
		left := k
		_, err := r.Sync(t, src, c, session.Options{At: func(at replay.Point) error {
			if at == replay.BeforeCommit {
				if left--; left == 0 {
					return errPlug
				}
			}
			return nil
		}})
		require.ErrorIs(t, err, errPlug)
		r.must(t, src, c)
	}
}

// cutAfterCopy cuts a first copy when all is written, and the sidecar does not say so.
func cutAfterCopy(t *testing.T, s *liveServer, r route) {
	src, calm, c := s.numbered(t, 100), r.New(t), r.New(t)
	r.must(t, src, calm)
	_, err := r.Sync(t, src, c, session.Options{At: func(at replay.Point) error {
		if at == replay.BeforeCommit {
			return errPlug
		}
		return nil
	}})
	require.ErrorIs(t, err, errPlug)
	require.True(t, r.must(t, src, c).Resumed)
	require.Len(t, c.Read(t).Txs, len(calm.Read(t).Txs), "transactions of the clone")
}

// sameName goes on with a database that has the name of the source, and lies elsewhere.
func sameName(t *testing.T, s *liveServer, r route) {
	src, c := s.numbered(t, 2), r.New(t)
	r.must(t, src, c)
	other := s.numbered(t, 3)
	r.refused(t, other, c, session.Options{}, wraps(session.ErrReplaced))
	r.refused(t, other, c, session.Options{SourceAddress: "client:another"}, wraps(session.ErrClaimed))
	r.must(t, src, c)
}

func edited(t *testing.T, s *liveServer, r route) {
	src, c := s.numbered(t, 2), r.New(t)
	r.must(t, src, c)
	c.Meddle(t)
	r.refused(t, src, c, session.Options{}, isDrift)
	s.counted(t, src, 2)
	r.refused(t, src, c, session.Options{}, isDrift)
}

// ownClone copies a database to itself, when it has data and when it had none yet.
func ownClone(t *testing.T, s *liveServer, r route) {
	dir := func(c desttest.Clone) string {
		if p, ok := c.(*livePair); ok {
			return p.dir()
		}
		return c.(nativeClone).dir
	}
	if r.Caps.Verbatim {
		c := nativeClone{s.numbered(t, 2)}
		r.refused(t, c.dir, c, session.Options{}, func(err error) bool {
			return errors.Is(err, session.ErrNotEmpty) || errors.Is(err, local.ErrLocked)
		})
		return
	}
	c := r.New(t)
	c.Meddle(t)
	r.refused(t, dir(c), c, session.Options{}, wraps(session.ErrNotEmpty))
	empty := r.New(t)
	r.must(t, dir(empty), empty)
	empty.Meddle(t)
	r.refused(t, dir(empty), empty, session.Options{}, func(err error) bool {
		return err == nil || isDrift(err) // what is there is what the source has
	})
}

// conflicting copies to a database that has one of the source's attributes, of another type.
func conflicting(t *testing.T, s *liveServer, r route) {
	src, c := s.numbered(t, 2), r.New(t)
	if p, ok := c.(*livePair); ok {
		s.transact(t, p.dir(), `[(attr :n/n :string)]`)
	} else {
		c.Meddle(t)
	}
	r.refused(t, src, c, session.Options{}, wraps(session.ErrNotEmpty))
	require.NoFileExists(t, c.Sidecar())
}

// An instant before that of the clone's newest transaction is not carried: run 12 of the table.
func TestLiveEarlierInstant(t *testing.T) {
	s := newLiveServer(t)
	h := historytest.New(t, filepath.Join(t.TempDir(), "source"), 1)
	h.Attribute("text", typeString, false)
	p := s.pair(t, h.Dir)
	p.must(t, session.Options{})
	p.src = later(t, h.Dir, time.UnixMilli(1))
	r := p.must(t, session.Options{})
	require.Equal(t, []dclone.NotCarried{{Attribute: ":db/txInstant", Reason: destlive.ReasonLater, Count: 1, FirstT: r.Position.Source.T}},
		r.Session.NotCarried)
	p.check(t)
}
