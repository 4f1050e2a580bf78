package state

import (
	"time"

	"github.com/google/uuid"

	"dclone"
	"dclone/eidmap"
)

// Version is that of the sidecar's layout. An older program does not touch a newer one's file.
const Version = 1

// PlanVersion names the way first copies are cut into transactions. A first copy begun under
// another one cannot be resumed byte for byte, and is not.
const PlanVersion = 2

// A Session is one source–destination pair.
type Session struct {
	Version int              `json:"version"`
	ID      uuid.UUID        `json:"id"`
	Created time.Time        `json:"created"`
	Key     dclone.DigestKey `json:"key"`

	Source  Identity `json:"source"`
	Dest    Identity `json:"dest"`
	Options Options  `json:"options"`

	NotCarried         []dclone.NotCarried `json:"not_carried"`
	AcceptedNotCarried []dclone.NotCarried `json:"accepted_not_carried"`
}

// Live reports whether the clone is written through a running Datomic, which gives out the ids.
func (s Session) Live() bool { return s.Dest.Kind != "" }

// An Identity tells one database from another. Datomic Local keeps none on disk: there it is
// the digest of the first user transaction, zero while there is none.
type Identity struct {
	Address string        `json:"address"`
	ID      string        `json:"id,omitempty"`   // where the database has one
	Kind    string        `json:"kind,omitempty"` // of a clone that a running Datomic writes, as package datomic/live names it
	Born    dclone.T      `json:"born"`           // the newest t of its bootstrap; of a source
	First   dclone.Digest `json:"first"`
}

// Options are the choices that shape the transactions of a first copy, fixed when it begins.
type Options struct {
	Plan         int    `json:"plan"`
	MaxBatchSize int    `json:"max_batch_size"` // datoms
	TxEntities   string `json:"tx_entities"`    // used, all or none
	KeepT        bool   `json:"keep_t"`         // replayed transactions have the t they have in the source
}

// A Phase says what a clone holds.
type Phase string

// The phases of a clone.
const (
	Loading    Phase = "loading"    // a part of its first copy
	Publishing Phase = "publishing" // the whole first copy, perhaps not yet visible
	Current    Phase = "current"    // the source as of its position
)

// A Position says how far a clone has come.
type Position struct {
	Phase  Phase              `json:"phase"`
	Source dclone.Fingerprint `json:"source"` // of the newest transaction carried, or of the basis being loaded
	Clone  dclone.Mark        `json:"clone"`
	Loaded dclone.T           `json:"loaded"` // the clone's t when its first copy was whole
	Basis  dclone.T           `json:"basis"`  // the source's t the first copy was made at
	Next   eidmap.First       `json:"next"`   // ids not yet given out
	Mapped bool               `json:"mapped"` // the first copy's entity ids are in the map
	Plan   dclone.Digest      `json:"plan"`   // of the first copy, once it is mapped
	Cursor int64              `json:"cursor"` // where a first copy goes on whose ids the clone gives out
}
