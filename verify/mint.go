package verify

import (
	"dclone"
	"dclone/fressian"
)

// mintDoc is the :db/doc that an entity of a live clone gets, and loses with the next transaction,
// only to have an id.
var mintDoc = func() string {
	b, _ := fressian.Append(nil, "dclone")
	return string(b)
}()

// minted returns the entities that a transaction gives mintDoc, or takes it from, none where it does
// anything else.
func (b *births) minted(datoms []dclone.Datom, added bool) map[dclone.EntityID]bool {
	all := map[dclone.EntityID]bool{}
	for _, d := range datoms {
		switch {
		case d.A == b.clone.txInstant && d.E == d.Tx && d.Added:
		case d.A == b.clone.doc && d.Added == added && string(d.V) == mintDoc && !all[d.E]:
			all[d.E] = true
		default:
			return nil
		}
	}
	return all
}
