package live

import (
	"errors"
	"math/big"
	"strings"

	"github.com/google/uuid"

	"dclone"
	"dclone/datomic/live"
	"dclone/fressian"
)

// runs reports whether the destination can run the predicate that d gives to an attribute.
func (t *Translator) runs(d dclone.Datom) (bool, error) {
	at := t.Schema.Attribute(d.E)
	if at == nil || at.Ident.IsReserved() {
		return false, nil // of what has a name of Datomic's own it takes none
	}
	tried := trial{string(d.V), at.ValueType}
	can, known := t.trials[tried]
	if known {
		return can, nil
	}
	can, err := t.Clone.CanRun(d.V, at)
	if err == nil {
		t.trials[tried] = can
	}
	return can, err
}

// A trial is a predicate and the type of what it is given.
type trial struct {
	pred      string
	valueType dclone.Keyword
}

// CanRun reports whether the destination can run a predicate of values like those of an attribute. An attribute of that
// type is installed with it, and then a value asserted, on trial: Datomic installs any, and looks for its function not
// before a value comes. One that it knows has an opinion of the value, or none; one that it does not know refuses all.
func (c *Clone) CanRun(pred dclone.Value, at *dclone.Attribute) (bool, error) {
	value, ok := probe(at)
	if !ok {
		return false, nil
	}
	name := dclone.Kw("dclone", "trial")
	say := func(e string, a dclone.Keyword, v any) any { return []any{kwAdd, e, a, v} }
	installs := []any{say("a", dclone.Kw("db", "ident"), name), say("a", dclone.Kw("db", "valueType"), at.ValueType),
		say("a", dclone.Kw("db", "cardinality"), dclone.Kw("db.cardinality", "one")),
		say("a", dclone.Kw("db.attr", "preds"), fressian.Raw(pred))}
	switch {
	case at.TupleType != dclone.Keyword{}:
		installs = append(installs, say("a", dclone.Kw("db", "tupleType"), at.TupleType))
	case at.TupleTypes != nil:
		types := make([]any, len(at.TupleTypes))
		for i, kw := range at.TupleTypes {
			types[i] = kw
		}
		installs = append(installs, say("a", dclone.Kw("db", "tupleTypes"), types))
	}
	install, err := fressian.Append(nil, installs)
	if err != nil {
		return false, err
	}
	assert, err := fressian.Append(nil, []any{say("e", name, value)})
	if err != nil {
		return false, err
	}
	_, err = c.conn.DB.With(c.ctx, install, assert)
	return opinion(err)
}

// opinion reports whether the error of a trial is none, or is what a predicate has said.
func opinion(err error) (bool, error) {
	var refused *live.Refused
	var remote *live.RemoteError
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &refused):
		return strings.HasSuffix(refused.DBError, "attr-pred"), nil
	case errors.As(err, &remote) && (remote.Anomaly == "" || strings.HasSuffix(remote.Anomaly, "/fault")):
		return false, nil
	}
	return false, err
}

// probe returns some value of an attribute's type.
func probe(at *dclone.Attribute) (v any, ok bool) {
	switch {
	case at.ValueType != dclone.Kw("db.type", "tuple"):
		v, ok = probes[at.ValueType]
		return v, ok
	case at.TupleTypes != nil:
		items := make([]any, len(at.TupleTypes))
		for i, kw := range at.TupleTypes {
			if items[i], ok = probes[kw]; !ok {
				return nil, false
			}
		}
		return items, true
	}
	v, ok = probes[at.TupleType]
	return []any{v, v}, ok
}

// probes are values by their types. A ref is one to the partition of attributes, which is always there.
var probes = map[dclone.Keyword]any{
	dclone.Kw("db.type", "ref"):     int64(0),
	dclone.Kw("db.type", "keyword"): dclone.Kw("dclone", "trial"),
	dclone.Kw("db.type", "symbol"):  dclone.Symbol(dclone.Kw("dclone", "trial")),
	dclone.Kw("db.type", "string"):  "dclone",
	dclone.Kw("db.type", "boolean"): true,
	dclone.Kw("db.type", "long"):    int64(1),
	dclone.Kw("db.type", "bigint"):  big.NewInt(1),
	dclone.Kw("db.type", "float"):   float32(1),
	dclone.Kw("db.type", "double"):  float64(1),
	dclone.Kw("db.type", "bigdec"):  dclone.Decimal{Unscaled: big.NewInt(1)},
	dclone.Kw("db.type", "instant"): dclone.Instant(0),
	dclone.Kw("db.type", "uuid"):    uuid.UUID{},
	dclone.Kw("db.type", "uri"):     dclone.URI("urn:dclone"),
	dclone.Kw("db.type", "bytes"):   []byte{1},
}
