package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"dclone"
	"dclone/datomic/live"
	"dclone/datomic/local"
	"dclone/dest"
	destlive "dclone/dest/live"
	"dclone/session"
	"dclone/source"
	"dclone/state"
)

// syncLive makes one run that writes through a running Datomic. sc is the clone's sidecar, nil where there is none.
func (s *syncer) syncLive(ctx context.Context, src source.Conn, sc *sidecar) (res session.Result, err error) {
	kept := s.clone != nil
	made := tracePath(filepath.Dir(s.pair.dest.state))
	if sc == nil {
		if err := s.pair.dest.makeHome(); err != nil {
			made.remove(false)
			return res, err
		}
	}
	if err := s.openClone(ctx, sc); err != nil {
		made.remove(false)
		return res, err
	}
	m := newMonitor(s.p, s.pair, sc, s.opt)
	res, err = s.runLive(ctx, src, m)
	if kept && isOfLibrary(err) && !isA[*dclone.SourceError](err) && ctx.Err() == nil {
		res, err = s.runAnew(ctx, src, sc, m, err)
	}
	err = s.pair.explain(err, sc)
	m.end(res, s.code(res, err), err)
	if err != nil || !s.opt.follow {
		s.closeClone()
	}
	if _, none := os.Stat(s.pair.dest.state); err != nil && none != nil {
		made.remove(false)
	}
	return res, err
}

// openClone connects to the clone, unless that was done for the run before.
func (s *syncer) openClone(ctx context.Context, sc *sidecar) (err error) {
	if s.clone != nil {
		return nil
	}
	var made func()
	if sc == nil || s.opt.restart {
		made = func() { s.warn("made database %s", s.pair.dest.address) }
	}
	opt := destlive.Options{Settle: s.opt.settle, Window: s.opt.txJobs, Log: func(text string) { s.warn("%s", text) }}
	err = whileLocked(ctx, s.opt.retryLock, func() error {
		s.clone, err = s.p.openClone(ctx, s.pair.dest, opt, made)
		return err
	})
	if errors.Is(err, live.ErrNoDatabase) && sc != nil {
		return s.pair.dest.gone()
	}
	return err
}

func (s *syncer) closeClone() {
	if s.clone != nil {
		s.clone.Close()
		s.clone = nil
	}
}

// runLive waits for the sidecar, whose lock is the clone's, as long as the user wants.
func (s *syncer) runLive(ctx context.Context, src source.Conn, m *monitor) (res session.Result, err error) {
	err = whileLocked(ctx, s.opt.retryLock, func() error {
		res, err = session.SyncLive(ctx, src, s.clone, s.pair.dest.state, s.options(m))
		return err
	})
	return res, err
}

// runAnew is runLive when the JVM that was kept may have died, or been cut off, since the run before. What is wrong, if it
// still is, another one will tell.
func (s *syncer) runAnew(ctx context.Context, src source.Conn, sc *sidecar, m *monitor, why error) (res session.Result, err error) {
	s.verbose("opening %s anew: %v", s.pair.dest.address, why)
	s.closeClone()
	if err := s.openClone(ctx, sc); err != nil {
		return res, err
	}
	return s.runLive(ctx, src, m)
}

// whileLocked does something until nobody has locked what it needs, as long as the user wants.
func whileLocked(ctx context.Context, wait time.Duration, do func() error) error {
	for end := time.Now().Add(wait); ; {
		err := do()
		if !isAny(local.ErrLocked, state.ErrLocked)(err) || !time.Now().Before(end) {
			return err
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// explain says of an error which database it is about, and what can be done about a destination that is not free.
func (pr pair) explain(err error, sc *sidecar) error {
	if isAny(session.ErrNotEmpty, session.ErrClaimed, dest.ErrForeign)(err) && sc == nil {
		return &failure{codeDiverged, err, "another destination, or --state FILE if the clone's sidecar is kept elsewhere"}
	}
	return pr.named(err)
}

// named says of an error of Datomic's own library which of the two databases it is about.
func (pr pair) named(err error) error {
	switch {
	case !isOfLibrary(err):
		return err
	case isA[*dclone.SourceError](err):
		return dclone.InSource(fmt.Errorf("source %s: %w", pr.source, err))
	}
	return dclone.InDest(fmt.Errorf("clone %s: %w", pr.dest.address, err))
}

// isOfLibrary reports whether an error is of a running Datomic, or of the JVM that reaches it.
func isOfLibrary(err error) bool {
	return isA[*live.GoneError](err) || isA[*live.MissingError](err) || isA[*live.RemoteError](err) || isA[*live.Refused](err) ||
		isA[*destlive.MergeError](err) || isAny(live.ErrBusy, live.ErrUnknownOutcome, live.ErrNoDatabase, live.ErrClosed)(err)
}
