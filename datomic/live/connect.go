package live

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"dclone"
	"dclone/fressian"
)

// The APIs of Datomic's.
const (
	ClientAPI = "client"
	PeerAPI   = "peer"
)

// The kinds of databases that a DB may be of: the client API's are the server types.
const (
	KindLocal      = "local"
	KindPeerServer = "peer-server"
	KindPeer       = "peer"
)

// A DB is a database that a child is connected to, pinned as it was then or when it was last refreshed.
type DB struct {
	child  *Child
	handle int64
	name   string
	info   Info
	basis  atomic.Int64
}

// Info is what a database says of itself.
type Info struct {
	DatabaseID string // "" where it has none
	Kind       string // one of the kinds above, or another server type
}

// Connect connects to a database. Of the client API, arg is the argument map as EDN and db the name of the database; of
// the peer API, arg is the URI. The error wraps ErrNoDatabase where there is none of that name, and is a
// *MissingError where the class path lacks the library.
func (c *Child) Connect(ctx context.Context, api, arg, db string) (*DB, error) {
	c.stderr.hide(arg)
	name := c.name(api, arg, db)
	if err := c.library(ctx, api); err != nil {
		return nil, err
	}
	m, err := askFor[fressian.Map](ctx, c, "connect", api, arg, db)
	if err != nil {
		return nil, connectError("connect to", name, err)
	}
	d := &DB{child: c, name: name}
	id, _ := lookup(m, "id").(string)
	kind, isKind := lookup(m, "kind").(string)
	handle, isHandle := lookup(m, "database").(int64)
	basis, isBasis := lookup(m, "basis").(int64)
	if !isKind || !isHandle || !isBasis {
		return nil, fmt.Errorf("connect to %s: read answer: %v", name, m)
	}
	d.info, d.handle = Info{DatabaseID: id, Kind: kind}, handle
	d.basis.Store(basis)
	return d, nil
}

// Create makes a database, arg and db as in Connect, and reports whether there was none.
func (c *Child) Create(ctx context.Context, api, arg, db string) (created bool, err error) {
	c.stderr.hide(arg)
	if err := c.library(ctx, api); err != nil {
		return false, err
	}
	if created, err = askFor[bool](ctx, c, "create", api, arg, db); err != nil {
		err = connectError("create", c.name(api, arg, db), err)
	}
	return created, err
}

// Databases lists the names of databases, arg as in Connect; the name in a peer's URI is *.
func (c *Child) Databases(ctx context.Context, api, arg string) ([]string, error) {
	c.stderr.hide(arg)
	if err := c.library(ctx, api); err != nil {
		return nil, err
	}
	found, err := askFor[[]any](ctx, c, "databases", api, arg)
	if err != nil {
		return nil, connectError("list", "databases", err)
	}
	var names []string
	for _, v := range found {
		name, isText := v.(string)
		if !isText {
			return nil, fmt.Errorf("list databases: read answer: %v", v)
		}
		names = append(names, name)
	}
	return names, nil
}

// UpgradeSchema brings the base schema of a database up to date, arg and db as in Connect.
func (c *Child) UpgradeSchema(ctx context.Context, api, arg, db string) error {
	c.stderr.hide(arg)
	if err := c.library(ctx, api); err != nil {
		return err
	}
	if _, err := c.ask(ctx, "upgrade", api, arg, db); err != nil {
		return connectError("upgrade base schema of", c.name(api, arg, db), err)
	}
	return nil
}

// name returns how a database is called in errors.
func (c *Child) name(api, arg, db string) string {
	if api == PeerAPI {
		return c.stderr.redact(arg)
	}
	return db
}

// Load has the child load a file of Clojure.
func (c *Child) Load(ctx context.Context, file, source string) error {
	if _, err := c.ask(ctx, "load", file, source); err != nil {
		return fmt.Errorf("load %s: %w", file, err)
	}
	return nil
}

// library has the child load what is written for an API, once.
func (c *Child) library(ctx context.Context, api string) error {
	c.loads.Lock()
	defer c.loads.Unlock()
	if c.loaded[api] {
		return nil
	}
	file := api + ".clj"
	source, err := bridge.ReadFile("bridge/" + file)
	if err != nil || libraries[api] == "" {
		return fmt.Errorf("connect: no such API: %s", api)
	}
	c.compile(ctx, namespaces[api])
	if err := c.Load(ctx, file, string(source)); err != nil {
		var remote *RemoteError
		if errors.As(err, &remote) && remote.lacking() {
			return &MissingError{fmt.Sprintf("the class path has no %s; %s", libraries[api], Coordinates)}
		}
		return err
	}
	c.loaded[api] = true
	return nil
}

var libraries = map[string]string{
	ClientAPI: "client library (com.datomic/local with org.clojure/core.async, com.datomic/client-cloud or com.datomic/client-pro)",
	PeerAPI:   "peer library (com.datomic/peer)",
}

var namespaces = map[string]string{ClientAPI: "datomic.client.api", PeerAPI: "datomic.api"}

func connectError(verb, name string, err error) error {
	var remote *RemoteError
	switch {
	case !errors.As(err, &remote):
	case remote.noDatabase():
		return fmt.Errorf("%s %s: %w: %w", verb, name, ErrNoDatabase, remote)
	case remote.lacking():
		return &MissingError{fmt.Sprintf("%s %s: the class path lacks a library: %s; Datomic Cloud needs "+
			"com.datomic/client-cloud, a peer-server com.datomic/client-pro, an SQL storage its JDBC driver", verb, name, remote.Message)}
	}
	return fmt.Errorf("%s %s: %w", verb, name, err)
}

// Info returns what the database said of itself.
func (d *DB) Info() Info { return d.info }

// Basis returns the basis-t of the database as it is pinned.
func (d *DB) Basis() dclone.T { return dclone.T(d.basis.Load()) }

// String returns the database's name, without secrets.
func (d *DB) String() string { return d.name }

// Refresh pins the database as it is now, and returns its basis-t.
func (d *DB) Refresh(ctx context.Context) (dclone.T, error) { return d.pin(ctx, "refresh") }

// Sync is Refresh, once every transaction that was accepted before is in it.
func (d *DB) Sync(ctx context.Context) error {
	_, err := d.pin(ctx, "sync")
	return err
}

func (d *DB) pin(ctx context.Context, op string) (dclone.T, error) {
	m, err := askFor[fressian.Map](ctx, d.child, op, d.handle)
	basis, ok := lookup(m, "basis").(int64)
	if err == nil && !ok {
		err = fmt.Errorf("read answer: %v", m)
	}
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", op, d.name, err)
	}
	d.basis.Store(basis)
	return dclone.T(basis), nil
}
