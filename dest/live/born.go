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
	txs         []dclone.Tx
	t           dclone.T
	instant     dclone.Instant
	idents      map[dclone.Keyword]dclone.EntityID
	has         map[dclone.EntityID]bool
	derives     map[dclone.EntityID]bool
	instantAttr dclone.EntityID
}

func newBorn(conn *Connection) *born {
	b := &born{kind: conn.Kind, txs: conn.Born, idents: map[dclone.Keyword]dclone.EntityID{}, has: map[dclone.EntityID]bool{},
		derives: map[dclone.EntityID]bool{}}
	for _, tx := range conn.Born {
		b.t, b.instant = tx.T, max(b.instant, tx.Instant)
		b.has[dclone.TxID(tx.T)] = true
		for _, d := range tx.Datoms {
			b.has[d.E] = true
			if v, _, err := fressian.Decode(d.V); d.A == dclone.AttrIdent && d.Added && err == nil {
				if kw, ok := v.(dclone.Keyword); ok {
					b.idents[kw] = d.E
				}
			}
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

// EachBorn calls f with the datoms of the bootstrap.
func (c *Clone) EachBorn(f func(dclone.Datom)) {
	for _, tx := range c.born.txs {
		for _, d := range tx.Datoms {
			f(d)
		}
	}
}

// HasType reports whether attributes of a value type can have values.
func (c *Clone) HasType(valueType dclone.Keyword) bool {
	if c.born.kind == live.KindLocal {
		return local.Kind{}.HasType(valueType)
	}
	_, ok := c.born.idents[valueType]
	return ok
}
