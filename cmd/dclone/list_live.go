package main

import (
	"context"
	"slices"

	"dclone"
	"dclone/address"
)

// listLive lists the one database that an address of a live source names, or those that are there by name alone: to
// connect to every one would be felt there.
func (p *program) listLive(ctx context.Context, a address.Address) error {
	if isAll(a) {
		return p.listNames(ctx, a)
	}
	conn, err := p.openLive(ctx, theSource, a)
	if err != nil {
		return err
	}
	defer conn.Close()
	t := conn.Basis()
	f, err := conn.Fingerprint(nil, t)
	if err != nil {
		return dclone.InSource(err)
	}
	newest := f.Instant.Time()
	_, _, name := liveArgs(a)
	return p.listed(&storageListing{a.String(), []storedDatabase{{Address: a.String(), Name: name, DatabaseID: conn.DatabaseID(),
		T: &t, Newest: &newest}}}, nil)
}

func (p *program) listNames(ctx context.Context, a address.Address) error {
	child, err := p.startChild(ctx, theSource)
	if err != nil {
		return noLive(theSource, a, err)
	}
	defer child.Close()
	api, arg, _ := liveArgs(a)
	names, err := child.Databases(ctx, api, arg)
	if err != nil {
		return noLive(theSource, a, err)
	}
	slices.Sort(names)
	l := storageListing{Address: a.String(), Databases: []storedDatabase{}}
	for _, name := range names {
		l.Databases = append(l.Databases, storedDatabase{Address: namedLive(a, name).String(), Name: name})
	}
	return p.listed(&l, nil)
}

// namedLive returns the address of one of all databases.
func namedLive(a address.Address, name string) address.Address {
	switch a := a.(type) {
	case address.Client:
		return a.Named(name)
	case address.Peer:
		return a.Named(name)
	}
	return a
}
