package session

import (
	"errors"

	"dclone"
	destlive "dclone/dest/live"
	"dclone/source"
	"dclone/state"
)

// A BaseSchemaError says that a destination's base schema is too old for its source.
type BaseSchemaError = destlive.BaseSchemaError

// checkBase makes sure that the clone has the builtins that the source uses as of the basis of a first copy, as far as
// an upgrade brings them. What none brings is listed.
func (r *liveRun) checkBase(snap source.Snapshot) error {
	used := usedBuiltins(snap)
	err := r.dst.NeedsUpgrade(used)
	if r.mayUpgrade(err) {
		if err := r.upgrade(); err != nil {
			return err
		}
		err = stillMissing(r.dst.NeedsUpgrade(used))
	}
	return dclone.InDest(err)
}

// stillMissing says in an error that there was an upgrade.
func stillMissing(err error) error {
	var missing *BaseSchemaError
	if errors.As(err, &missing) {
		missing.Made = true
	}
	return err
}

// usedBuiltins returns what a database has used, of all time, of what databases are born with: in the definitions of
// attributes, and as attributes.
func usedBuiltins(snap source.Snapshot) (used []dclone.Keyword) {
	born := map[dclone.EntityID]int64{}
	for _, d := range snap.SchemaDatoms() {
		if d.Tx.T() <= snap.Born() {
			born[d.A]++
		} else if s := snap.Schema(); d.Added && s.Ident(d.A).Namespace != "db.install" {
			used = append(used, destlive.Uses(s, d)...)
		}
	}
	for _, c := range snap.Attributes() {
		if c.Count > born[c.A] {
			used = append(used, snap.Schema().Ident(c.A))
		}
	}
	return used
}

// mayUpgrade reports whether an error would not be, were the base schema upgraded, and the user wants it to be.
func (r *liveRun) mayUpgrade(err error) bool {
	var missing *BaseSchemaError
	return r.opt.UpgradeSchema && errors.As(err, &missing)
}

// upgrade upgrades the base schema of the clone.
func (r *liveRun) upgrade() error {
	r.log("upgrading the base schema of %s: instants before now can no longer be kept there", r.opt.DestAddress)
	if err := r.dst.Upgrade(); err != nil {
		return dclone.InDest(err)
	}
	return r.passUpgrades()
}

// passUpgrades moves the position behind upgrades of the base schema, whoever has made them.
func (r *liveRun) passUpgrades() error {
	at, err := r.dst.Upgraded(r.pos.Clone)
	if err != nil || at == r.pos.Clone {
		return dclone.InDest(err)
	}
	pos := r.pos
	pos.Clone = at
	if err := r.update(func(tx *state.Tx) error { return tx.SetPosition(pos) }); err != nil {
		return err
	}
	r.pos = pos
	return nil
}
