package verify

import (
	"slices"
	"strings"

	"dclone"
	"dclone/datomic/local"
)

// A damage is a way a clone's log can be wrong. Kinds must all be found at level checksum and at
// level full, and at level counts those of counts; a text of one of them must hold text.
type damage struct {
	name   string
	damage func(l *cloneLog)
	kinds  []Kind
	counts []Kind
	text   string
	native bool // the order of datoms, or what Datomic derives: a live clone is not compared by it
}

var damages = []damage{
	{name: "value", kinds: []Kind{KindValue}, text: `entity 74766790688869 (clone: `,
		damage: func(l *cloneLog) { l.change(l.of(kw("person", "age"), 41, true), set(42)) }},
	{name: "value text", kinds: []Kind{KindValue}, text: `:person/age: the source has 41, the clone 42`,
		damage: func(l *cloneLog) { l.change(l.of(kw("person", "age"), 41, true), set(42)) }},
	{name: "one of many values", kinds: []Kind{KindValue}, text: `:person/tags: the source has :tag/b, the clone :tag/c`,
		damage: func(l *cloneLog) { l.change(l.of(kw("person", "tags"), kw("tag", "b"), true), set(kw("tag", "c"))) }},
	{name: "scale of a bigdec", kinds: []Kind{KindValue}, text: `the source has 1.00M, the clone 1.000M`,
		damage: func(l *cloneLog) { l.change(l.of(kw("person", "price"), decimal(100, 2), true), set(decimal(1000, 3))) }},
	{name: "case of a URI", kinds: []Kind{KindValue}, text: `http://example.com/A`,
		damage: func(l *cloneLog) {
			l.change(l.of(kw("person", "site"), nil, true), set(dclone.URI("http://example.com/A")))
		}},
	{name: "long value", native: true, kinds: []Kind{KindValue}, text: `… (70002 bytes)`,
		damage: func(l *cloneLog) {
			l.change(l.of(kw("person", "name"), strings.Repeat("long ", 14_000), true), set(strings.Repeat("lonG ", 14_000)))
		}},
	{name: "value of another type", kinds: []Kind{KindValue}, text: `the source has 41, the clone "41"`,
		damage: func(l *cloneLog) { l.change(l.of(kw("person", "age"), 41, true), set("41")) }},
	{name: "ref", kinds: []Kind{KindValue}, text: ":person/part: the source has",
		damage: func(l *cloneLog) {
			l.change(l.of(kw("person", "part"), nil, true), func(d *dclone.Datom) { d.V = value(d.E) })
		}},
	{name: "ref in a tuple", kinds: []Kind{KindValue}, text: ":person/triple: the source has [7 ",
		damage: func(l *cloneLog) {
			l.change(l.of(kw("person", "triple"), nil, true), set([]any{int64(7), int64(1), "seven"}))
		}},
	{name: "missing", kinds: []Kind{KindMissing}, counts: []Kind{KindMissing}, text: `:person/site: the clone lacks #uri "http://Example.com/A"`,
		damage: func(l *cloneLog) { l.remove(l.of(kw("person", "site"), nil, true)) }},
	{name: "missing and its retraction", kinds: []Kind{KindTransaction}, text: `only the clone has the retraction of`,
		damage: func(l *cloneLog) {
			l.insert(l.of(kw("person", "email"), "ann@example.com", true), func(d dclone.Datom) dclone.Datom { d.Added = false; return d })
		}},
	{name: "extra", kinds: []Kind{KindExtra}, counts: []Kind{KindExtra}, text: `:person/tags: only the clone has :tag/z`,
		damage: func(l *cloneLog) {
			l.insert(l.of(kw("person", "tags"), kw("tag", "b"), true), withValue(kw("tag", "z")))
		}},
	{name: "entity", kinds: []Kind{KindEntity}, counts: []Kind{KindEntity}, text: "entity 74766790689090 of the clone: :person/age: only the clone has the entity, with 41",
		damage: func(l *cloneLog) {
			l.insert(l.of(kw("person", "age"), 41, true), func(d dclone.Datom) dclone.Datom {
				d.E = dclone.MakeEntityID(17, 322)
				return d
			})
		}},
	{name: "datom of another entity", kinds: []Kind{KindMissing, KindExtra},
		damage: func(l *cloneLog) {
			e, _, _ := l.find(l.of(kw("person", "name"), "Twin", true))
			l.change(l.of(kw("person", "age"), 41, true), func(d *dclone.Datom) { d.E = e.E })
		}},
	{name: "datom of another attribute", kinds: []Kind{KindMissing, KindExtra}, counts: []Kind{KindMissing, KindExtra},
		damage: func(l *cloneLog) {
			a := l.attr(kw("person", "secret"))
			l.change(l.of(kw("person", "name"), "Twin", true), func(d *dclone.Datom) { d.A = a })
		}},
	{name: "values of two entities swapped", kinds: []Kind{KindValue},
		damage: func(l *cloneLog) {
			l.change(l.of(kw("person", "name"), "Twin", true), set("Dot!"))
			l.change(l.of(kw("person", "name"), "Dot", true), set("Twin"))
			l.change(l.of(kw("person", "name"), "Dot!", true), set("Dot"))
		}},
	{name: "twice", kinds: []Kind{KindFirstCopy}, counts: []Kind{KindFirstCopy}, text: "the first copy asserts 41 twice",
		damage: func(l *cloneLog) {
			l.insert(l.of(kw("person", "age"), 41, true), func(d dclone.Datom) dclone.Datom { return d })
		}},
	{name: "retraction in the first copy", kinds: []Kind{KindFirstCopy},
		damage: func(l *cloneLog) {
			l.insert(l.of(kw("person", "age"), 41, true), func(d dclone.Datom) dclone.Datom { d.Added = false; return d })
		}},
	{name: "retraction before the assertion", kinds: []Kind{KindFirstCopy}, text: "of the first copy, retracts 43",
		damage: func(l *cloneLog) {
			l.insert(l.of(kw("person", "age"), 41, true), func(d dclone.Datom) dclone.Datom { d.Added, d.V = false, value(43); return d })
			l.insert(l.of(kw("person", "age"), 41, true), withValue(43))
		}},
	{name: "builtin", kinds: []Kind{KindExtra}, counts: []Kind{KindExtra}, text: "entity :db/doc 63 (clone: 63)",
		damage: func(l *cloneLog) {
			l.insert(l.of(kw("builtin", "note"), nil, true), withValue("another"))
		}},
	{name: "bootstrap again", kinds: []Kind{KindFirstCopy}, counts: nil,
		damage: func(l *cloneLog) {
			l.insert(l.of(kw("person", "age"), 41, true), func(dclone.Datom) dclone.Datom { return add(63, dclone.AttrIdent, kw("db", "doc")) })
		}},
	{name: "tx metadata in the first copy", kinds: []Kind{KindMissing}, counts: []Kind{KindMissing}, text: `:tx/author: the clone lacks "someone"`,
		damage: func(l *cloneLog) { l.remove(l.of(kw("tx", "author"), "someone", true)) }},
	{name: "instant of a transaction entity", kinds: []Kind{KindInstant}, text: "the source has #inst",
		damage: func(l *cloneLog) { l.change(instantOf(7), set(instant(8)+1)) }},
	{name: "instant of the first copy", kinds: []Kind{KindInstant}, text: "a transaction of the first copy",
		damage: func(l *cloneLog) { l.change(instantOf(l.loaded), set(instant(8))) }},
	{name: "no instant in the first copy", kinds: []Kind{KindInstant}, text: "has 0 instants",
		damage: func(l *cloneLog) { l.remove(instantOf(l.loaded - 1)) }},

	{name: "instant of a replayed transaction", kinds: []Kind{KindInstant}, text: "the instant should be 2023-11-14T22:30:20.000Z and is 2023-11-14T22:30:19.999Z",
		damage: func(l *cloneLog) { l.change(instantOf(l.loaded+3), set(instant(17)-1)) }},
	{name: "replayed value", kinds: []Kind{KindTransaction, KindValue}, text: "source t 16, clone t ",
		damage: func(l *cloneLog) { l.change(l.of(kw("person", "age"), 32, true), set(33)) }},
	{name: "replayed metadata", kinds: []Kind{KindTransaction, KindMissing}, counts: []Kind{KindMissing}, text: `the clone lacks "later"`,
		damage: func(l *cloneLog) { l.remove(l.of(kw("tx", "author"), "later", true)) }},
	{name: "retraction missing", kinds: []Kind{KindTransaction, KindExtra}, counts: []Kind{KindExtra}, text: "the clone lacks the retraction of :tag/a",
		damage: func(l *cloneLog) { l.remove(l.of(kw("person", "tags"), kw("tag", "a"), false)) }},
	{name: "retraction of another value", kinds: []Kind{KindTransaction, KindValue},
		damage: func(l *cloneLog) {
			l.change(l.of(kw("person", "tags"), kw("tag", "a"), false), set(kw("tag", "b")))
		}},
	{name: "order of datoms", native: true, kinds: []Kind{KindTransaction}, text: "the datoms are in another order",
		damage: func(l *cloneLog) {
			d := l.at(l.loaded + 2).Datoms
			d[1], d[2] = d[2], d[1]
		}},
	{name: "replayed transaction missing", kinds: []Kind{KindTransaction, KindMissing}, counts: []Kind{KindExtra},
		text: "source t 16 has no transaction in the clone",
		damage: func(l *cloneLog) {
			l.txs = slices.DeleteFunc(l.txs, func(tx dclone.Tx) bool { return tx.T == l.loaded+2 })
		}},
	{name: "empty replayed transaction missing", kinds: []Kind{KindTransaction, KindMissing}, text: "source t 18 has no transaction in the clone",
		damage: func(l *cloneLog) {
			l.txs = slices.DeleteFunc(l.txs, func(tx dclone.Tx) bool { return tx.T == l.loaded+4 })
		}},
	{name: "replayed transaction missing, the others moved up", kinds: []Kind{KindClone, KindTransaction},
		damage: func(l *cloneLog) {
			l.txs = slices.DeleteFunc(l.txs, func(tx dclone.Tx) bool { return tx.T == l.loaded+2 })
			for i := range l.txs {
				if l.txs[i].T > l.loaded+2 {
					setT(&l.txs[i], l.txs[i].T-1)
				}
			}
		}},
	{name: "replayed transaction twice", kinds: []Kind{KindDrift, KindTransaction},
		damage: func(l *cloneLog) {
			i := slices.IndexFunc(l.txs, func(tx dclone.Tx) bool { return tx.T == l.loaded+2 })
			for k := i; k < len(l.txs); k++ {
				setT(&l.txs[k], l.txs[k].T+1)
			}
			twice := dclone.Tx{T: l.txs[i].T, Datoms: slices.Clone(l.txs[i].Datoms)}
			setT(&twice, l.loaded+2)
			l.txs = slices.Insert(l.txs, i, twice)
		}},
	{name: "replayed transactions in another order", kinds: []Kind{KindTransaction},
		damage: func(l *cloneLog) {
			a, b := l.at(l.loaded+2), l.at(l.loaded+3)
			setT(a, l.loaded+3)
			setT(b, l.loaded+2)
			*a, *b = *b, *a
		}},
	{name: "alter missing", native: true, kinds: []Kind{KindTransaction}, text: ":db.alter/attribute",
		damage: func(l *cloneLog) {
			l.remove(func(d dclone.Datom) bool { return d.A == attrAlter })
		}},
	{name: "trailing transaction", kinds: []Kind{KindDrift}, counts: []Kind{KindDrift}, text: "from t ",
		damage: func(l *cloneLog) {
			last := l.txs[len(l.txs)-1].T
			l.txs = append(l.txs, dclone.Tx{T: last + 1, Datoms: []dclone.Datom{
				add(dclone.TxID(last+1), local.AttrTxInstant, instant(100))}})
		}},
	{name: "clone cut", kinds: []Kind{KindClone, KindTransaction}, counts: []Kind{KindClone}, text: "the clone ends at t ",
		damage: func(l *cloneLog) { l.txs = l.txs[:len(l.txs)-1] }},
	{name: "newest transaction", native: true, kinds: []Kind{KindClone, KindTransaction}, counts: []Kind{KindClone},
		damage: func(l *cloneLog) {
			d := l.txs[len(l.txs)-1].Datoms
			d[1], d[2] = d[2], d[1]
		}},

	{name: "flag", kinds: []Kind{KindSchema, KindMissing}, counts: []Kind{KindMissing}, text: "attribute :person/part: :db/isComponent is true in the source, false in the clone",
		damage: func(l *cloneLog) { l.remove(func(d dclone.Datom) bool { return d.A == attrComponent && d.E > 72 }) }},
	{name: "noHistory", kinds: []Kind{KindSchema, KindValue}, text: ":db/noHistory is true in the source, false in the clone",
		damage: func(l *cloneLog) {
			l.change(func(d dclone.Datom) bool { return d.A == attrNoHistory && d.E > 72 }, set(false))
		}},
	{name: "cardinality", kinds: []Kind{KindSchema, KindValue}, text: ":db.cardinality/many is true in the source, false in the clone",
		damage: func(l *cloneLog) {
			a := l.attr(kw("person", "tags"))
			l.change(func(d dclone.Datom) bool { return d.A == attrCardinality && d.E == a }, set(one))
		}},
	{name: "value type", kinds: []Kind{KindSchema, KindValue}, text: ":db/valueType is :db.type/long in the source, :db.type/instant in the clone",
		damage: func(l *cloneLog) {
			a := l.attr(kw("person", "age"))
			l.change(func(d dclone.Datom) bool { return d.A == attrValueType && d.E == a }, set(typeInstant))
		}},
	{name: "uniqueness", kinds: []Kind{KindSchema, KindValue}, text: ":db.unique/value",
		damage: func(l *cloneLog) {
			l.change(func(d dclone.Datom) bool { return d.A == attrUnique && d.E > 72 }, set(unique))
		}},
	{name: "tuple types", kinds: []Kind{KindSchema, KindValue}, text: ":db/tupleTypes",
		damage: func(l *cloneLog) {
			l.change(func(d dclone.Datom) bool { return d.A == attrTupleTypes },
				set([]any{kw("db.type", "long"), kw("db.type", "long"), kw("db.type", "string")}))
		}},
	{name: "tuple attrs", kinds: []Kind{KindSchema, KindValue}, text: ":db/tupleAttrs",
		damage: func(l *cloneLog) {
			l.change(func(d dclone.Datom) bool { return d.A == attrTupleAttrs },
				set([]any{kw("person", "years"), kw("person", "name")}))
		}},
	{name: "doc", kinds: []Kind{KindSchema, KindTransaction, KindValue}, text: `:db/doc is "the name" in the source, "the nam" in the clone`,
		damage: func(l *cloneLog) {
			l.change(func(d dclone.Datom) bool { return d.A == attrDoc && string(d.V) == string(value("the name")) }, set("the nam"))
		}},
	{name: "install missing", kinds: []Kind{KindSchema}, text: "attribute :builtin/note: the clone has not installed it",
		damage: func(l *cloneLog) {
			a := l.attr(kw("builtin", "note"))
			l.remove(func(d dclone.Datom) bool { return d.A == attrInstall && string(d.V) == string(value(a)) })
		}},
	{name: "attribute", kinds: []Kind{KindSchema, KindIdent, KindEntity}, text: "attribute :only/clone: only the clone has installed it",
		damage: func(l *cloneLog) {
			tx := l.at(l.loaded)
			tx.Datoms = append(tx.Datoms, attr(322, kw("only", "clone"), typeLong, one)...)
		}},
	{name: "ident of an attribute", kinds: []Kind{KindSchema, KindIdent, KindValue}, text: ":person/site names nothing in the clone",
		damage: func(l *cloneLog) {
			l.change(func(d dclone.Datom) bool {
				return d.A == dclone.AttrIdent && string(d.V) == string(value(kw("person", "site")))
			},
				set(kw("person", "side")))
		}},
	{name: "ident of an entity", kinds: []Kind{KindIdent, KindValue}, text: ":color/green names nothing in the clone",
		damage: func(l *cloneLog) {
			e, _, _ := l.find(func(d dclone.Datom) bool {
				return d.A == dclone.AttrIdent && string(d.V) == string(value(kw("color", "lime")))
			})
			for _, tx := range l.txs {
				for i, d := range tx.Datoms {
					if d.A == dclone.AttrIdent && string(d.V) == string(value(kw("color", "green"))) && d.E != e.E {
						tx.Datoms[i].V = value(kw("color", "greem"))
					} else if d.A == dclone.AttrIdent && string(d.V) == string(value(kw("color", "green"))) {
						tx.Datoms[i].V = value(kw("color", "greeen"))
					}
				}
			}
		}},
	{name: "old ident", kinds: []Kind{KindIdent}, text: ":person/years names nothing in the clone",
		damage: func(l *cloneLog) {
			old := func(d dclone.Datom) bool {
				return d.A == dclone.AttrIdent && string(d.V) == string(value(kw("person", "years")))
			}
			l.remove(old)
			l.remove(old)
		}},
	{name: "keyword given back", kinds: []Kind{KindIdent}, text: ":color/green names entity",
		damage: func(l *cloneLog) {
			e, _, _ := l.find(func(d dclone.Datom) bool {
				return d.A == dclone.AttrIdent && string(d.V) == string(value(kw("color", "lime")))
			})
			tx := l.at(l.loaded)
			tx.Datoms = append(tx.Datoms, add(e.E, dclone.AttrIdent, kw("color", "green")), retract(e.E, dclone.AttrIdent, kw("color", "green")))
		}},
}
