package live

import (
	"context"

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
		if tx.T > src.Born() {
			break
		}
		born = append(born, keep(tx))
	}
	return &Connection{DB: db, ID: db.Info().DatabaseID, Kind: db.Info().Kind, Born: born, End: end}, nil
}
