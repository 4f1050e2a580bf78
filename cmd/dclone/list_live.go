package main

import (
	"context"

	"dclone"
	"dclone/address"
)

// listLive lists the one database that an address of a live source names.
func (p *program) listLive(ctx context.Context, a address.Address) error {
	conn, err := p.openLive(ctx, a)
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
