//go:build unix

package session_test

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	destlive "dclone/dest/live"
	"dclone/session"
)

// A mortal is a database whose child is killed while a transaction is under way, or soon after.
type mortal struct {
	destlive.DB
	left  atomic.Int64 // transactions until then
	after time.Duration
	pid   int
}

func (m *mortal) Transact(ctx context.Context, data []byte) (live.Report, error) {
	if m.left.Add(-1) == 0 {
		time.AfterFunc(m.after, func() { syscall.Kill(m.pid, syscall.SIGKILL) })
	}
	return m.DB.Transact(ctx, data)
}

// The JVM is killed with kill -9, in the first copy and in the replay: the clone is that of a run without.
func TestLiveKilledJVM(t *testing.T) {
	s := newLiveServer(t)
	sources := featureSources(t, s.jvm, 3, 6)
	calm := s.pair(t, "")
	var want []dclone.T
	for _, calm.src = range sources {
		want = append(want, calm.must(t, session.Options{}).Position.Clone.T)
	}
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	p, kills := newLivePair(t, s.jvm, ""), 0
	p.opt.Settle = 10 * time.Millisecond
	p.opt.Connect = func(ctx context.Context) (*destlive.Connection, error) {
		child, err := live.Start(ctx, p.target.Child)
		if err != nil {
			return nil, err
		}
		c, err := p.target.ConnectTo(ctx, child, child.Kill)
		if err == nil && kills < 2 {
			kills++
			m := &mortal{DB: c.DB, pid: child.PID(), after: time.Duration(r.IntN(3000)) * time.Microsecond}
			m.left.Store(1 + r.Int64N(30))
			c.DB = m
		}
		return c, err
	}
	for i, src := range sources {
		p.src = src
		require.Equal(t, want[i], p.must(t, session.Options{}).Position.Clone.T)
		p.check(t)
		kills = 0
	}
}
