package live

import (
	"dclone"
	"dclone/datomic/live"
	"dclone/datomic/local"
	"dclone/fressian"
)

// A born is what the clone's database was born with.
type born struct {
	kind        string
	datoms      []dclone.Datom // of the bootstrap, and of upgrades, which are said to be of the bootstrap's last transaction
	t           dclone.T
	instant     dclone.Instant
	idents      map[dclone.Keyword]dclone.EntityID
	has         map[dclone.EntityID]bool
	derives     map[dclone.EntityID]bool
	instantAttr dclone.EntityID
}

func newBorn(conn *Connection) *born {
	b := &born{kind: conn.Kind, idents: map[dclone.Keyword]dclone.EntityID{}, has: map[dclone.EntityID]bool{},
		derives: map[dclone.EntityID]bool{}}
	for _, tx := range conn.Born {
		b.t, b.instant = tx.T, max(b.instant, tx.Instant)
		b.has[dclone.TxID(tx.T)] = true
		b.datoms = append(b.datoms, tx.Datoms...)
	}
	for _, tx := range conn.Upgrades {
		for _, d := range tx.Datoms {
			if d.E != dclone.TxID(tx.T) {
				d.Tx = dclone.TxID(b.t)
				b.datoms = append(b.datoms, d)
			}
		}
		b.has[dclone.TxID(tx.T)] = true
	}
	for _, d := range b.datoms {
		b.has[d.E] = true
		if kw, ok := ident(d); ok {
			b.idents[kw] = d.E
		}
	}
	b.instantAttr = b.idents[dclone.Kw("db", "txInstant")]
	for _, kw := range []dclone.Keyword{dclone.Kw("db.install", "attribute"), dclone.Kw("db.alter", "attribute")} {
		if a, ok := b.idents[kw]; ok {
			b.derives[a] = true
		}
	}
	return b
}

// ident returns the name that a datom gives.
func ident(d dclone.Datom) (dclone.Keyword, bool) {
	if d.A != dclone.AttrIdent || !d.Added {
		return dclone.Keyword{}, false
	}
	v, _, err := fressian.Decode(d.V)
	kw, ok := v.(dclone.Keyword)
	return kw, ok && err == nil
}

// Kind returns the kind of the clone's database, as package datomic/live names it.
func (c *Clone) Kind() string { return c.born.kind }

// KindName names the kind.
func (c *Clone) KindName() string {
	switch c.born.kind {
	case live.KindLocal:
		return local.Kind{}.KindName()
	case live.KindPeer, live.KindPeerServer:
		return "Datomic Pro"
	}
	return "Datomic " + c.born.kind
}

// Transacts reports that some datoms would be commands.
func (c *Clone) Transacts() bool { return true }

// EachBorn calls f with the datoms of the base schema.
func (c *Clone) EachBorn(f func(dclone.Datom)) {
	for _, d := range c.born.datoms {
		f(d)
	}
}

// HasType reports whether attributes of a value type can have values.
func (c *Clone) HasType(valueType dclone.Keyword) bool {
	_, ok := c.born.idents[valueType]
	return ok && (c.born.kind != live.KindLocal || local.Kind{}.HasType(valueType))
}
