package verify

import "dclone"

// What attributes are made of.
const (
	attrValueType   dclone.EntityID = 40
	attrCardinality dclone.EntityID = 41
	attrUnique      dclone.EntityID = 42
	attrComponent   dclone.EntityID = 43
	attrNoHistory   dclone.EntityID = 45
	attrDoc         dclone.EntityID = 63
	attrTupleType   dclone.EntityID = 66
	attrTupleTypes  dclone.EntityID = 67
	attrTupleAttrs  dclone.EntityID = 68
	attrInstall     dclone.EntityID = 13
	attrAlter       dclone.EntityID = 19

	typeRef     dclone.EntityID = 20
	typeKeyword dclone.EntityID = 21
	typeLong    dclone.EntityID = 22
	typeString  dclone.EntityID = 23
	typeBoolean dclone.EntityID = 24
	typeInstant dclone.EntityID = 25
	typeDouble  dclone.EntityID = 58
	typeURI     dclone.EntityID = 60
	typeBigDec  dclone.EntityID = 62
	typeTuple   dclone.EntityID = 64

	one      dclone.EntityID = 35
	many     dclone.EntityID = 36
	unique   dclone.EntityID = 37
	identity dclone.EntityID = 38
)

// attr returns what installs an attribute, and more that is said of it.
func attr(e dclone.EntityID, ident dclone.Keyword, valueType, cardinality dclone.EntityID, more ...dclone.Datom) []dclone.Datom {
	datoms := []dclone.Datom{add(e, dclone.AttrIdent, ident), add(e, attrValueType, valueType), add(e, attrCardinality, cardinality)}
	return append(append(datoms, more...), add(0, attrInstall, e))
}
