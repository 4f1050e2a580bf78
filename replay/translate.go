package replay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"dclone"
	"dclone/eidmap"
	"dclone/fit"
	"dclone/fressian"
	"dclone/schema"
	"dclone/state"
)

const reasonOrdinary = "transaction entities became ordinary entities"

// ReasonExcised is why a clone is not what its source is after an excision.
const ReasonExcised = "the source excised datoms that the clone may still hold; sync --restart copies without them"

// An Encoder makes transactions of the clone's kind.
type Encoder interface {
	fit.Clone
	// Encode appends tx, whose ids are the clone's, as it will be stored.
	Encode(dst []byte, tx *dclone.Tx) ([]byte, error)
}

// A Translator turns the source's transactions into the clone's, one for one. It gives out ids
// for entities it meets for the first time.
type Translator struct {
	Dest   Encoder
	Store  Store
	Schema *schema.Schema // the source's, as of the position; it grows with every transaction
	Fit    *fit.Fit       // the same
	KeepT  bool           // a transaction has the t it has in the source

	next   eidmap.First
	mark   dclone.Mark
	lookup func(dclone.EntityID) (dclone.EntityID, bool, error) // in the sidecar
	fresh  map[dclone.EntityID]dclone.EntityID                  // given out, not yet committed
	attrs  map[dclone.EntityID]dclone.EntityID
	fits   map[dclone.EntityID]fit.Column

	tx    dclone.Tx // the clone's
	arena []byte
	frame []byte
	step  Step
}

// NewTranslator returns a Translator that goes on at pos.
func NewTranslator(d Encoder, st Store, s *schema.Schema, f *fit.Fit, pos state.Position) *Translator {
	return &Translator{Dest: d, Store: st, Schema: s, Fit: f, next: pos.Next, mark: pos.Clone,
		fresh: map[dclone.EntityID]dclone.EntityID{}, attrs: map[dclone.EntityID]dclone.EntityID{},
		fits: map[dclone.EntityID]fit.Column{}}
}

// Committed tells t that all it gave out is in the sidecar.
func (t *Translator) Committed() { clear(t.fresh) }

// Steps yields a step for each of the transactions.
func (t *Translator) Steps(ctx context.Context, txs iter.Seq2[*dclone.Tx, error]) iter.Seq2[Step, error] {
	return func(yield func(Step, error) bool) {
		for tx, err := range txs {
			if err == nil {
				err = t.translate(tx)
			}
			if err != nil {
				yield(Step{}, err)
				return
			}
			if !yield(t.step, nil) {
				return
			}
		}
	}
}

// translate makes the step of one transaction.
func (t *Translator) translate(src *dclone.Tx) error {
	t.step = Step{Source: src.T, Runs: t.step.Runs[:0]}
	t.arena = t.arena[:0]
	if err := t.applySchema(src); err != nil {
		return err
	}
	err := t.Store.View(func(tx *state.Tx) error {
		m, err := tx.Map()
		if err != nil {
			return err
		}
		t.lookup = m.Clone
		return t.carry(src)
	})
	if err != nil {
		return fmt.Errorf("carry t %d: %w", src.T, err)
	}
	if t.frame, err = t.Dest.Encode(t.frame[:0], &t.tx); err != nil {
		return err
	}
	t.step.Frames, t.step.Lengths = t.frame, []int{len(t.frame)}
	t.step.Datoms = int64(len(t.tx.Datoms))
	t.step.Next = t.next
	return nil
}

// applySchema keeps the datoms that change the schema, for later runs and for this one.
func (t *Translator) applySchema(src *dclone.Tx) error {
	before := len(t.step.Schema)
	for _, d := range src.Datoms {
		if t.Schema.Relevant(d) {
			d.V = slices.Clone(d.V)
			t.step.Schema = append(t.step.Schema, d)
		}
	}
	t.Fit.Learn(t.step.Schema[before:])
	if len(t.step.Schema) > before {
		clear(t.fits)
	}
	return t.Schema.Apply(t.step.Schema[before:])
}

// carry fills t.tx.
func (t *Translator) carry(src *dclone.Tx) error {
	t.mark.T++
	if t.KeepT {
		if src.T < t.mark.T {
			return fmt.Errorf("keep it: the clone has come to t %d", t.mark.T-1)
		}
		t.mark.T = src.T
	}
	t.mark.Instant = max(src.Instant, t.mark.Instant)
	if t.mark.Instant > src.Instant {
		t.note(":db/txInstant", "the clone's newest transaction has a later instant", src.T)
	}
	// Something may have referred to the number of this transaction before there was one.
	if _, ok, err := t.known(dclone.TxID(src.T)); err != nil {
		return err
	} else if ok {
		t.note(":db/txInstant", reasonOrdinary, src.T)
	} else {
		t.bind(dclone.TxID(src.T), dclone.TxID(t.mark.T))
	}
	if err := t.meet(src); err != nil {
		return err
	}
	t.tx = dclone.Tx{T: t.mark.T, Instant: t.mark.Instant, Datoms: t.tx.Datoms[:0]}
	instant, _ := t.Schema.Entity(dclone.Kw("db", "txInstant"))
	excise, _ := t.Schema.Entity(dclone.Kw("db", "excise"))
	for _, d := range src.Datoms {
		if d.A == instant && d.E == d.Tx {
			if !d.Added {
				continue
			}
			at := len(t.arena)
			t.arena, _ = fressian.Append(t.arena, t.mark.Instant)
			d.V = t.arena[at:len(t.arena):len(t.arena)]
		}
		if why, refused := t.refuses(d); refused {
			if d.Added && why.Reason != "" {
				t.note(why.Attribute, why.Reason, src.T)
			}
			continue
		}
		if d.A == excise && d.Added {
			t.note(":db/excise", ReasonExcised, src.T)
		}
		out, ok, err := t.datom(d)
		if err != nil {
			return fmt.Errorf("entity %d, attribute %d: %w", d.E, d.A, err)
		}
		if d.A == instant && d.E == d.Tx {
			out.E = dclone.TxID(t.mark.T)
		}
		if ok {
			t.tx.Datoms = append(t.tx.Datoms, out)
		}
	}
	return nil
}

