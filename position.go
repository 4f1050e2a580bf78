package dclone

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

// A Digest is a keyed hash of bytes that must not be kept themselves.
type Digest [16]byte

// A DigestKey makes digests that say nothing to those who do not have the key.
type DigestKey []byte

// New returns a hash to write to; Sum ends it.
func (k DigestKey) New() hash.Hash {
	h := sha256.New()
	h.Write(k)
	return h
}

// Of returns the digest of b.
func (k DigestKey) Of(b []byte) Digest {
	h := k.New()
	h.Write(b)
	return SumDigest(h)
}

// SumDigest returns the digest of what was written to a hash of DigestKey.New.
func SumDigest(h hash.Hash) (d Digest) {
	copy(d[:], h.Sum(nil))
	return d
}

// MarshalText writes d in hexadecimal.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Digest) UnmarshalText(b []byte) error {
	var got Digest
	if n, err := hex.Decode(got[:], b[:min(len(b), 2*len(got))]); err != nil || n != len(got) || len(b) != 2*len(got) {
		return fmt.Errorf("read digest: %q is not 32 hexadecimal digits", b)
	}
	*d = got
	return nil
}

// A Fingerprint tells one transaction of a source from any other that could have its t.
type Fingerprint struct {
	T       T       `json:"t"`
	Instant Instant `json:"instant"`
	Digest  Digest  `json:"digest"`       // of its datoms
	ID      string  `json:"id,omitempty"` // of the transaction, where the source gives it one
}

// SameTx reports whether f and g are of one transaction, whose datoms may have been excised meanwhile
// where transactions have ids.
func (f Fingerprint) SameTx(g Fingerprint) bool {
	return f.T == g.T && f.Instant == g.Instant && f.ID == g.ID && (f.ID != "" || f.Digest == g.Digest)
}

// A Mark says how long a clone is and what its newest transaction is.
type Mark struct {
	T       T       `json:"t"`
	Instant Instant `json:"instant"`
	Digest  Digest  `json:"digest"` // of the newest transaction as it is stored
	Length  int64   `json:"length"` // of the log in bytes, where the clone is on disk
}

// A NotCarried says what a clone could not hold.
type NotCarried struct {
	Attribute string `json:"attribute"` // its ident
	Reason    string `json:"reason"`
	Count     int64  `json:"count"` // datoms
	FirstT    T      `json:"first_t"`
}

// Plus returns what n and m, which may be nil, come to together. They are of one attribute and reason.
func (n *NotCarried) Plus(m *NotCarried) *NotCarried {
	if m == nil {
		return n
	}
	return &NotCarried{n.Attribute, n.Reason, n.Count + m.Count, min(n.FirstT, m.FirstT)}
}
