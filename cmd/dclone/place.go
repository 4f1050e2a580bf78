package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"dclone"
	"dclone/address"
	"dclone/dest"
	destlocal "dclone/dest/local"
	sourcelocal "dclone/source/local"
	"dclone/state"
)

// sidecarName is that of the sidecar in a clone's directory.
const sidecarName = "dclone.state"

// A place is where a clone is or will be.
type place struct {
	address address.Address
	dir     string // "" where a running Datomic has the clone: see place_live.go
	state   string // its sidecar
	own     string // where that is unless the user says otherwise
}

// newPlace reads the address of a clone. state is where its sidecar is kept, "" where it is its own.
func newPlace(text, state string) (p place, err error) {
	if p.address, err = address.ParseDest(text); err != nil {
		return place{}, addressFailure(err)
	}
	if a, ok := p.address.(address.Local); ok {
		p.dir, p.own = a.Dir(), filepath.Join(a.Dir(), sidecarName)
	} else if p.own, err = liveSidecar(p.address); err != nil && state == "" {
		return place{}, err
	}
	if p.state = p.own; state != "" {
		p.state, err = filepath.Abs(state)
		return p, err
	}
	return p, nil
}

// checkState refuses a sidecar that cannot be one, or that is not the clone's.
func (p place) checkState() error {
	info, err := os.Stat(p.state)
	if err == nil && (!info.Mode().IsRegular() || info.Size() == 0) {
		return &failure{codeUsage, fmt.Errorf("open sidecar %s: it is not a sidecar of dclone", p.state), "--state with another file"}
	}
	if _, err := os.Lstat(p.own); err != nil || p.state == p.own || sameFile(p.state, p.own) {
		return nil
	}
	return &failure{codeDiverged,
		fmt.Errorf("clone to %s: it has a sidecar of its own, not %s: it is claimed by another session", p.address, p.state),
		"the command without --state"}
}

// A sidecar is what the file beside a clone says.
type sidecar struct {
	session state.Session
	pos     state.Position
	intent  *state.Intent
}

// open opens the sidecar to be looked at, waiting for as long as told for a run that has it open.
func (p place) open(ctx context.Context, wait time.Duration) (*state.Store, error) {
	for end := time.Now().Add(wait); ; {
		store, err := state.OpenRead(p.state)
		switch locked := errors.Is(err, state.ErrLocked); {
		case err == nil || errors.Is(err, state.ErrNone), locked && time.Now().After(end):
			return store, err
		case !locked:
			return nil, p.unreadable(err)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// unreadable is what a file ends with that cannot be read as a sidecar. One that the user has named may be anything.
func (p place) unreadable(err error) error {
	try := "a copy of the sidecar, or dclone reset <dest> to forget it"
	if p.isLive() && errors.Is(err, syscall.ENOTDIR) {
		return &failure{codeUsage, fmt.Errorf("keep sidecar of %s: %w", p.address, err), tryHome}
	}
	if p.state != p.own {
		try = "--state with another file, or a copy of the sidecar"
	}
	return &failure{codeDest, dclone.InDest(err), try}
}

// pause sleeps, but not beyond the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// read returns what the sidecar says. The error wraps state.ErrNone where there is none.
func (p place) read(ctx context.Context, wait time.Duration) (*sidecar, error) {
	store, err := p.open(ctx, wait)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	return readSidecar(store)
}

func readSidecar(store *state.Store) (*sidecar, error) {
	s := new(sidecar)
	var errs [3]error
	s.session, errs[0] = store.Session()
	s.pos, errs[1] = store.Position()
	s.intent, errs[2] = store.Intent()
	return s, errors.Join(errs[:]...)
}

// check makes sure, without locking or writing anything, that a run may write to the place: it
// is free, or its clone is there. It returns nil for the sidecar of a free place. What a running Datomic has
// is not looked at.
func (p place) check(ctx context.Context, wait time.Duration) (*sidecar, error) {
	s, err := p.read(ctx, wait)
	if errors.Is(err, state.ErrNone) {
		return nil, p.checkFree()
	}
	if err != nil {
		return nil, err
	}
	if err := p.checkKind(s); err != nil {
		return nil, err
	}
	return s, p.checkThere(s)
}

func (p place) checkFree() error {
	if p.isLive() {
		return nil
	}
	content, err := destlocal.Look(p.dir)
	if err != nil {
		return dclone.InDest(err)
	}
	if content == destlocal.Data {
		return &failure{codeDiverged,
			fmt.Errorf("clone to %s: it holds a database that is no clone of dclone's: there is no sidecar %s", p.address, p.state),
			"another destination, or --state FILE if the clone's sidecar is kept elsewhere"}
	}
	if destlocal.Loading(p.dir) {
		return &failure{codeDiverged,
			fmt.Errorf("clone to %s: it holds an unfinished first copy whose sidecar is not %s", p.address, p.state),
			"--state FILE if its sidecar is kept elsewhere, or dclone reset --drop-clone " + shellWord(p.address.String())}
	}
	return nil
}

// checkThere makes sure that the clone of a sidecar has not gone. What exactly is there, the run
// finds out.
func (p place) checkThere(s *sidecar) error {
	if p.isLive() {
		return nil
	}
	content, err := destlocal.Look(p.dir)
	if err != nil {
		return dclone.InDest(err)
	}
	loading := destlocal.Loading(p.dir)
	switch {
	case s.pos.Phase == state.Current && content == destlocal.Nothing,
		s.pos.Phase == state.Publishing && content == destlocal.Nothing && !loading,
		s.pos.Phase == state.Loading && s.pos.Clone.Length > 0 && !loading && content == destlocal.Nothing:
		return p.gone()
	case s.pos.Phase == state.Loading && content != destlocal.Nothing:
		return fmt.Errorf("resume first copy in %s: a database has appeared there: %w", p.address, dest.ErrForeign)
	}
	return nil
}

// owns makes sure that the database in the directory, if there is one, is the one that the sidecar's
// session has made, whatever happened to it since, so that it may be thrown away.
func (p place) owns(s *sidecar) error {
	if p.isLive() {
		return nil // nothing of it is ever thrown away
	}
	content, err := destlocal.Look(p.dir)
	if err != nil || content != destlocal.Data {
		return dclone.InDest(err)
	}
	clone, err := sourcelocal.Open(p.dir)
	if err != nil {
		return dclone.InDest(err)
	}
	defer clone.Close()
	first, err := clone.First(s.session.Key)
	if err == nil && first != s.session.Dest.First {
		err = fmt.Errorf("compare %s with its sidecar: the database there is not the one this session made: %w", p.address, dest.ErrForeign)
	}
	return dclone.InDest(err)
}

// forget removes the sidecar.
func (p place) forget() error {
	removeRecord(p.state)
	return dclone.InDest(os.Remove(p.state))
}
