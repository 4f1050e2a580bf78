package fit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	"dclone/fit"
	"dclone/fressian"
	"dclone/schema"
)

func value(t testing.TB, v any) dclone.Value {
	b, err := fressian.Append(nil, v)
	require.NoError(t, err)
	return b
}

// A source of another kind: its bootstrap numbers otherwise what both have, and has more.
type other struct {
	schema schema.Schema
	fit    *fit.Fit
	t      testing.TB
}

const born = 66

// The numbers of its builtins, where they matter.
const (
	partDB, installAttr      = 0, 13
	typeRef, typeString      = 20, 23
	typeFn, typeBytes        = 26, 27
	typeBoolean              = 24
	one, many                = 35, 36
	valueType, card          = 40, 41
	index, txInstant, dbFn   = 44, 50, 52
	retractEntity, doc, user = 54, 99, 1000
)

func newOther(t testing.TB) *other { return newOtherTo(t, local.Kind{}) }

func newOtherTo(t testing.TB, clone fit.Clone) *other {
	o := &other{t: t}
	o.fit = fit.New(clone, &o.schema, born)
	idents := map[dclone.EntityID]dclone.Keyword{partDB: dclone.Kw("db.part", "db"), 10: dclone.Kw("db", "ident"),
		installAttr: dclone.Kw("db.install", "attribute"), typeRef: dclone.Kw("db.type", "ref"),
		typeString: dclone.Kw("db.type", "string"), typeFn: dclone.Kw("db.type", "fn"), typeBytes: dclone.Kw("db.type", "bytes"),
		typeBoolean: dclone.Kw("db.type", "boolean"), one: dclone.Kw("db.cardinality", "one"), many: dclone.Kw("db.cardinality", "many"),
		valueType: dclone.Kw("db", "valueType"), card: dclone.Kw("db", "cardinality"), index: dclone.Kw("db", "index"),
		txInstant: dclone.Kw("db", "txInstant"), dbFn: dclone.Kw("db", "fn"), retractEntity: dclone.Kw("db.fn", "retractEntity"),
		doc: dclone.Kw("db", "doc")}
	for id := dclone.EntityID(0); id < user; id++ {
		if kw, ok := idents[id]; ok {
			o.apply(0, o.datom(id, 10, kw))
		}
	}
	for _, a := range []struct{ id, typ, card dclone.EntityID }{{installAttr, typeRef, many}, {valueType, typeRef, one},
		{card, typeRef, one}, {index, typeBoolean, one}, {dbFn, typeFn, one}, {doc, typeString, one}} {
		o.install(1, a.id, a.typ, a.card)
	}
	return o
}

func (o *other) datom(e, a dclone.EntityID, v any) dclone.Datom {
	if id, ok := v.(dclone.EntityID); ok {
		v = int64(id)
	}
	return dclone.Datom{E: e, A: a, V: value(o.t, v), Added: true}
}

func (o *other) apply(t dclone.T, datoms ...dclone.Datom) {
	for i := range datoms {
		datoms[i].Tx = dclone.TxID(t)
	}
	o.fit.Learn(datoms)
	require.NoError(o.t, o.schema.Apply(datoms))
}

func (o *other) install(t dclone.T, id, typ, cardinality dclone.EntityID) {
	o.apply(t, o.datom(id, valueType, typ), o.datom(id, card, cardinality), o.datom(partDB, installAttr, id))
}

func (o *other) attribute(id dclone.EntityID, name string, typ dclone.EntityID) {
	o.apply(user, o.datom(id, 10, dclone.Kw("my", name)))
	o.install(user, id, typ, one)
}

func TestBuiltinsByIdent(t *testing.T) {
	o := newOther(t)
	require.True(t, o.fit.Foreign())
	for src, want := range map[dclone.EntityID]dclone.EntityID{partDB: 0, 10: 10, installAttr: 13, doc: 63, valueType: 40} {
		got, ok := o.fit.Builtin(src)
		require.True(t, ok, "%d", src)
		require.Equal(t, want, got, "%d", src)
		back, ok := o.fit.Source(want)
		require.True(t, ok && back == src, "%d", want)
	}
	for _, src := range []dclone.EntityID{index, dbFn, typeFn, typeBytes, retractEntity} {
		_, ok := o.fit.Builtin(src)
		require.False(t, ok, "%d", src)
		require.True(t, o.fit.Lacks(src), "%d", src)
	}
	for _, src := range []dclone.EntityID{72, user, dclone.TxID(3), dclone.TxID(user), dclone.MakeEntityID(4, 10), 1 << 41} {
		_, ok := o.fit.Builtin(src)
		require.False(t, ok || o.fit.Lacks(src), "%d", src)
	}
}

