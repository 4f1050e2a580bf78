package live

import (
	"fmt"
	"slices"

	"dclone"
	"dclone/fit"
	"dclone/replay"
	"dclone/schema"
	"dclone/state"
)

// What is not carried by way of transactions.
const (
	ReasonPredicates = "the destination has no function for the predicate, and would refuse every value"
	ReasonRedefines  = "it redefines a builtin"
	ReasonOwnTx      = "it is a tuple that refers to its own transaction"
	ReasonLater      = "the clone's newest transaction has a later instant"
	ReasonOrdinary   = "transaction entities became ordinary entities"
	ReasonLong       = "the string is longer than the destination takes"
)

// A Work is a transaction that the clone is to have, in the source's terms.
type Work struct {
	T       dclone.T // of the source, for what is told of it
	Instant dclone.Instant
	Self    dclone.EntityID // the source's transaction entity that the clone's stands for, or 0
	Datoms  []dclone.Datom
}

// A Looker knows what a clone holds.
type Looker interface {
	// Held reports for each of some values whether an entity of the clone holds it. The attribute is unique.
	Held(a dclone.EntityID, values []dclone.Value) ([]bool, error)
	// Ident returns the builtin of a name.
	Ident(kw dclone.Keyword) dclone.EntityID
	// MaxString returns how many UTF-16 units a string may have, 0 where there is no limit.
	MaxString() int
	// MaxDatoms returns how many datoms a transaction may have.
	MaxDatoms() int
	// NeedsUpgrade returns an error where an upgrade of the base schema would bring some of the builtins that are used.
	NeedsUpgrade(used []dclone.Keyword) error
	// NeedsIndex reports whether an attribute of the clone must get :db/index before it can become unique.
	NeedsIndex(a dclone.EntityID) (bool, error)
	// CanRun reports whether the destination can run a predicate of values like those of an attribute.
	CanRun(pred dclone.Value, at *dclone.Attribute) (bool, error)
}

// A Translator makes groups of frames of works.
type Translator struct {
	Clone  Looker
	Store  replay.Store
	Schema *schema.Schema // the source's
	Fit    *fit.Fit       // the same
	Unheld bool           // whatever is asserted of an entity without clone, :db/ident excepted, no other one holds

	instant dclone.Instant           // of the clone's newest transaction, those under way included
	pending map[dclone.EntityID]bool // entities that get their ids in transactions not yet committed
	said    map[claim]bool           // unique identities that transactions not yet committed give (true) or take away
	lookup  func(dclone.EntityID) (dclone.EntityID, bool, error)
	columns map[dclone.EntityID]fit.Column
	idents  map[dclone.Keyword]dclone.EntityID
	shared  map[dclone.Keyword]int
	trials  map[trial]bool
	indexed map[dclone.EntityID]bool // attributes that got :db/index (true) or lost it

	step replay.Step
}

// A claim is a unique value, in the source's terms.
type claim struct {
	a dclone.EntityID
	v string
}

// NewTranslator returns a Translator for a clone whose newest transaction has an instant.
func NewTranslator(c Looker, st replay.Store, s *schema.Schema, f *fit.Fit, newest dclone.Instant) *Translator {
	return &Translator{Clone: c, Store: st, Schema: s, Fit: f, instant: newest,
		pending: map[dclone.EntityID]bool{}, said: map[claim]bool{}, columns: map[dclone.EntityID]fit.Column{},
		idents: map[dclone.Keyword]dclone.EntityID{}, shared: map[dclone.Keyword]int{}, trials: map[trial]bool{}, indexed: map[dclone.EntityID]bool{}}
}

// Committed tells t that all it has made is in the clone, and in the sidecar.
func (t *Translator) Committed() {
	clear(t.pending)
	clear(t.said)
}

// Replay makes the step of a transaction of the source's log.
func (t *Translator) Replay(src *dclone.Tx) (replay.Step, error) {
	t.step = replay.Step{Source: src.T}
	for _, d := range src.Datoms {
		if t.Schema.Relevant(d) {
			d.V = slices.Clone(d.V)
			t.step.Schema = append(t.step.Schema, d)
		}
	}
	if len(t.step.Schema) > 0 {
		t.Fit.Learn(t.step.Schema)
		clear(t.columns)
		clear(t.idents)
		clear(t.shared)
		if err := t.Schema.Apply(t.step.Schema); err != nil {
			return replay.Step{}, err
		}
	}
	err := t.make(&Work{T: src.T, Instant: src.Instant, Self: dclone.TxID(src.T), Datoms: src.Datoms})
	if err != nil {
		err = fmt.Errorf("carry t %d: %w", src.T, err)
	}
	return t.step, err
}

// Load makes the step of a transaction of a first copy.
func (t *Translator) Load(w *Work, cursor int64) (replay.Step, error) {
	t.step = replay.Step{Cursor: cursor}
	err := t.make(w)
	if err != nil {
		err = fmt.Errorf("make first copy, transaction %d: %w", cursor, err)
	}
	return t.step, err
}

// make fills t.step with the frames of w.
func (t *Translator) make(w *Work) error {
	var frames []*frame
	err := t.Store.View(func(tx *state.Tx) error {
		m, err := tx.Map()
		if err != nil {
			return err
		}
		t.lookup = m.Clone
		frames, err = t.frames(w)
		return err
	})
	if err != nil {
		return err
	}
	for _, f := range frames {
		before := len(t.step.Frames)
		if t.step.Frames, err = appendFrame(t.step.Frames, f); err != nil {
			return err
		}
		t.step.Lengths = append(t.step.Lengths, len(t.step.Frames)-before)
	}
	t.step.Datoms = int64(len(w.Datoms))
	return nil
}

// entity returns the source's builtin of a name, -1 where it has none.
func (t *Translator) entity(ns, name string) dclone.EntityID {
	kw := dclone.Kw(ns, name)
	e, ok := t.idents[kw]
	if !ok {
		if e, ok = t.Schema.Entity(kw); !ok {
			e = -1
		}
		t.idents[kw] = e
	}
	return e
}

func (t *Translator) name(name string) string { return dclone.Kw("db", name).String() }

func (t *Translator) note(attribute, reason string, at dclone.T) {
	t.step.NotCarried = state.AddNotCarried(t.step.NotCarried,
		[]dclone.NotCarried{{Attribute: attribute, Reason: reason, Count: 1, FirstT: at}})
}

func (t *Translator) clone(src dclone.EntityID) (id dclone.EntityID, known bool, err error) {
	if id, ok := t.Fit.Builtin(src); ok {
		return id, true, nil
	}
	if t.pending[src] {
		return -src, true, nil
	}
	id, known, err = t.lookup(src)
	if !known {
		id = -src
	}
	return id, known, err
}
