package dclone

// The one attribute every Datomic database numbers alike; the others are known by their idents.
const AttrIdent EntityID = 10

// An Attribute is what a schema says of one attribute.
type Attribute struct {
	ID          EntityID
	Ident       Keyword // its present name
	ValueType   Keyword // :db.type/…
	Many        bool    // :db.cardinality/many
	Unique      Keyword // :db.unique/identity, :db.unique/value or zero
	IsComponent bool
	NoHistory   bool
	Doc         string
	Installed   bool // an attribute, not just an entity with some of one's properties

	TupleType  Keyword   // of a homogeneous tuple
	TupleTypes []Keyword // of a heterogeneous tuple
	TupleAttrs []Keyword // of a composite tuple, as they were named then
	Refs       Refs
}

// Refs says which parts of an attribute's values are entity ids.
type Refs uint64

const (
	NoRefs   Refs = 0
	WholeRef Refs = 1 << 63 // the value is one
	AllRefs  Refs = 1 << 62 // each element of the tuple is one; else bit i stands for element i
)

// Element reports whether element i of a tuple is an entity id.
func (r Refs) Element(i int) bool {
	return r&AllRefs != 0 || i < 62 && r>>i&1 == 1
}

// IsTuple reports whether r is of a tuple with entity ids in it.
func (r Refs) IsTuple() bool { return r != NoRefs && r != WholeRef }