func TestRefuses(t *testing.T) {
	o := newOther(t)
	o.attribute(72, "text", typeString)
	o.attribute(73, "blob", typeBytes)
	o.attribute(74, "fn", typeFn)
	o.attribute(75, "ref", typeRef)
	e := dclone.MakeEntityID(4, 1001)
	for _, c := range []struct {
		d         dclone.Datom
		refused   bool
		attribute string
		reason    string
	}{
		{o.datom(e, 72, "x"), false, "", ""},
		{o.datom(e, 75, e), false, "", ""},
		{o.datom(e, 75, dclone.EntityID(typeString)), false, "", ""},
		{o.datom(e, 73, []byte("x")), true, ":my/blob", "Datomic Local has no values of :db.type/bytes"},
		{o.datom(73, valueType, dclone.EntityID(typeBytes)), true, ":my/blob", "Datomic Local has no values of :db.type/bytes"},
		{o.datom(74, valueType, dclone.EntityID(typeFn)), true, ":my/fn", "Datomic Local has no values of :db.type/fn"},
		{o.datom(partDB, installAttr, dclone.EntityID(73)), true, "", ""},
		{o.datom(partDB, installAttr, dclone.EntityID(72)), false, "", ""},
		{o.datom(73, card, dclone.EntityID(one)), false, "", ""},
		{o.datom(72, index, true), true, ":db/index", "Datomic Local has no such attribute"},
		{o.datom(e, 75, dclone.EntityID(retractEntity)), true, ":my/ref", "it refers to :db.fn/retractEntity, which Datomic Local lacks"},
		{o.datom(retractEntity, 72, "x"), true, ":my/text", "it is of :db.fn/retractEntity, which Datomic Local lacks"},
		{o.datom(valueType, 72, "x"), false, "", ""},
		{o.datom(valueType, doc, "my own"), true, ":db/doc", "it redefines a builtin"},
		{o.datom(valueType, card, dclone.EntityID(one)), true, "", ""},
		{o.datom(valueType, card, dclone.EntityID(many)), true, ":db/cardinality", "it redefines a builtin"},
		{o.datom(e, doc, "x"), false, "", ""},
	} {
		c.d.Tx = dclone.TxID(user)
		why, refused := o.fit.Refuses(c.d)
		require.Equal(t, c.refused, refused, "%v", c.d)
		require.Equal(t, fit.Refusal{Attribute: c.attribute, Reason: c.reason}, why, "%v", c.d)
	}
}

// A running is a Datomic Local that transacts what it gets.
type running struct{ local.Kind }

func (running) Transacts() bool { return true }

// An entity that cannot be an attribute gets nothing that would make it one, and nothing is excised.
func TestTransactor(t *testing.T) {
	o := newOtherTo(t, running{})
	o.attribute(72, "text", typeString)
	o.attribute(73, "blob", typeBytes)
	for _, c := range []struct {
		d       dclone.Datom
		refused bool
	}{
		{o.datom(73, card, dclone.EntityID(one)), true},
		{o.datom(73, doc, "x"), false},
		{o.datom(73, 10, dclone.Kw("my", "blob")), false},
		{o.datom(73, 72, "x"), false},
		{o.datom(72, card, dclone.EntityID(one)), false},
	} {
		c.d.Tx = dclone.TxID(user)
		why, refused := o.fit.Refuses(c.d)
		require.Equal(t, c.refused, refused, "%v", c.d)
		require.Empty(t, why, "the value type is counted")
	}
}

