package live

import (
	"context"
	"fmt"
	"strings"

	"dclone"
	"dclone/datomic/live"
	sourcelive "dclone/source/live"
)

// A Target says which database a clone is, and how a child reaches it.
type Target struct {
	Child          live.Options
	API, Arg, Name string // as Child.Connect takes them
}

// Connect starts a child and connects it to the database.
func (t Target) Connect(ctx context.Context) (*Connection, error) {
	child, err := live.Start(ctx, t.Child)
	if err != nil {
		return nil, err
	}
	conn, err := t.ConnectTo(ctx, child, child.Kill)
	if err != nil {
		child.Kill()
		return nil, err
	}
	return conn, nil
}

// ConnectTo is Connect with a child that is there. end is to end it.
func (t Target) ConnectTo(ctx context.Context, child *live.Child, end func()) (*Connection, error) {
	db, err := child.Connect(ctx, t.API, t.Arg, t.Name)
	if err != nil {
		return nil, err
	}
	src, err := sourcelive.Open(ctx, db, sourcelive.Options{})
	if err != nil {
		return nil, err
	}
	var born []dclone.Tx
	for tx, err := range src.Txs(ctx, 0) {
		if err != nil {
			return nil, err
		}
		born = append(born, keep(tx))
		if tx.T == src.Born() {
			break // before the log is read on
		}
	}
	later, err := upgrades(ctx, db, src.Born())
	if err != nil {
		return nil, err
	}
	upgrade := func(ctx context.Context) error { return child.UpgradeSchema(ctx, t.API, t.Arg, t.Name) }
	return &Connection{DB: db, ID: db.Info().DatabaseID, Kind: db.Info().Kind, Born: born, Upgrades: later, Upgrade: upgrade,
		UpgradeCall: t.upgradeCall(db.String()), Indexes: t.indexes(db.Info().Kind), End: end}, nil
}

// indexes reports what Connection.Indexes is: Datomic Pro is like that, but in memory.
func (t Target) indexes(kind string) bool {
	return kind == live.KindPeerServer || kind == live.KindPeer && !strings.HasPrefix(t.Arg, "datomic:mem:")
}

// upgradeCall returns what a user evaluates to upgrade the base schema of the database.
func (t Target) upgradeCall(name string) string {
	if t.API == live.PeerAPI {
		return fmt.Sprintf("(d/administer-system {:uri %q :action :upgrade-schema})", name)
	}
	return fmt.Sprintf("(d/administer-system client {:db-name %q :action :upgrade-schema})", name)
}
