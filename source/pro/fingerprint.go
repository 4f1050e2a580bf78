package pro

import (
	"context"
	"encoding/binary"
	"fmt"

	"dclone"
	"dclone/source"
)

// First returns a digest of the first user transaction's t and id. Its datoms have no part in it:
// an excision can take them away, and the database is the same nevertheless.
func (c *Conn) First(key dclone.DigestKey) (dclone.Digest, error) {
	r := c.roots()
	for tx, err := range c.between(context.Background(), r, c.Born()+1, r.basis) {
		if err != nil {
			return dclone.Digest{}, err
		}
		b := binary.BigEndian.AppendUint64(nil, uint64(tx.T))
		return key.Of(append(b, tx.ID[:]...)), nil
	}
	return dclone.Digest{}, nil
}

// Fingerprint returns that of transaction t.
func (c *Conn) Fingerprint(key dclone.DigestKey, t dclone.T) (f dclone.Fingerprint, err error) {
	err = c.at1(context.Background(), t, func(tx *dclone.Tx) {
		f = dclone.Fingerprint{T: tx.T, Instant: tx.Instant, Digest: source.Digest(key, tx.Datoms), ID: uuidText(tx.ID)}
	})
	return f, err
}

// at1 calls do with transaction t.
func (c *Conn) at1(ctx context.Context, t dclone.T, do func(*dclone.Tx)) error {
	r := c.roots()
	if t <= r.basis {
		for tx, err := range c.between(ctx, r, t, t) {
			if err == nil {
				do(tx)
			}
			return err
		}
	}
	return fmt.Errorf("read t %d of %s: %w", t, c.db, source.ErrNoTx)
}