// Also between databases of one kind.
func TestTransactorAlike(t *testing.T) {
	for _, clone := range []fit.Clone{local.Kind{}, running{}} {
		var s schema.Schema
		f := fit.New(clone, &s, local.BootstrapT)
		local.EachBootstrapDatom(func(d dclone.Datom) {
			f.Learn([]dclone.Datom{d})
			require.NoError(t, s.Apply([]dclone.Datom{d}))
		})
		require.False(t, f.Foreign())
		for _, kw := range []dclone.Keyword{dclone.Kw("db", "excise"), dclone.Kw("db.excise", "beforeT"), dclone.Kw("db.excise", "attrs")} {
			a, ok := s.Entity(kw)
			require.True(t, ok)
			why, refused := f.Refuses(dclone.Datom{E: dclone.MakeEntityID(4, 1001), A: a, V: value(t, int64(9)), Tx: dclone.TxID(user), Added: true})
			require.Equal(t, clone == fit.Clone(running{}), refused)
			if refused {
				require.Equal(t, fit.Refusal{Attribute: kw.String(), Reason: fit.ReasonCommand}, why)
			}
		}
	}
}

// An upgrade gives an older source what younger ones are born with.
func TestUpgrade(t *testing.T) {
	o := newOther(t)
	_, ok := o.fit.Builtin(65)
	require.False(t, ok)
	o.apply(user, o.datom(64, 10, dclone.Kw("db.type", "symbol")), o.datom(65, 10, dclone.Kw("db", "tupleAttrs")),
		o.datom(66, 10, dclone.Kw("db", "newest")), o.datom(67, 10, dclone.Kw("db.part", "mine")))
	got, ok := o.fit.Builtin(65)
	require.True(t, ok)
	require.EqualValues(t, 68, got)
	require.True(t, o.fit.Lacks(66), "no :db/ ident is made up in a clone")
	require.False(t, o.fit.Lacks(67), "a partition of the user's")
	why, refused := o.fit.Refuses(o.datom(65, 10, dclone.Kw("db", "tupleAttrs")))
	require.True(t, refused && why == fit.Refusal{}, "the clone has it anyway")
}

// Between databases of one kind nothing is refused, and builtins keep their numbers.
func TestAlike(t *testing.T) {
	var s schema.Schema
	f := fit.New(local.Kind{}, &s, local.BootstrapT)
	var datoms []dclone.Datom
	local.EachBootstrapDatom(func(d dclone.Datom) {
		if d.E.Partition() == dclone.PartDB {
			datoms = append(datoms, d)
		}
	})
	require.NoError(t, s.Apply(datoms))
	f.Learn(datoms)
	require.False(t, f.Foreign())
	for _, e := range []dclone.EntityID{0, 3, 10, 26, 72, dclone.TxID(0), dclone.TxID(1), dclone.TxID(5)} {
		got, ok := f.Builtin(e)
		require.True(t, ok && got == e, "%d", e)
	}
	for _, e := range []dclone.EntityID{5, 6, 14, 73, dclone.TxID(6), dclone.MakeEntityID(17, 10)} {
		_, ok := f.Builtin(e)
		require.False(t, ok, "%d", e)
	}
	for _, d := range datoms {
		_, refused := f.Refuses(d)
		require.False(t, refused, "%v", d)
	}
}

// A source that is born as the clone is, but for what an upgrade of its base schema brings later under other numbers.
func TestUpgradedSource(t *testing.T) {
	var s schema.Schema
	f := fit.New(local.Kind{}, &s, 3)
	learn := func(datoms ...dclone.Datom) {
		f.Learn(datoms)
		require.NoError(t, s.Apply(datoms))
	}
	var tuple dclone.EntityID
	local.EachBootstrapDatom(func(d dclone.Datom) {
		if d.Tx.T() <= 3 {
			learn(d)
		} else if d.A == dclone.AttrIdent && string(d.V) == string(value(t, dclone.Kw("db.type", "tuple"))) {
			tuple = d.E
		}
	})
	require.NotZero(t, tuple)
	name := func(e dclone.EntityID, kw dclone.Keyword) dclone.Datom {
		return dclone.Datom{E: e, A: dclone.AttrIdent, V: value(t, kw), Tx: dclone.TxID(9), Added: true}
	}
	learn(name(90, dclone.Kw("db.user", "own")), name(91, dclone.Kw("user", "own")))
	require.False(t, f.Foreign(), "a name that the clone was not born with is the user's, wherever it is")
	learn(name(92, dclone.Kw("db.type", "tuple")))
	clone, ok := f.Builtin(92)
	require.True(t, ok)
	require.Equal(t, tuple, clone)
	_, ok = f.Builtin(90)
	require.False(t, ok)
	clone, ok = f.Builtin(10)
	require.True(t, ok)
	require.Equal(t, dclone.EntityID(10), clone)
}
