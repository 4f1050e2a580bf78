// Package local reads Datomic Local databases as sources.
package local

import (
	"context"
	"fmt"
	"iter"

	"dclone"
	"dclone/datomic/local"
	"dclone/source"
)

// A Conn is an open Datomic Local database. A Datomic Local process may be writing to it.
type Conn struct{ log *local.Log }

var _ source.Conn = (*Conn)(nil)

// Open opens the database in dir.
func Open(dir string) (*Conn, error) {
	l, err := local.OpenLog(dir)
	if err != nil {
		return nil, err
	}
	return &Conn{l}, nil
}

// Close closes the files.
func (c *Conn) Close() error { return c.log.Close() }

// DatabaseID returns "": a Datomic Local database has no name of its own on disk.
func (c *Conn) DatabaseID() string { return "" }

// Born returns the t of the bootstrap.
func (c *Conn) Born() dclone.T { return local.BootstrapT }

// Basis returns the t of the newest whole transaction.
func (c *Conn) Basis() dclone.T { return c.log.Basis() }

// First returns the digest of the first user transaction.
func (c *Conn) First(key dclone.DigestKey) (dclone.Digest, error) {
	if c.Basis() <= local.BootstrapT {
		return dclone.Digest{}, nil
	}
	from, err := c.log.Find(local.BootstrapT + 1)
	if err != nil {
		return dclone.Digest{}, err
	}
	f, err := c.fingerprint(key, from)
	return f.Digest, err
}

// Fingerprint returns that of transaction t.
func (c *Conn) Fingerprint(key dclone.DigestKey, t dclone.T) (dclone.Fingerprint, error) {
	from, err := c.log.Find(t)
	if err != nil {
		return dclone.Fingerprint{}, err
	}
	f, err := c.fingerprint(key, from)
	if err == nil && f.T != t {
		err = fmt.Errorf("read t %d of %s: %w", t, c.log.Path(), source.ErrNoTx)
	}
	return f, err
}

// fingerprint reads the frame at an offset; its T is -1 where the log ends there.
func (c *Conn) fingerprint(key dclone.DigestKey, from int64) (dclone.Fingerprint, error) {
	if from >= c.log.End() {
		return dclone.Fingerprint{T: -1}, nil
	}
	s := c.log.Scan(from, c.log.End())
	var f dclone.Fingerprint
	if s.Frame() {
		f.T = s.T()
		for s.Datom() {
			if s.D.E == s.D.Tx && s.D.A == local.AttrTxInstant && s.D.Added {
				f.Instant, _ = local.Instant(s.D.V)
			}
		}
	}
	if err := s.Err(); err != nil {
		return f, err
	}
	h := key.New()
	err := c.log.CopyTo(h, from, s.End())
	f.Digest = dclone.SumDigest(h)
	return f, err
}

// Txs yields the transactions from t on.
func (c *Conn) Txs(ctx context.Context, from dclone.T) iter.Seq2[*dclone.Tx, error] {
	return func(yield func(*dclone.Tx, error) bool) {
		offset, err := c.log.Find(from)
		if err != nil {
			yield(nil, err)
			return
		}
		s := c.log.Scan(offset, c.log.End())
		var tx dclone.Tx
		var arena []byte
		for s.Frame() {
			arena = readTx(s, &tx, arena[:0])
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if s.Err() != nil {
				break
			}
			if !yield(&tx, nil) {
				return
			}
		}
		if err := s.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// readTx reads the frame s is at. The values are copied into arena, because the scanner's own
// buffer moves on within a frame.
func readTx(s *local.Scanner, tx *dclone.Tx, arena []byte) []byte {
	*tx = dclone.Tx{T: s.T(), Datoms: tx.Datoms[:0]}
	for s.Datom() {
		d := s.D
		at := len(arena)
		arena = append(arena, d.V...)
		d.V = arena[at:len(arena):len(arena)]
		if d.E == d.Tx && d.A == local.AttrTxInstant && d.Added {
			tx.Instant, _ = local.Instant(d.V)
		}
		tx.Datoms = append(tx.Datoms, d)
	}
	return arena
}
