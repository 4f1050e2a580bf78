package live

import (
	"context"
	"slices"
	"strings"

	"dclone"
	"dclone/datomic/live"
	"dclone/fressian"
	"dclone/schema"
)

// A BaseSchemaError says that the destination was born before some builtins that the source uses, and that an upgrade of
// its base schema brings them.
type BaseSchemaError struct {
	Missing []dclone.Keyword
	Call    string // the upgrade
	Made    bool   // it was made, and they are missing still
}

func (e *BaseSchemaError) Error() string {
	names := make([]string, len(e.Missing))
	for i, kw := range e.Missing {
		names[i] = kw.String()
	}
	text := "the destination's base schema has no " + strings.Join(names, ", ")
	if e.Made {
		return text + ", although it was upgraded: " + e.Call + " changed nothing"
	}
	return text + ", which the source uses (tuples, attribute predicates, entity specs and symbols are in databases since Datomic Cloud " +
		"480-8770, June 27, 2019, or that were upgraded): " + e.Call
}

// upgradable are the builtins that an upgrade of an old base schema brings.
var upgradable = map[dclone.Keyword]bool{
	dclone.Kw("db.type", "tuple"): true, dclone.Kw("db", "tupleType"): true, dclone.Kw("db", "tupleTypes"): true,
	dclone.Kw("db", "tupleAttrs"): true, dclone.Kw("db.type", "symbol"): true, dclone.Kw("db.attr", "preds"): true,
	dclone.Kw("db", "ensure"): true, dclone.Kw("db.entity", "attrs"): true, dclone.Kw("db.entity", "preds"): true,
}

// NeedsUpgrade returns a *BaseSchemaError where an upgrade would bring some of the builtins that a source uses.
func (c *Clone) NeedsUpgrade(used []dclone.Keyword) error {
	var missing []dclone.Keyword
	for _, kw := range used {
		if c.upgradeBrings(kw) && !slices.Contains(missing, kw) {
			missing = append(missing, kw)
		}
	}
	if missing == nil {
		return nil
	}
	slices.SortFunc(missing, func(a, b dclone.Keyword) int { return strings.Compare(a.String(), b.String()) })
	return &BaseSchemaError{Missing: missing, Call: c.conn.UpgradeCall}
}

func (c *Clone) upgradeBrings(kw dclone.Keyword) bool {
	_, has := c.born.idents[kw]
	return upgradable[kw] && !has
}

// Upgrade upgrades the base schema, and takes up what that brought.
func (c *Clone) Upgrade() error {
	if err := c.conn.Upgrade(c.ctx); err != nil {
		return err
	}
	if err := c.reconnect(); err != nil {
		return err
	}
	c.born = newBorn(c.conn)
	return c.refresh()
}

// upgrades returns the transactions behind the bootstrap that have brought builtins, in the order of the log.
func upgrades(ctx context.Context, db DB, born dclone.T) (txs []dclone.Tx, err error) {
	at := map[dclone.T]bool{}
	names := live.Range{Attr: dclone.AttrIdent, At: db.Basis(), End: dclone.MakeEntityID(dclone.PartDB+1, 0)}
	for datoms, err := range db.Datoms(ctx, names) {
		if err != nil {
			return nil, err
		}
		for _, d := range datoms {
			if kw, ok := ident(d); ok && upgradable[kw] && d.Tx.T() > born {
				at[d.Tx.T()] = true
			}
		}
	}
	for t := range at {
		for tx, err := range db.TxRange(ctx, t, t+1, 0) {
			if err != nil {
				return nil, err
			}
			if tx.T == t && isUpgrade(tx) {
				txs = append(txs, keep(tx))
			}
		}
	}
	slices.SortFunc(txs, func(a, b dclone.Tx) int { return int(a.T - b.T) })
	return txs, nil
}

// isUpgrade reports whether tx only adds to the base schema. That a name is of a namespace of Datomic's own does not tell:
// Datomic Local lets anybody give such names.
func isUpgrade(tx *dclone.Tx) bool {
	names := 0
	for _, d := range tx.Datoms {
		if kw, ok := ident(d); ok && upgradable[kw] {
			names++
		}
		if d.E.Partition() != dclone.PartDB && d.E != dclone.TxID(tx.T) {
			return false
		}
	}
	return names > 0
}

// Upgraded returns the mark behind the upgrades of the base schema that follow a transaction at once: anybody may make
// them, and a clone that was upgraded is no other for it.
func (c *Clone) Upgraded(at dclone.Mark) (dclone.Mark, error) {
	if err := c.refresh(); err != nil || at.T >= c.mark.T {
		return at, err
	}
	behind := at
	for tx, err := range c.conn.DB.TxRange(c.ctx, at.T+1, c.mark.T+1, 0) {
		if err != nil {
			return at, err
		}
		if !isUpgrade(tx) {
			break
		}
		behind = dclone.Mark{T: tx.T, Instant: tx.Instant, Digest: c.digest(tx)}
	}
	if behind != at {
		return behind, c.checkMark(at)
	}
	return at, nil
}

// Empty reports whether nothing was ever transacted.
func (c *Clone) Empty() (bool, error) {
	at, err := c.markAt(c.born.t)
	if err == nil {
		at, err = c.Upgraded(at)
	}
	return at.T == c.mark.T, err
}

// missing returns an error where a datom that the clone cannot hold could be held behind an upgrade.
func (t *Translator) missing(d dclone.Datom) error {
	if !d.Added || t.Schema.Ident(d.A).Namespace == "db.install" {
		return nil
	}
	used := Uses(t.Schema, d)
	if at := t.Schema.Attribute(d.A); at != nil {
		used = append(used, at.ValueType)
	}
	return dclone.InDest(t.Clone.NeedsUpgrade(used))
}

// Uses returns what a datom is made of that may be a builtin: its attribute, and what its value refers to.
func Uses(s *schema.Schema, d dclone.Datom) []dclone.Keyword {
	used := []dclone.Keyword{s.Ident(d.A)}
	if s.Refs(d.A) == dclone.WholeRef {
		if id, _, ok := fressian.Int(d.V); ok {
			used = append(used, s.Ident(dclone.EntityID(id)))
		}
	}
	return used
}
