package state

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"dclone"
	"dclone/eidmap"
)

// A Commit is what becomes true together when a group is in the clone.
type Commit struct {
	Position   Position
	Runs       []eidmap.Run        // ids that were given out
	Schema     []dclone.Datom      // of the source
	NotCarried []dclone.NotCarried // to be added to the session's
}

// An Intent is what a group is about to write, made durable before it is written. After a crash
// the clone is compared with it, never with a second reading of the source.
type Intent struct {
	Frames []Frame
	Sent   []byte // the frames themselves, where the clone gives out the ids
	Commit Commit
}

// A Frame is one transaction as the clone will store it.
type Frame struct {
	Length int64 // bytes
	Digest dclone.Digest
}

// Commit makes c true in the sidecar: the position, the bindings, and no intent.
func (t *Tx) Commit(c *Commit) error {
	if len(c.Runs) > 0 {
		m, err := t.Map()
		if err != nil {
			return err
		}
		if err := m.Put(c.Runs); err != nil {
			return err
		}
	}
	if len(c.NotCarried) > 0 {
		var s Session
		if err := t.get(keySession, &s); err != nil {
			return err
		}
		s.NotCarried = AddNotCarried(s.NotCarried, c.NotCarried)
		if err := t.SetSession(s); err != nil {
			return err
		}
	}
	return errors.Join(t.AddSchema(c.Schema), t.SetPosition(c.Position), t.DropIntent())
}

// AddNotCarried adds more to what was not carried: one entry an attribute and reason.
func AddNotCarried(have, more []dclone.NotCarried) []dclone.NotCarried {
next:
	for _, m := range more {
		for i, h := range have {
			if h.Attribute == m.Attribute && h.Reason == m.Reason {
				have[i].Count += m.Count
				have[i].FirstT = min(h.FirstT, m.FirstT)
				continue next
			}
		}
		have = append(have, m)
	}
	return have
}

// The encoding is a JSON head and two lists, each behind its length.
type intentHead struct {
	Position   Position            `json:"position"`
	NotCarried []dclone.NotCarried `json:"not_carried,omitempty"`
	Sent       []byte              `json:"sent,omitempty"`
}

func (i *Intent) encode() []byte {
	head, err := json.Marshal(intentHead{i.Commit.Position, i.Commit.NotCarried, i.Sent})
	if err != nil {
		panic(err) // plain data
	}
	b := binary.AppendUvarint(nil, uint64(len(head)))
	b = append(b, head...)
	b = binary.AppendUvarint(b, uint64(len(i.Frames)))
	for _, f := range i.Frames {
		b = binary.AppendUvarint(b, uint64(f.Length))
		b = append(b, f.Digest[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(i.Commit.Runs)))
	for _, r := range i.Commit.Runs {
		b = binary.AppendUvarint(b, uint64(r.Src))
		b = binary.AppendUvarint(b, uint64(r.Clone))
		b = binary.AppendUvarint(b, uint64(r.N))
	}
	for _, d := range i.Commit.Schema {
		b = appendDatom(b, d)
	}
	return b
}

var errIntent = errors.New("read intent: it is damaged")

func (i *Intent) decode(b []byte) error {
	r := reader{b: b}
	var head intentHead
	if err := json.Unmarshal(r.bytes(r.uint()), &head); err != nil {
		return fmt.Errorf("read intent: %w", err)
	}
	i.Commit.Position, i.Commit.NotCarried, i.Sent = head.Position, head.NotCarried, head.Sent
	for n := r.uint(); n > 0 && !r.bad; n-- {
		f := Frame{Length: int64(r.uint())}
		copy(f.Digest[:], r.bytes(uint64(len(f.Digest))))
		i.Frames = append(i.Frames, f)
	}
	for n := r.uint(); n > 0 && !r.bad; n-- {
		i.Commit.Runs = append(i.Commit.Runs, eidmap.Run{
			Src: dclone.EntityID(r.uint()), Clone: dclone.EntityID(r.uint()), N: int64(r.uint())})
	}
	for !r.bad && len(r.b) > 0 {
		d, rest, err := readDatom(r.b)
		if err != nil {
			return errIntent
		}
		i.Commit.Schema = append(i.Commit.Schema, d)
		r.b = rest
	}
	if r.bad {
		return errIntent
	}
	return nil
}

// A reader takes fields off a slice; after the first that is not there it is bad.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

var errDatom = errors.New("read schema: a datom is damaged")

func appendDatom(b []byte, d dclone.Datom) []byte {
	b = binary.AppendUvarint(b, uint64(d.E))
	b = binary.AppendUvarint(b, uint64(d.A))
	top := uint64(d.Tx.T()) << 1
	if d.Added {
		top |= 1
	}
	b = binary.AppendUvarint(b, top)
	b = binary.AppendUvarint(b, uint64(len(d.V)))
	return append(b, d.V...)
}

func readDatom(b []byte) (d dclone.Datom, rest []byte, err error) {
	r := reader{b: b}
	d.E, d.A = dclone.EntityID(r.uint()), dclone.EntityID(r.uint())
	top := r.uint()
	d.Tx, d.Added = dclone.TxID(dclone.T(top>>1)), top&1 == 1
	d.V = append(dclone.Value(nil), r.bytes(r.uint())...)
	if r.bad {
		return d, nil, errDatom
	}
	return d, r.b, nil
}
