// Package local writes clones that are Datomic Local databases.
//
// A clone is written through locked handles, and what is read of it during a run is read
// through them too.
package local

import (
	"errors"
	"fmt"

	"dclone"
	"dclone/datomic/local"
	"dclone/dest"
	"dclone/eidmap"
	"dclone/state"
)

// A Clone is a database directory that this process has locked, and perhaps the log in it.
type Clone struct {
	local.Kind
	dir  *local.Dir
	w    *local.Writer // nil before Load or Open
	key  dclone.DigestKey
	root local.Root // of the index that was built last
}

// Lock locks the directory of a clone, which is made where it is missing.
func Lock(path string) (*Clone, error) {
	d, err := local.LockDir(path)
	if err != nil {
		return nil, err
	}
	c := Dry()
	c.dir = d
	return c, nil
}

// Close lets go of the clone.
func (c *Clone) Close() error {
	return errors.Join(c.Release(), c.dir.Close())
}

// SetKey sets the key of digests, which is the session's.
func (c *Clone) SetKey(k dclone.DigestKey) { c.key = k }

// Bootstrap returns the transactions every database is born with.
func (c *Clone) Bootstrap() (frames []byte, lengths []int, next eidmap.First) {
	frames = local.Bootstrap()
	next = eidmap.First{DB: local.FirstEidx, User: local.FirstEidx, Value: 1, T: local.BootstrapT + 1}
	return frames, local.FrameLengths(frames), next
}

// Same reports whether Datomic Local would leave one of two values of a transaction out of its
// index: it takes 1.0M and 1.00M for equal.
func (c *Clone) Same(a, b dclone.Value) bool { return local.CompareValues(a, b) == 0 }

// Encode appends the frame of tx. Its instant comes first where its datoms do not place it.
func (c *Clone) Encode(dst []byte, tx *dclone.Tx) ([]byte, error) {
	id := dclone.TxID(tx.T)
	for _, d := range tx.Datoms {
		if d.A == local.AttrTxInstant && d.E == id {
			return local.AppendFrame(dst, tx.T, tx.Datoms)
		}
	}
	var instant [16]byte
	first := dclone.Datom{E: id, A: local.AttrTxInstant, V: local.AppendInstant(instant[:0], tx.Instant), Added: true}
	return local.AppendTx(dst, tx.T, first, tx.Datoms)
}

// Append writes frames. They are durable after Sync.
func (c *Clone) Append(frames []byte, lengths []int) error { return c.w.Append(frames, lengths) }

// Sync makes what was appended durable.
func (c *Clone) Sync() error { return c.w.Sync() }

// Mark returns the clone's newest transaction and length; its T is -1 where there is none.
func (c *Clone) Mark() (dclone.Mark, error) {
	if c.w.End() == 0 {
		return dclone.Mark{T: -1}, nil
	}
	return c.markAt(c.w.Log().Last(), c.w.End())
}

// markAt returns the mark of a log that would end with the frame between two offsets.
func (c *Clone) markAt(from, to int64) (dclone.Mark, error) {
	l := c.w.Log()
	s := l.Scan(from, to)
	m := dclone.Mark{Length: to}
	if s.Frame() {
		m.T = s.T()
		for s.Datom() {
			if s.D.E == s.D.Tx && s.D.A == local.AttrTxInstant {
				m.Instant, _ = local.Instant(s.D.V)
			}
		}
	}
	if err := s.Err(); err != nil {
		return m, err
	}
	h := c.key.New()
	err := l.CopyTo(h, from, to)
	m.Digest = dclone.SumDigest(h)
	return m, err
}

// Basis returns the clone's t.
func (c *Clone) Basis() dclone.T { return c.w.Basis() }

// Log returns a reader of the clone through its locked handles, good until the next write.
func (c *Clone) Log() *local.Log { return c.w.Log() }

// First returns the digest of the clone's first transaction after the bootstrap, zero where
// there is none.
func (c *Clone) First() (dclone.Digest, error) {
	l := c.w.Log()
	from, err := l.Find(local.BootstrapT + 1)
	if err != nil || from == l.End() {
		return dclone.Digest{}, err
	}
	s := l.Scan(from, l.End())
	s.Frame()
	for s.Datom() {
	}
	if s.Err() != nil {
		return dclone.Digest{}, s.Err()
	}
	m, err := c.markAt(from, s.End())
	return m.Digest, err
}

// Holds says what the directory holds: nothing, an empty database, or data.
func (c *Clone) Holds() (Content, error) {
	has, err := c.dir.Has()
	if err != nil || !has {
		return Nothing, err
	}
	l, err := local.OpenLog(c.dir.Path())
	if err != nil {
		return Data, err
	}
	defer l.Close()
	if l.Basis() > local.BootstrapT {
		return Data, nil
	}
	return Empty, nil
}

// Content is what a directory holds.
type Content int

// The contents of a directory.
const (
	Nothing Content = iota
	Empty           // a database that nobody has transacted to
	Data
)

// Drop removes a first copy that is not whole, and the database.
func (c *Clone) Drop() error {
	return errors.Join(c.dir.DropLoading(), c.dir.DropDatabase())
}

