package main

import (
	"context"
	"errors"
	"time"

	"dclone"
	"dclone/datomic/local"
	"dclone/replay"
	"dclone/session"
	"dclone/source"
	"dclone/state"
	"dclone/store/kvs"
	"dclone/store/s3"
)

// A follower syncs again and again. A source that can tell whether anything has happened in it stays
// open, and while nothing has, there is no run.
type follower struct {
	*syncer
	src     source.Conn // nil where none is open
	waiting bool
}

// A refresher is a source that may stay open: it takes up what was committed since.
type refresher interface {
	Refresh(ctx context.Context) (changed bool, err error)
}

func newFollower(s *syncer) *follower { return &follower{syncer: s} }

// run syncs until it is interrupted, or fails. Locks that come between are waited for, and servers that
// go away.
func (f *follower) run(ctx context.Context) error {
	defer f.close()
	for first := true; ; first = false {
		res, err := f.once(ctx)
		wait := errors.Is(err, local.ErrLocked) || errors.Is(err, state.ErrLocked) || errors.Is(err, kvs.ErrUnreachable) ||
			errors.Is(err, kvs.ErrFull) || errors.Is(err, s3.ErrUnreachable)
		switch {
		case err != nil && (first || !wait):
			return f.interrupted(err)
		case wait && !f.waiting:
			f.warn("waiting: %v", err)
		case err == nil && (first || res.Status != session.UpToDate):
			f.report(res)
		}
		f.waiting = wait
		f.opt.restart = false
		select {
		case <-f.signals.stop:
			return f.interrupted(replay.ErrStopped)
		case <-time.After(f.opt.poll):
		}
	}
}

// once makes a run where there is reason to.
func (f *follower) once(ctx context.Context) (session.Result, error) {
	news, err := f.refresh(ctx)
	if err == nil && !news && !f.waiting {
		return session.Result{Status: session.UpToDate}, nil
	}
	var res session.Result
	if err == nil {
		res, err = f.sync(ctx, f.src)
	}
	if _, stays := f.src.(refresher); err != nil || !stays {
		f.close()
	}
	return res, err
}

// refresh sees to it that the source is open, and reports whether there may be anything new in it.
func (f *follower) refresh(ctx context.Context) (news bool, err error) {
	if r, ok := f.src.(refresher); ok {
		if news, err = r.Refresh(ctx); err == nil {
			return news, nil
		}
		// What is wrong, if it still is, opening it anew will tell.
		f.verbose("opening %s anew: %v", f.pair.source, dclone.InSource(err))
		f.close()
	}
	f.src, err = f.p.openSource(ctx, f.pair.source)
	return true, err
}

// close ends what stays open of the source.
func (f *follower) close() {
	if f.src != nil {
		f.src.Close()
		f.src = nil
	}
}
