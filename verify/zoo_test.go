package verify

import (
	"math/big"
	"strings"
	"testing"

	"dclone"
)

// Attributes and entities of the zoo.
const (
	personName dclone.EntityID = 73 + iota
	personAge
	personTags
	personFriend
	personFriends
	personPrice
	personSite
	personPair
	personTriple
	personNameAge
	personPart
	personSecret
	txAuthor
	txAbout
	builtinNote
	personEmail // installed by more
)

var (
	ann   = dclone.MakeEntityID(17, 100)
	bob   = dclone.MakeEntityID(17, 101)
	cid   = dclone.MakeEntityID(19, 102)
	gone  = dclone.MakeEntityID(18, 103) // lost all it had
	red   = dclone.MakeEntityID(18, 104) // has an ident
	green = dclone.MakeEntityID(18, 105) // had one, has another
	blue  = dclone.MakeEntityID(20, 106) // has green's first one
	wheel = dclone.MakeEntityID(20, 107)
	bare  = dclone.MakeEntityID(20, 108) // occurs only as a value
	again = dclone.MakeEntityID(21, 109) // loses all, and gets more from more
	dot   = dclone.MakeEntityID(4, 110)
	twin  = dclone.MakeEntityID(23, 100) // has ann's eidx
	late  = dclone.MakeEntityID(22, 111) // comes with more
)

func decimal(unscaled int64, scale int32) dclone.Decimal {
	return dclone.Decimal{Unscaled: big.NewInt(unscaled), Scale: scale}
}

// zoo writes a database that has something of everything.
func zoo(t testing.TB) *db { return zooWith(t) }

// zooWith is zoo with something in its last transaction.
func zooWith(t testing.TB, last ...dclone.Datom) *db {
	d := newDB(t)
	all := func(lists ...[]dclone.Datom) (datoms []dclone.Datom) {
		for _, l := range lists {
			datoms = append(datoms, l...)
		}
		return datoms
	}
	d.tx(all(
		attr(personName, kw("person", "name"), typeString, one, add(personName, attrUnique, identity), add(personName, attrDoc, "a name")),
		attr(personAge, kw("person", "years"), typeLong, one),
		attr(personTags, kw("person", "tags"), typeKeyword, many),
		attr(personFriend, kw("person", "friend"), typeRef, one),
		attr(personFriends, kw("person", "friends"), typeRef, many),
		attr(personPrice, kw("person", "price"), typeBigDec, many),
		attr(personSite, kw("person", "site"), typeURI, one),
		attr(personPart, kw("person", "part"), typeRef, one, add(personPart, attrComponent, true)),
		attr(personSecret, kw("person", "secret"), typeString, one, add(personSecret, attrNoHistory, true)),
	)...)
	d.tx(all(
		attr(personPair, kw("person", "pair"), typeTuple, many, add(personPair, attrTupleType, kw("db.type", "ref"))),
		attr(personTriple, kw("person", "triple"), typeTuple, one,
			add(personTriple, attrTupleTypes, []any{kw("db.type", "long"), kw("db.type", "ref"), kw("db.type", "string")})),
		attr(personNameAge, kw("person", "name+age"), typeTuple, one,
			add(personNameAge, attrTupleAttrs, []any{kw("person", "name"), kw("person", "years")})),
		attr(txAuthor, kw("tx", "author"), typeString, one),
		attr(txAbout, kw("tx", "about"), typeRef, many),
		attr(builtinNote, kw("builtin", "note"), typeString, one),
	)...)
	meta := d.tx(add(thisTx, txAuthor, "someone"),
		add(ann, personName, "Ann"), add(ann, personAge, 30), add(ann, personTags, kw("tag", "a")), add(ann, personTags, kw("tag", "b")),
		add(bob, personName, "Bob"), add(bob, personFriend, ann), add(ann, personFriend, bob), add(ann, personFriends, cid),
		add(ann, personFriends, bare), add(bob, personAge, 41), add(cid, personName, strings.Repeat("long ", 14_000)),
		add(ann, personNameAge, []any{"Ann", int64(30)}), add(gone, personName, "Gone"), add(cid, personFriend, gone))
	d.tx(add(red, dclone.AttrIdent, kw("color", "red")), add(green, dclone.AttrIdent, kw("color", "green")),
		add(red, attrDoc, "like blood"), add(bob, personFriends, red), add(wheel, personName, "Part"), add(bob, personPart, wheel),
		add(again, personName, "Again"), add(dot, personName, "Dot"), add(twin, personName, "Twin"))
	d.tx(retract(gone, personName, "Gone"), retract(cid, personFriend, gone), retract(again, personName, "Again"),
		add(green, dclone.AttrIdent, kw("color", "lime")), retract(green, dclone.AttrIdent, kw("color", "green")),
		add(personAge, dclone.AttrIdent, kw("person", "age")), retract(personAge, dclone.AttrIdent, kw("person", "years")),
		add(0, attrAlter, personAge))
	about := d.tx(add(blue, dclone.AttrIdent, kw("color", "green")), add(thisTx, txAbout, ann), add(thisTx, txAbout, dclone.TxID(meta)),
		add(bob, personPair, []any{int64(ann), nil}), add(bob, personPair, []any{int64(cid), int64(bob)}),
		add(ann, personTriple, []any{int64(7), int64(red), "seven"}), add(ann, personAge, 31), retract(ann, personAge, 30),
		add(ann, personNameAge, []any{"Ann", int64(31)}), retract(ann, personNameAge, []any{"Ann", int64(30)}))
	d.tx(add(ann, personPrice, decimal(10, 1)), add(ann, personPrice, decimal(25, 1)), add(bob, personPrice, decimal(100, 2)),
		add(ann, personSite, dclone.URI("http://Example.com/A")), add(ann, personSecret, "old"), add(63, builtinNote, "on :db/doc"),
		add(dclone.TxID(about), txAuthor, "afterwards"), add(dclone.TxID(about), txAbout, dclone.EntityID(35)))
	d.tx(retract(ann, personPrice, decimal(100, 2)), add(ann, personSecret, "new"), retract(ann, personSecret, "old"),
		add(personTags, attrDoc, "some tags"), add(0, attrAlter, personTags), add(0, attrAlter, personTags))
	d.tx(last...)
	return d
}

