package live

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"dclone"
	"dclone/datomic/live"
	"dclone/datomic/local"
	"dclone/dest"
	"dclone/eidmap"
	"dclone/state"
)

// A DB is the database that a child is connected to; datomic/live's DB says more.
type DB interface {
	Refresh(ctx context.Context) (dclone.T, error)
	Sync(ctx context.Context) error
	Basis() dclone.T
	Transact(ctx context.Context, txData []byte) (live.Report, error)
	With(ctx context.Context, txData ...[]byte) (live.Report, error)
	Index(ctx context.Context) error
	TxRange(ctx context.Context, from, to dclone.T, chunk int) iter.Seq2[*dclone.Tx, error]
	Datoms(ctx context.Context, r live.Range) iter.Seq2[[]dclone.Datom, error]
	Lookup(ctx context.Context, a dclone.EntityID, values []dclone.Value) ([]dclone.EntityID, error)
}

// A Connection is a child of its own, connected to the database.
type Connection struct {
	DB   DB
	ID   string // what the database calls itself
	Kind string // of the database, as datomic/live names it
	Born []dclone.Tx

	Upgrades    []dclone.Tx                 // of the base schema, behind the bootstrap
	Upgrade     func(context.Context) error // makes another
	UpgradeCall string                      // what a user would evaluate for it

	Indexes bool   // an attribute that is there can become unique only with :db/index, behind an index job
	End     func() // ends the child, at once
}

// Options say how a clone is written.
type Options struct {
	Connect func(context.Context) (*Connection, error) // with a child of its own each time
	Settle  time.Duration                              // how long a transaction may be under way after its sender is gone
	Timeout time.Duration                              // how long the answer to a transaction may take
	Window  int                                        // transactions of a first copy that may be under way at once, 0 is DefaultWindow
	Log     func(string)

	MaxDatoms int // of a transaction, 0 is DefaultMaxDatoms
}

// DefaultMaxDatoms is how many datoms a transaction has at most.
const DefaultMaxDatoms = 4000

// A Clone is a database that is written through a running Datomic. It is a replay.Clone.
type Clone struct {
	ctx   context.Context
	opt   Options
	conn  *Connection
	born  *born
	key   dclone.DigestKey
	taken func(dclone.EntityID) (bool, error)

	mark  dclone.Mark // its digest is not kept up
	bound binding     // of the group
}

// Open connects to a clone.
func Open(ctx context.Context, opt Options) (*Clone, error) {
	if opt.Timeout <= 0 {
		opt.Timeout = 2 * time.Minute
	}
	if opt.Window <= 0 {
		opt.Window = DefaultWindow
	}
	if opt.MaxDatoms <= 0 {
		opt.MaxDatoms = DefaultMaxDatoms
	}
	c := &Clone{ctx: ctx, opt: opt, bound: binding{}, taken: func(dclone.EntityID) (bool, error) { return false, nil }}
	conn, err := opt.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c.conn, c.born = conn, newBorn(conn)
	if err := c.refresh(); err != nil {
		conn.End()
		return nil, err
	}
	return c, nil
}

// Close ends the child.
func (c *Clone) Close() error {
	if c.conn != nil {
		c.conn.End()
	}
	return nil
}

// SetKey sets the key of digests, which is the session's.
func (c *Clone) SetKey(k dclone.DigestKey) { c.key = k }

// SetTaken gives the clone a way to ask whether an entity of it stands for one of the source's already.
func (c *Clone) SetTaken(taken func(dclone.EntityID) (bool, error)) { c.taken = taken }

// DatabaseID returns what the database calls itself.
func (c *Clone) DatabaseID() string { return c.conn.ID }

// refresh makes the mark that of the newest transaction.
func (c *Clone) refresh() error {
	if err := c.conn.DB.Sync(c.ctx); err != nil {
		return err
	}
	m, err := c.markAt(max(c.conn.DB.Basis(), c.born.t))
	if err == nil {
		c.mark = m
	}
	return err
}

var errNoT = errors.New("it has no such transaction")

// markAt returns the mark of a transaction. The bootstrap's is without digest: not every log has it.
func (c *Clone) markAt(t dclone.T) (dclone.Mark, error) {
	if t <= c.born.t {
		return dclone.Mark{T: t, Instant: c.born.instant}, nil
	}
	for tx, err := range c.conn.DB.TxRange(c.ctx, t, t+1, 0) {
		if err != nil {
			return dclone.Mark{}, err
		}
		if tx.T == t {
			return dclone.Mark{T: t, Instant: tx.Instant, Digest: c.digest(tx)}, nil
		}
	}
	return dclone.Mark{}, fmt.Errorf("read t %d of the clone: %w", t, errNoT)
}

// digest returns that of a transaction's datoms, whatever their order.
func (c *Clone) digest(tx *dclone.Tx) dclone.Digest {
	lines := make([]string, len(tx.Datoms))
	for i, d := range tx.Datoms {
		lines[i] = key(form{added: d.Added, e: d.E, a: d.A, v: d.V})
	}
	slices.Sort(lines)
	h := c.key.New()
	for _, line := range lines {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(line))))
		h.Write([]byte(line))
	}
	return dclone.SumDigest(h)
}

// Append transacts frames. They are those of a group, whole.
func (c *Clone) Append(frames []byte, lengths []int) error {
	group, err := split(frames, lengths)
	if err != nil {
		return err
	}
	c.bound = binding{}
	return c.send(group)
}

// Sync has nothing to do: what was reported is durable.
func (c *Clone) Sync() error { return nil }

