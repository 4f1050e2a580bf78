package live

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"

	"dclone"
	"dclone/datomic/live"
	"dclone/datomic/local"
	"dclone/source"
)

// Options say how a database is read.
type Options struct {
	Chunk int         // datoms asked for at a time
	Rate  int         // datoms in a second, 0 is no limit
	Child *live.Child // is closed with the Conn, unless it is nil
}

// A Conn is an open database. Others may be writing to it.
type Conn struct {
	db    *live.DB
	opt   Options
	pace  pace
	born  []dclone.Tx // the bootstrap
	inLog bool        // which has the bootstrap too
	basis atomic.Int64
}

var _ source.Conn = (*Conn)(nil)

// Open opens a database as it is pinned.
func Open(ctx context.Context, db *live.DB, opt Options) (*Conn, error) {
	c := &Conn{db: db, opt: opt, pace: pace{perSecond: opt.Rate}}
	c.basis.Store(int64(db.Basis()))
	if err := c.readBorn(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", db, err)
	}
	c.basis.Store(int64(max(db.Basis(), c.Born())))
	return c, nil
}

// Close ends the child that Options named.
func (c *Conn) Close() error {
	if c.opt.Child != nil {
		return c.opt.Child.Close()
	}
	return nil
}

// DatabaseID returns the id that the database gives itself, "" where it has none.
func (c *Conn) DatabaseID() string { return c.db.Info().DatabaseID }

// Born returns the newest t of the bootstrap.
func (c *Conn) Born() dclone.T { return c.born[len(c.born)-1].T }

// Basis returns the t of the newest transaction when the database was opened or refreshed.
func (c *Conn) Basis() dclone.T { return dclone.T(c.basis.Load()) }

// Refresh takes up what was transacted since, and reports whether there was anything.
func (c *Conn) Refresh(ctx context.Context) (changed bool, err error) {
	t, err := c.db.Refresh(ctx)
	if err != nil {
		return false, err
	}
	return c.basis.Swap(int64(max(t, c.Born()))) != int64(t), nil
}

// First returns a digest of the first user transaction. Its datoms have no part in it where the database has an id: an
// excision can take them away, and the database is the same nevertheless.
func (c *Conn) First(key dclone.DigestKey) (dclone.Digest, error) {
	for tx, err := range c.log(context.Background(), c.Born()+1, c.Basis(), soon) {
		if err != nil {
			return dclone.Digest{}, err
		}
		id := c.DatabaseID()
		if id == "" {
			return c.digest(key, tx)
		}
		b := binary.BigEndian.AppendUint64(nil, uint64(tx.T))
		b = binary.BigEndian.AppendUint64(b, uint64(tx.Instant))
		return key.Of(append(b, id...)), nil
	}
	return dclone.Digest{}, nil
}

// Fingerprint returns that of transaction t.
func (c *Conn) Fingerprint(key dclone.DigestKey, t dclone.T) (f dclone.Fingerprint, err error) {
	var bad error
	err = c.at(context.Background(), t, func(tx *dclone.Tx) {
		f = dclone.Fingerprint{T: tx.T, Instant: tx.Instant}
		f.Digest, bad = c.digest(key, tx)
	})
	return f, errors.Join(err, bad)
}

// at calls do with transaction t.
func (c *Conn) at(ctx context.Context, t dclone.T, do func(*dclone.Tx)) error {
	if t >= 0 && t <= c.Basis() {
		for tx, err := range c.between(ctx, t, t) {
			if err == nil && tx.T == t {
				do(tx)
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("read t %d of %s: %w", t, c.db, source.ErrNoTx)
}

// digest is that of package source/local where the database is Datomic Local's: of the transaction as it is in the log
// on disk. So a clone may be gone on with from either.
func (c *Conn) digest(key dclone.DigestKey, tx *dclone.Tx) (dclone.Digest, error) {
	if c.db.Info().Kind == live.KindLocal {
		frame, err := local.AppendFrame(nil, tx.T, tx.Datoms)
		return key.Of(frame), err
	}
	return source.Digest(key, tx.Datoms), nil
}

// Txs yields the transactions from t on.
func (c *Conn) Txs(ctx context.Context, from dclone.T) iter.Seq2[*dclone.Tx, error] {
	return c.between(ctx, from, c.Basis())
}

// between yields the transactions from one t to another.
func (c *Conn) between(ctx context.Context, from, to dclone.T) iter.Seq2[*dclone.Tx, error] {
	return func(yield func(*dclone.Tx, error) bool) {
		for i := range c.born {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if tx := c.born[i]; tx.T >= from && tx.T <= to && !yield(&tx, nil) {
				return
			}
		}
		c.log(ctx, max(from, c.Born()+1), to, c.opt.Chunk)(yield)
	}
}

// soon is how many datoms to ask for at a time where the first few transactions are wanted: others would be on their way.
const soon = 256

// log yields transactions as the log has them.
func (c *Conn) log(ctx context.Context, from, to dclone.T, chunk int) iter.Seq2[*dclone.Tx, error] {
	return func(yield func(*dclone.Tx, error) bool) {
		if from > to {
			return
		}
		for tx, err := range c.db.TxRange(ctx, from, to+1, chunk) {
			if err == nil {
				err = c.pace.wait(ctx, len(tx.Datoms))
			}
			if err == nil && (tx.T < from || tx.T > to) {
				err = fmt.Errorf("read log of %s: t %d, where t %d to %d were asked for", c.db, tx.T, from, to)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			from, tx.ID = tx.T+1, [16]byte{}
			if !yield(tx, nil) {
				return
			}
		}
	}
}
