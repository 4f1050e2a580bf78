package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"dclone"
	"dclone/datomic/live"
	"dclone/datomic/local"
	destlive "dclone/dest/live"
	destlocal "dclone/dest/local"
	"dclone/replay"
	"dclone/session"
	"dclone/source"
	"dclone/state"
)

// at is session.Options.At; tests slow runs down with it.
var at func(replay.Point) error

// A syncer runs sync over a pair, once or again and again.
type syncer struct {
	p       *program
	pair    pair
	opt     *syncOptions
	signals *stopper
	clone   *destlive.Clone // that a running Datomic has, open from run to run with --follow; else nil
}

func newSyncer(p *program, pr pair, opt *syncOptions) *syncer {
	return &syncer{p: p, pair: pr, opt: opt}
}

func (s *syncer) run() error {
	stopper, ctx := stopOnSignal(func() {
		s.warn("interrupted: finishing what is under way; once more to end at once")
	})
	defer stopper.close()
	defer s.closeClone()
	s.signals = stopper
	if s.opt.follow {
		return newFollower(s).run(ctx)
	}
	res, err := s.once(ctx)
	if err != nil {
		return s.interrupted(err)
	}
	s.report(res)
	return outstanding(res.Session)
}

// interrupted says in a run's own words that it was.
func (s *syncer) interrupted(err error) error {
	if errors.Is(err, replay.ErrStopped) || errors.Is(err, context.Canceled) {
		return &failure{codeInterrupted, errors.New("interrupted, state saved, run again"), "the same command again"}
	}
	return err
}

// outstanding is what a run that is done ends with while something is not carried.
func outstanding(of state.Session) error {
	rest := session.Outstanding(of)
	if len(rest) == 0 {
		return nil
	}
	return &failure{codeNotCarried, fmt.Errorf("done, but not all could be carried: %s", notCarriedLine(rest[0])+andMore(len(rest)-1)),
		"dclone status <dest> for the list; sync with --accept-not-carried once the clone may do without"}
}

// once makes one run. Nothing is written where source and destination cannot be synced.
func (s *syncer) once(ctx context.Context) (res session.Result, err error) {
	if s.p.live.shared.wanted = s.pair.dest.isLive(); !s.p.live.shared.wanted {
		return s.anew(ctx)
	}
	if res, err = s.anew(ctx); s.p.live.shared.killed && isA[*live.GoneError](err) && ctx.Err() == nil {
		s.verbose("going on with a JVM for each: %v", err)
		s.p.live.shared = sharedChild{}
		res, err = s.anew(ctx)
	}
	return res, err
}

// anew makes a run, and opens the source for it.
func (s *syncer) anew(ctx context.Context) (res session.Result, err error) {
	src, err := s.p.openSource(ctx, s.pair.source)
	if err != nil {
		return res, err
	}
	defer src.Close()
	return s.sync(ctx, src)
}

// sync makes one run over an open source.
func (s *syncer) sync(ctx context.Context, src source.Conn) (res session.Result, err error) {
	s.verbose("source %s has come to t %d", s.pair.source, src.Basis())
	sc, err := s.check(ctx)
	if err != nil {
		return res, err
	}
	if err := s.checkPoint(src, sc); err != nil {
		return res, err
	}
	if s.pair.dest.isLive() {
		return s.syncLive(ctx, src, sc)
	}
	made := traceOf(s.pair.dest.dir)
	dst, err := s.lock(ctx)
	if err != nil {
		made.remove(errors.Is(err, local.ErrNoLocks)) // nobody holds locks there
		return res, err
	}
	defer dst.Close()
	m := newMonitor(s.p, s.pair, sc, s.opt)
	res, err = session.Sync(ctx, src, dst, s.pair.dest.state, s.options(m))
	m.end(res, s.code(res, err), err)
	if _, none := os.Stat(s.pair.dest.state); err != nil && none != nil {
		made.remove(true)
	}
	return res, err
}

// code is what the run would end the program with.
func (s *syncer) code(res session.Result, err error) int {
	if err == nil {
		err = outstanding(res.Session)
	}
	if err == nil {
		return codeDone
	}
	return s.p.explain(err).code
}

// checkPoint is pair.checkPoint, where a clone is to be gone on with.
func (s *syncer) checkPoint(src source.Conn, sc *sidecar) error {
	if sc == nil || s.opt.restart {
		return nil
	}
	return s.pair.checkPoint(src, sc)
}

// check looks at the destination before it is touched, and returns its sidecar, nil where there is
// none.
func (s *syncer) check(ctx context.Context) (*sidecar, error) {
	if !s.opt.restart {
		return s.pair.dest.check(ctx, s.opt.retryLock)
	}
	sc, err := s.pair.dest.read(ctx, s.opt.retryLock)
	if errors.Is(err, state.ErrNone) {
		return nil, s.pair.dest.checkFree()
	}
	if err != nil {
		return nil, err
	}
	if err := s.pair.dest.checkKind(sc); err != nil {
		return nil, err
	}
	return sc, s.pair.dest.owns(sc)
}

// lock locks the destination, and waits for it as long as the user wants.
func (s *syncer) lock(ctx context.Context) (dst *destlocal.Clone, err error) {
	said := s.opt.retryLock == 0
	err = whileLocked(ctx, s.opt.retryLock, func() error {
		dst, err = destlocal.Lock(s.pair.dest.dir)
		if errors.Is(err, local.ErrLocked) && !said {
			s.verbose("waiting for %s: %v", s.pair.dest.address, err)
			said = true
		}
		return dclone.InDest(err)
	})
	return dst, err
}

func (s *syncer) options(m *monitor) session.Options {
	return session.Options{
		SourceAddress: s.pair.source.String(), DestAddress: s.pair.dest.address.String(),
		MaxBatchSize: s.opt.batchSize, TxEntities: s.opt.txs, EidBatch: s.opt.eidBatch,
		Jobs: s.opt.parallel(s.pair.dest.isLive()), MaxMemory: int64(s.opt.maxMemory),
		NoIndex: s.opt.noIndex, AcceptNotCarried: s.opt.accept, Restart: s.opt.restart, UpgradeSchema: s.opt.upgrade,
		Stop: s.signals.asked.Load,
		Progress: func(p session.Progress) {
			s.signals.enter(p.All > 0)
			m.progress(p)
		},
		Log: func(text string) { s.warn("%s", text) },
		At:  at,
	}
}