// Mark returns the newest transaction, as the log has it.
func (c *Clone) Mark() (dclone.Mark, error) { return c.markAt(c.mark.T) }

// Instant returns that of the newest transaction.
func (c *Clone) Instant() dclone.Instant { return c.mark.Instant }

// Bound returns what the group has bound: the source's entities, and the clone's that stand for them.
func (c *Clone) Bound() []eidmap.Run {
	delete(c.bound, self)
	return c.bound.runs()
}

// Recover brings the clone to what the sidecar says, after a crash or not. It returns true where the group of the intent
// is in the clone, whole, so that its commit holds, with what the group has bound.
func (c *Clone) Recover(at dclone.Mark, intent *state.Intent) (adopted bool, err error) {
	// Others may have come between Open, or the run before, and the lock of the sidecar.
	if err := c.refresh(); err != nil {
		return false, err
	}
	if err := c.checkMark(at); err != nil {
		return false, err
	}
	if intent == nil {
		if c.mark.T != at.T {
			return false, &dest.DriftError{T: at.T + 1, Cause: "no run of dclone was under way"}
		}
		return false, nil
	}
	group, err := c.readIntent(intent)
	if err != nil {
		return false, err
	}
	rest, err := c.explain(at, group, nil)
	if err == nil && len(rest) > 0 {
		// One may still be under way.
		if err = c.settle(); err == nil {
			rest, err = c.explain(at, group, nil)
		}
	}
	if err != nil || len(rest) == len(group) {
		return false, err
	}
	return true, c.send(rest)
}

// readIntent returns the frames of an intent.
func (c *Clone) readIntent(intent *state.Intent) ([]*frame, error) {
	var lengths []int
	sent := intent.Sent
	for _, f := range intent.Frames {
		n := int(f.Length)
		if n < 0 || n > len(sent) || c.key.Of(sent[:n]) != f.Digest {
			return nil, fmt.Errorf("read intent: %w", errFrame)
		}
		sent = sent[n:]
		lengths = append(lengths, n)
	}
	return split(intent.Sent, lengths)
}

// checkMark makes sure that the clone has the transaction the sidecar says it ends with.
func (c *Clone) checkMark(at dclone.Mark) error {
	m, err := c.markAt(at.T)
	if errors.Is(err, errNoT) || err == nil && m != at {
		return fmt.Errorf("compare clone with its sidecar: t %d is not there as it was written: %w", at.T, dest.ErrStale)
	}
	return err
}

// explain compares what the log has beyond at with the frames of a group, and returns those that are not there, with
// c.bound what the others have bound, and what was bound before.
func (c *Clone) explain(at dclone.Mark, group []*frame, before binding) ([]*frame, error) {
	if err := c.refresh(); err != nil {
		return nil, err
	}
	c.bound = binding{}
	maps.Copy(c.bound, before)
	var txs []dclone.Tx
	for tx, err := range c.conn.DB.TxRange(c.ctx, at.T+1, c.mark.T+1, 0) {
		if err != nil {
			return nil, err
		}
		if len(txs) == len(group) {
			return nil, &dest.DriftError{T: tx.T, Cause: "what dclone was about to write is there, and more"}
		}
		txs = append(txs, keep(tx))
	}
	return c.match(group, txs)
}

// match finds which frames of a group became transactions, and what these have bound. It returns the other frames.
func (c *Clone) match(group []*frame, txs []dclone.Tx) ([]*frame, error) {
	if len(txs) == 0 {
		return group, nil
	}
	drift := &dest.DriftError{T: txs[0].T, Cause: "dclone was about to write something else"}
	var failed error
	a := &aligner{frames: group, txs: txs, bound: maps.Clone(c.bound), instant: c.born.instantAttr, derives: c.born.derives,
		taken: func(e dclone.EntityID) bool {
			taken, err := c.isTaken(e)
			failed = errors.Join(failed, err)
			return taken
		}}
	aligned := a.align()
	if failed != nil {
		return nil, failed
	}
	if !aligned {
		return nil, drift
	}
	for _, it := range a.missing {
		redundant, err := c.redundant(txs[it.at].T-1, it.form)
		if err != nil {
			return nil, err
		}
		if !redundant {
			return nil, drift
		}
	}
	delete(a.bound, self)
	c.bound = a.bound
	for i, k := range a.became {
		c.bound.tx(group[k], txs[i].T)
	}
	return a.rest(), nil
}

func keep(tx *dclone.Tx) dclone.Tx {
	k := *tx
	k.Datoms = slices.Clone(tx.Datoms)
	for i := range k.Datoms {
		k.Datoms[i].V = slices.Clone(k.Datoms[i].V)
	}
	return k
}

// isTaken reports whether an entity of the clone stands for one of the source's, or is a builtin.
func (c *Clone) isTaken(e dclone.EntityID) (bool, error) {
	if c.born.has[e] {
		return true, nil
	}
	return c.taken(e)
}

// redundant reports whether a form changes nothing in the database as of t. That is asked seldom, and takes long.
func (c *Clone) redundant(t dclone.T, x form) (bool, error) {
	held := false
	r := live.Range{Attr: x.a, At: t, End: x.e + 1}
	for datoms, err := range c.conn.DB.Datoms(c.ctx, r) {
		if err != nil {
			return false, err
		}
		for _, d := range datoms {
			held = held || d.E == x.e && local.CompareValues(d.V, x.v) == 0
		}
	}
	return held == x.added, nil
}