// email installs an attribute.
func email() []dclone.Datom {
	return attr(personEmail, kw("person", "email"), typeString, many, add(personEmail, attrUnique, unique))
}

// more adds what is replayed.
func more(d *db) *db { return moreWith(d, email()...) }

// moreWith is more with something in its first transaction.
func moreWith(d *db, first ...dclone.Datom) *db {
	d.tx(append(first, add(thisTx, txAuthor, "later"), add(ann, personEmail, "ann@example.com"))...)
	d.tx(add(ann, personAge, 32), retract(ann, personAge, 31), retract(ann, personTags, kw("tag", "a")),
		add(ann, personNameAge, []any{"Ann", int64(32)}), retract(ann, personNameAge, []any{"Ann", int64(31)}))
	d.tx(add(late, personName, "Late"), add(late, personFriends, again), add(again, personName, "Again"), add(late, personFriend, bare),
		add(late, personNameAge, []any{"Late", nil}), add(again, personNameAge, []any{"Again", nil}))
	d.tx()
	d.tx(add(thisTx, txAbout, dclone.TxID(6)), add(thisTx, txAbout, dclone.TxID(d.at-1)), add(bob, personTriple, []any{nil, int64(late), nil}))
	d.tx(retract(red, dclone.AttrIdent, kw("color", "red")), add(red, dclone.AttrIdent, kw("color", "crimson")))
	d.tx(add(late, dclone.AttrIdent, kw("color", "red")), retract(bob, personFriends, red), retract(bob, personFriend, ann))
	d.tx(add(personSecret, attrDoc, "a secret"), add(0, attrAlter, personSecret), add(personName, attrDoc, "the name"),
		retract(personName, attrDoc, "a name"), add(0, attrAlter, personName))
	return d
}