// Load opens the first copy that is being written, or begins one.
func (c *Clone) Load() (err error) {
	c.w, err = c.dir.Load()
	return err
}

// Open opens the database.
func (c *Clone) Open() (err error) {
	has, err := c.dir.Has()
	if err != nil {
		return err
	}
	if !has {
		return fmt.Errorf("open clone %s: the database is gone: %w", c.dir.Path(), dest.ErrStale)
	}
	c.w, err = c.dir.Open()
	return err
}

// Release lets go of the log, and keeps the directory.
func (c *Clone) Release() error {
	if c.w == nil {
		return nil
	}
	w := c.w
	c.w = nil
	return w.Close()
}

// ResumeLoad brings a first copy back to where the sidecar says it was. Nobody else writes to
// that file, so what is beyond is a rest of our own.
func (c *Clone) ResumeLoad(at dclone.Mark) error {
	has, err := c.dir.Has()
	if err != nil {
		return err
	}
	if has {
		return fmt.Errorf("resume first copy in %s: a database has appeared there: %w", c.dir.Path(), dest.ErrForeign)
	}
	loading, err := c.dir.HasLoading()
	if err != nil {
		return err
	}
	if !loading && at.Length > 0 {
		return fmt.Errorf("resume first copy in %s: it is gone: %w", c.dir.Path(), dest.ErrStale)
	}
	if err := c.Load(); err != nil {
		return err
	}
	if c.w.End() < at.Length {
		return fmt.Errorf("resume first copy in %s: its log has %d bytes, not %d: %w",
			c.dir.Path(), c.w.End(), at.Length, dest.ErrStale)
	}
	if err := c.w.Cut(at.Length); err != nil {
		return err
	}
	m, err := c.Mark()
	if err == nil && at.Length > 0 && m != at {
		err = fmt.Errorf("resume first copy in %s: t %d is not the transaction written there: %w",
			c.dir.Path(), at.T, dest.ErrStale)
	}
	return err
}

// Publish makes the first copy the database. It may be called again after a crash within it.
func (c *Clone) Publish() error { return c.dir.Publish(c.w) }

// Published reports whether the first copy has become the database already; a crash may have
// hidden that from the sidecar.
func (c *Clone) Published() (bool, error) {
	loading, err := c.dir.HasLoading()
	if err != nil || loading {
		return false, err
	}
	return c.dir.Has()
}

// Check makes sure that what was written is still where others look for it: Datomic Local's
// delete-database asks no lock.
func (c *Clone) Check() error { return c.w.Check() }

// Recover brings the clone to what the sidecar says, after a crash or not. It returns true where
// the group of the intent is in the clone, whole, so that its commit holds.
//
// The truth about how far the clone is, is in the clone. What lies beyond the mark is compared
// with the intent; only what the intent explains is ever cut.
func (c *Clone) Recover(at dclone.Mark, intent *state.Intent) (adopted bool, err error) {
	if err := c.checkMark(at); err != nil {
		return false, err
	}
	torn, err := c.w.Torn()
	if err != nil || c.w.End() == at.Length && torn == 0 {
		return false, err
	}
	t := at.T + 1
	if intent == nil {
		return false, &dest.DriftError{T: t, Cause: "no run of dclone was under way"}
	}
	s := c.w.Log().Scan(at.Length, c.w.End())
	frames := intent.Frames
	for from := at.Length; s.Frame(); from = s.End() {
		for s.Datom() {
		}
		t = s.T()
		if s.Err() != nil {
			break
		}
		h := c.key.New()
		if err := c.w.Log().CopyTo(h, from, s.End()); err != nil {
			return false, err
		}
		if len(frames) == 0 || dclone.SumDigest(h) != frames[0].Digest {
			return false, &dest.DriftError{T: t, Cause: "dclone was about to write something else"}
		}
		frames = frames[1:]
	}
	if err := s.Err(); err != nil {
		return false, err
	}
	room := int64(0)
	for _, f := range frames {
		room += f.Length
	}
	switch {
	case torn > room:
		return false, &dest.DriftError{T: c.w.Basis() + 1, Cause: "what dclone was about to write is there, and more"}
	case len(frames) == 0:
		return true, nil
	}
	return false, c.w.Cut(at.Length)
}

// checkMark makes sure that the clone has the transaction the sidecar says it ends with.
func (c *Clone) checkMark(at dclone.Mark) error {
	stale := fmt.Errorf("compare clone %s with its sidecar: t %d is not there as it was written: %w",
		c.dir.Path(), at.T, dest.ErrStale)
	if c.w.End() < at.Length {
		return stale
	}
	if at.Length == c.w.End() {
		if m, err := c.Mark(); err != nil || m != at {
			return errors.Join(err, stale)
		}
		return nil
	}
	l := c.w.Log()
	from, err := l.Find(at.T)
	if err != nil {
		return err
	}
	if from >= at.Length {
		return stale
	}
	m, err := c.markAt(from, at.Length)
	if err != nil || m != at {
		return stale
	}
	return nil
}

// Dir returns the clone's directory, where files can be kept that are too large for memory.
func (c *Clone) Dir() string { return c.dir.Path() }

// IsOpen reports whether Load or Open was called.
func (c *Clone) IsOpen() bool { return c.w != nil }