// refuses asks the Fit, which decides once for an attribute.
func (t *Translator) refuses(d dclone.Datom) (fit.Refusal, bool) {
	if !t.Fit.Foreign() {
		return fit.Refusal{}, false
	}
	c, ok := t.fits[d.A]
	if !ok {
		c = t.Fit.Column(d.A)
		t.fits[d.A] = c
	}
	return c.Refuses(d)
}

// errUnmapped says that an entity has no clone.
var errUnmapped = errors.New("the entity has no clone")

// datom translates one datom. It is dropped where it retracts what the clone never had.
func (t *Translator) datom(d dclone.Datom) (dclone.Datom, bool, error) {
	e, err := t.clone(d.E)
	if err == nil && t.attrs[d.A] == 0 {
		t.attrs[d.A], err = t.clone(d.A)
	}
	out := dclone.Datom{E: e, A: t.attrs[d.A], V: d.V, Added: d.Added}
	if refs := t.Schema.Refs(d.A); err == nil && refs != dclone.NoRefs {
		at := len(t.arena)
		t.arena, err = eidmap.Rewrite(t.arena, d.V, refs, t.clone)
		out.V = t.arena[at:len(t.arena):len(t.arena)]
	}
	if errors.Is(err, errUnmapped) && !d.Added {
		return out, false, nil
	}
	return out, err == nil, err
}

// clone returns the clone's entity, which must have been met.
func (t *Translator) clone(src dclone.EntityID) (dclone.EntityID, error) {
	e, ok, err := t.known(src)
	if err == nil && !ok {
		err = errUnmapped
	}
	return e, err
}

func (t *Translator) known(src dclone.EntityID) (dclone.EntityID, bool, error) {
	if e, ok := t.Fit.Builtin(src); ok {
		return e, true, nil
	}
	if e, ok := t.fresh[src]; ok {
		return e, true, nil
	}
	return t.lookup(src)
}

// meet gives ids to the entities that src asserts something of or refers to, and that have none.
// Those it asserts something of come first, either kind in order of the source's ids, which
// keeps runs of the map long.
func (t *Translator) meet(src *dclone.Tx) error {
	var entities, values []dclone.EntityID
	last := dclone.EntityID(-1)
	for _, d := range src.Datoms {
		if _, refused := t.refuses(d); refused || !d.Added {
			continue
		}
		if d.E != last {
			if _, ok, err := t.known(d.E); err != nil {
				return err
			} else if !ok {
				entities = append(entities, d.E)
			}
			last = d.E
		}
		refs := t.Schema.Refs(d.A)
		if refs == dclone.NoRefs {
			continue
		}
		var failed error
		err := eidmap.EachRef(d.V, refs, func(v dclone.EntityID) {
			if _, ok, err := t.known(v); err != nil {
				failed = err
			} else if !ok {
				values = append(values, v)
			}
		})
		if err = errors.Join(err, failed); err != nil {
			return fmt.Errorf("entity %d, attribute %d: %w", d.E, d.A, err)
		}
	}
	t.give(entities, src.T, t.entity)
	t.give(values, src.T, t.value)
	return nil
}

// give binds each of the ids that is still without a clone.
func (t *Translator) give(ids []dclone.EntityID, at dclone.T, make func(dclone.EntityID) dclone.EntityID) {
	slices.Sort(ids)
	for _, src := range slices.Compact(ids) {
		if _, ok := t.fresh[src]; ok {
			continue
		}
		if src.IsTx() {
			t.note(":db/txInstant", reasonOrdinary, at)
		}
		t.bind(src, make(src))
	}
}

// entity makes an id for an entity with datoms.
func (t *Translator) entity(src dclone.EntityID) dclone.EntityID {
	switch p := src.Partition(); p {
	case dclone.PartDB:
		t.next.DB++
		return dclone.MakeEntityID(dclone.PartDB, t.next.DB-1)
	case dclone.PartTx:
		return t.value(src)
	default:
		t.next.User++
		return dclone.MakeEntityID(eidmap.ClonePartition(p), t.next.User-1)
	}
}

// value makes an id for an entity that occurs only as a value. One of the db partition stays
// there: an attribute may be installed under that number later, and Datomic Local opens no
// database that has attributes elsewhere.
func (t *Translator) value(src dclone.EntityID) dclone.EntityID {
	if src.Partition() == dclone.PartDB {
		return t.entity(src)
	}
	t.next.Value++
	return dclone.MakeEntityID(dclone.PartUser, t.next.Value-1)
}

func (t *Translator) bind(src, clone dclone.EntityID) {
	t.fresh[src] = clone
	if n := len(t.step.Runs) - 1; n >= 0 {
		r := &t.step.Runs[n]
		if r.Src+dclone.EntityID(r.N) == src && r.Clone+dclone.EntityID(r.N) == clone {
			r.N++
			return
		}
	}
	t.step.Runs = append(t.step.Runs, eidmap.Run{Src: src, Clone: clone, N: 1})
}

func (t *Translator) note(attribute, reason string, at dclone.T) {
	t.step.NotCarried = state.AddNotCarried(t.step.NotCarried,
		[]dclone.NotCarried{{Attribute: attribute, Reason: reason, Count: 1, FirstT: at}})
}
