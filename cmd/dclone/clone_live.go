package main

import (
	"context"
	"errors"

	"dclone/datomic/live"
	destlive "dclone/dest/live"
)

// A maker connects to a database, and makes one where there is none.
type maker struct {
	destlive.Target
	makes  destlive.Target // what it makes; its child is the same
	made   func()          // is told; nil where nothing is to be made
	shared *sharedChild    // serves first
}

// connect is what a clone connects with, each time with a JVM of its own, but for the first time where the source has one.
// Only that time a database may be made: one that is gone later was somebody's to delete.
func (m *maker) connect(ctx context.Context) (*destlive.Connection, error) {
	made := m.made
	m.made = nil
	child, end := m.shared.take()
	if child == nil {
		own, err := live.Start(ctx, m.Child)
		if err != nil {
			return nil, err
		}
		child, end = own, own.Kill
	}
	conn, err := m.ConnectTo(ctx, child, end)
	if errors.Is(err, live.ErrNoDatabase) && made != nil {
		var created bool
		if created, err = child.Create(ctx, m.makes.API, m.makes.Arg, m.makes.Name); err == nil {
			if created {
				made()
			}
			conn, err = m.makes.ConnectTo(ctx, child, end)
		}
	}
	if err != nil {
		end()
		return nil, err
	}
	return conn, nil
}

// maker returns what connects to a live clone, and makes nothing.
func (p *program) maker(ctx context.Context, dst place) (*maker, error) {
	if err := dst.awaitUnheld(ctx, 0); err != nil {
		return nil, err // without a JVM
	}
	child, err := p.childOptions(ctx, theDest)
	if err != nil {
		return nil, noLive(theDest, dst.address, err)
	}
	api, arg, name := liveArgs(dst.address)
	t := destlive.Target{Child: child, API: api, Arg: arg, Name: name}
	return &maker{Target: t, makes: t, shared: &p.live.shared}, nil
}

// openClone connects to a live clone. A database is made, and made is told, where there is none and made is not nil.
func (p *program) openClone(ctx context.Context, dst place, opt destlive.Options, made func()) (*destlive.Clone, error) {
	m, err := p.maker(ctx, dst)
	if err != nil {
		return nil, err
	}
	m.made, opt.Connect = made, m.connect
	clone, err := destlive.Open(ctx, opt)
	if err != nil {
		return nil, noLive(theDest, dst.address, err)
	}
	return clone, nil
}

// openModel is openClone for a plan, which makes nothing that lasts. Where there is no database, one of the peer library's in
// the JVM's own memory stands for it; of other kinds nothing does, and it is nil.
func (p *program) openModel(ctx context.Context, dst place) (clone *destlive.Clone, there bool, err error) {
	m, err := p.maker(ctx, dst)
	if err != nil {
		return nil, false, err
	}
	there = true
	if m.API == live.PeerAPI {
		m.makes.Arg, m.made = "datomic:mem://dclone", func() { there = false }
	}
	clone, err = destlive.Open(ctx, destlive.Options{Connect: m.connect})
	if errors.Is(err, live.ErrNoDatabase) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, noLive(theDest, dst.address, err)
	}
	return clone, there, nil
}
