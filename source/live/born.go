package live

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dclone"
	"dclone/datomic/live"
	"dclone/datomic/local"
	"dclone/fressian"
	"dclone/source"
)

// readBorn finds the bootstrap.
func (c *Conn) readBorn(ctx context.Context) (err error) {
	switch c.db.Info().Kind {
	case live.KindPeer, live.KindPeerServer:
		err = c.rebuildBorn(ctx)
	case live.KindLocal:
		c.inLog = true
		err = c.logBorn(ctx, local.BootstrapT)
	default:
		c.inLog = true
		err = c.logBorn(ctx, -1)
	}
	if err == nil && len(c.born) == 0 {
		err = errors.New("it has no bootstrap")
	}
	return err
}

// logBorn takes the bootstrap from the log: what has the instant 0, and where t is not negative, comes up to t.
func (c *Conn) logBorn(ctx context.Context, t dclone.T) error {
	for tx, err := range c.log(ctx, 0, c.Basis(), soon) {
		if err != nil {
			return err
		}
		if t >= 0 && tx.T > t || tx.Instant != 0 {
			break
		}
		c.born = append(c.born, keep(tx))
	}
	return nil
}

// keep copies a transaction.
func keep(tx *dclone.Tx) dclone.Tx {
	k := *tx
	k.Datoms = slices.Clone(tx.Datoms)
	for i := range k.Datoms {
		k.Datoms[i].V = slices.Clone(k.Datoms[i].V)
	}
	return k
}

// rebuildBorn makes transactions of the datoms of the bootstrap. They are of attributes of the bootstrap,
// and of entities of the db partition or of its transactions.
func (c *Conn) rebuildBorn(ctx context.Context) error {
	at := c.db.Basis()
	names, err := c.until(ctx, dclone.AttrIdent, at, dclone.MakeEntityID(dclone.PartDB+1, 0))
	if err != nil {
		return err
	}
	byT := map[dclone.T][]dclone.Datom{}
	seen := map[dclone.EntityID]bool{}
	for _, name := range names {
		if name.Tx.T() >= source.UserT || seen[name.E] {
			continue
		}
		seen[name.E] = true
		all, err := c.until(ctx, name.E, at, dclone.TxID(source.UserT))
		if err != nil {
			return err
		}
		for _, d := range all {
			if t := d.Tx.T(); t < source.UserT {
				byT[t] = append(byT[t], d)
			}
		}
	}
	c.born = append(c.born, source.Rebuild(byT)...)
	return nil
}

// until returns the datoms of all time that entities before end have of an attribute.
func (c *Conn) until(ctx context.Context, a dclone.EntityID, at dclone.T, end dclone.EntityID) (all []dclone.Datom, err error) {
	for datoms, err := range c.db.Datoms(ctx, live.Range{Attr: a, At: at, History: true, End: end, Chunk: c.opt.Chunk}) {
		if err == nil {
			err = c.pace.wait(ctx, len(datoms))
		}
		if err != nil {
			return nil, err
		}
		for _, d := range datoms {
			d.V = slices.Clone(d.V)
			all = append(all, d)
		}
	}
	return all, nil
}

// keyword decodes an ident.
func keyword(d dclone.Datom) (dclone.Keyword, error) {
	v, _, err := fressian.Decode(d.V)
	kw, ok := v.(dclone.Keyword)
	if err != nil || !ok {
		return kw, fmt.Errorf("ident of entity %d is %T", d.E, v)
	}
	return kw, nil
}
