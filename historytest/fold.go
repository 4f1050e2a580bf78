package historytest

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	"dclone/fressian"
)

// Attributes and entities of the bootstrap, by their numbers.
const (
	aIdent       dclone.EntityID = 10
	aPartition   dclone.EntityID = 11
	aInstall     dclone.EntityID = 13
	aAlter       dclone.EntityID = 19
	aValueType   dclone.EntityID = 40
	aCardinality dclone.EntityID = 41
	aUnique      dclone.EntityID = 42
	aComponent   dclone.EntityID = 43
	aNoHistory   dclone.EntityID = 45
	aTxInstant   dclone.EntityID = 50
	aDoc         dclone.EntityID = 63
	aTupleType   dclone.EntityID = 66
	aTupleTypes  dclone.EntityID = 67
	aTupleAttrs  dclone.EntityID = 68
	aEntityAttrs dclone.EntityID = 70
	aEntityPreds dclone.EntityID = 71
	aAttrPreds   dclone.EntityID = 72

	typeRef      dclone.EntityID = 20
	typeTuple    dclone.EntityID = 64
	cardOne      dclone.EntityID = 35
	cardMany     dclone.EntityID = 36
	bootstrapEnd dclone.T        = 5
)

// A Fact is a datom that holds. V is the value as it is stored.
type Fact struct {
	E, A dclone.EntityID
	V    string
}

// A Tx is one transaction of a log.
type Tx struct {
	T       dclone.T
	Instant dclone.Instant
	Datoms  []dclone.Datom
	From    int64 // where its frame lies
	To      int64
}

// A Database is what a log says. It is folded with maps alone.
type Database struct {
	Txs     []Tx
	Length  int64                                 // of the log
	Keyword map[dclone.Keyword]dclone.EntityID    // the entity that was given it last
	Name    map[dclone.EntityID]dclone.Keyword    // the ident it was given last
	attrs   map[dclone.EntityID]*attribute        // that are installed, or are to be
	held    map[dclone.EntityID]map[class][]claim // by entity
}

// A class is what Datomic Local takes for one value of an entity and attribute.
type class struct {
	a dclone.EntityID
	v string
}

// A claim is an assertion that holds.
type claim struct {
	v string
	t dclone.T
}

// attribute is what a fold must know of one to find the entity ids in its values.
type attribute struct {
	valueType dclone.EntityID
	elements  []dclone.Keyword // types of a tuple
	all       dclone.Keyword   // type of all elements
	parts     []dclone.Keyword // attributes a composite is made of
}

func newDatabase() *Database {
	return &Database{
		Keyword: map[dclone.Keyword]dclone.EntityID{},
		Name:    map[dclone.EntityID]dclone.Keyword{},
		attrs:   map[dclone.EntityID]*attribute{},
		held:    map[dclone.EntityID]map[class][]claim{},
	}
}

// Read folds the log in dir, which must be whole.
func Read(t testing.TB, dir string) *Database {
	t.Helper()
	return ReadAt(t, dir, math.MaxInt64)
}

// ReadAt folds the log in dir as it was at a t.
func ReadAt(t testing.TB, dir string, at dclone.T) *Database {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(dir, "db.log"))
	require.NoError(t, err)
	txs, err := Split(log)
	require.NoError(t, err)
	d := newDatabase()
	for _, tx := range txs {
		if tx.T > at {
			break
		}
		d.apply(tx)
	}
	return d
}

// Split cuts a log into its transactions.
func Split(log []byte) ([]Tx, error) {
	var txs []Tx
	for at := 0; at < len(log); {
		if len(log)-at < 8 {
			return txs, fmt.Errorf("offset %d: %d bytes are no frame", at, len(log)-at)
		}
		w := binary.BigEndian.Uint64(log[at:])
		count := int(w>>58&15)<<20 | int(w&(1<<20-1))
		tx := Tx{T: dclone.T(w >> 20 & (1<<38 - 1)), From: int64(at)}
		if (uint64(tx.T)^uint64(count))&3 != w>>62 {
			return txs, fmt.Errorf("offset %d: check bits", at)
		}
		at += 8
		for range count {
			d, n, err := local.ParseDatom(log[at:])
			if err != nil {
				return txs, fmt.Errorf("offset %d: %w", at, err)
			}
			if d.A == aTxInstant && d.E == d.Tx && d.Added {
				tx.Instant, _ = local.Instant(d.V)
			}
			d.V = slices.Clone(d.V)
			tx.Datoms = append(tx.Datoms, d)
			at += n
		}
		tx.To = int64(at)
		txs = append(txs, tx)
	}
	return txs, nil
}

func (d *Database) apply(tx Tx) {
	for _, datom := range tx.Datoms {
		d.schema(datom)
	}
	for _, datom := range tx.Datoms {
		d.add(datom)
	}
	d.Txs = append(d.Txs, tx)
	d.Length = tx.To
}

// add is the rule of Datomic Local: a retraction ends every older assertion of a value that
// compares equal, and none of its own transaction.
func (d *Database) add(datom dclone.Datom) {
	values := d.held[datom.E]
	if values == nil {
		values = map[class][]claim{}
		d.held[datom.E] = values
	}
	k := class{datom.A, canon(datom.V)}
	t := datom.Tx.T()
	if datom.Added {
		values[k] = append(values[k], claim{string(datom.V), t})
		return
	}
	values[k] = slices.DeleteFunc(values[k], func(c claim) bool { return c.t < t })
	if len(values[k]) == 0 {
		delete(values, k)
	}
	if len(values) == 0 {
		delete(d.held, datom.E)
	}
}

func (d *Database) schema(datom dclone.Datom) {
	if !datom.Added {
		return
	}
	v := decode(datom.V)
	if kw, ok := v.(dclone.Keyword); ok && datom.A == aIdent {
		d.Keyword[kw], d.Name[datom.E] = datom.E, kw
	}
	if datom.E.Partition() != dclone.PartDB {
		return
	}
	a := d.attrs[datom.E]
	if a == nil {
		a = &attribute{}
		d.attrs[datom.E] = a
	}
	switch datom.A {
	case aValueType:
		a.valueType = dclone.EntityID(v.(int64))
	case aTupleType:
		a.all = v.(dclone.Keyword)
	case aTupleTypes:
		a.elements = keywords(v)
	case aTupleAttrs:
		a.parts = keywords(v)
	}
}

func keywords(v any) (kws []dclone.Keyword) {
	for _, e := range v.([]any) {
		kws = append(kws, e.(dclone.Keyword))
	}
	return kws
}

// Facts returns what holds, each fact with how often it was asserted since it held.
func (d *Database) Facts() map[Fact]int {
	facts := map[Fact]int{}
	for e, values := range d.held {
		for k, claims := range values {
			for _, c := range claims {
				facts[Fact{e, k.a, c.v}]++
			}
		}
	}
	return facts
}

// of returns what holds of one entity, in an order of its own.
func (d *Database) of(e dclone.EntityID) []Fact {
	var facts []Fact
	for k, claims := range d.held[e] {
		for _, c := range claims {
			facts = append(facts, Fact{e, k.a, c.v})
		}
	}
	slices.SortFunc(facts, func(x, y Fact) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.V, y.V)) })
	return facts
}

// values returns the values that hold of one entity and attribute, oldest first.
func (d *Database) values(e, a dclone.EntityID) []dclone.Value {
	var claims []claim
	for k, c := range d.held[e] {
		if k.a == a {
			claims = append(claims, c...)
		}
	}
	slices.SortFunc(claims, func(x, y claim) int { return cmp.Or(cmp.Compare(x.t, y.t), cmp.Compare(x.v, y.v)) })
	var values []dclone.Value
	for _, c := range claims {
		values = append(values, dclone.Value(c.v))
	}
	return values
}

// isRef reports whether element i of a's values, or the whole value, is an entity id.
func (d *Database) isRef(a dclone.EntityID, i int) bool {
	at := d.attrs[a]
	if at == nil {
		return false
	}
	ref := dclone.Kw("db.type", "ref")
	switch {
	case at.valueType != typeTuple:
		return at.valueType == typeRef
	case at.parts != nil:
		return i < len(at.parts) && d.isRef(d.Keyword[at.parts[i]], 0)
	case at.elements != nil:
		return i < len(at.elements) && at.elements[i] == ref
	}
	return at.all == ref
}

// refs calls f with every entity id in a value of a, and returns the value with what f answers
// in their places.
func (d *Database) refs(a dclone.EntityID, v string, f func(dclone.EntityID) dclone.EntityID) string {
	switch x := decode(dclone.Value(v)).(type) {
	case int64:
		if d.isRef(a, 0) {
			return string(encode(int64(f(dclone.EntityID(x)))))
		}
	case []any:
		changed := false
		for i, e := range x {
			if id, ok := e.(int64); ok && d.isRef(a, i) {
				x[i], changed = int64(f(dclone.EntityID(id))), true
			}
		}
		if changed {
			return string(encode(x))
		}
	}
	return v
}

func decode(v dclone.Value) any {
	x, rest, err := fressian.Decode(v)
	if err != nil || len(rest) > 0 {
		panic(fmt.Sprintf("value % x: %v, %d bytes behind it", []byte(v), err, len(rest)))
	}
	return x
}

func encode(x any) dclone.Value {
	v, err := fressian.Append(nil, x)
	if err != nil {
		panic(fmt.Sprintf("value %v: %v", x, err))
	}
	return v
}

// canon returns the same for values that Datomic Local's indexes take for equal.
func canon(v dclone.Value) string { return canonOf(decode(v), string(v)) }

func canonOf(x any, raw string) string {
	switch x := x.(type) {
	case float32:
		if x == 0 {
			return "zero"
		}
	case dclone.Decimal:
		return "decimal " + normal(x)
	case dclone.URI:
		return "uri " + normalURI(string(x))
	case []any:
		var b strings.Builder
		for _, e := range x {
			if e == nil {
				b.WriteString("nil;")
				continue
			}
			fmt.Fprintf(&b, "%q;", canonOf(e, string(encode(e))))
		}
		return b.String()
	}
	return raw
}

// normal writes a decimal without the zeros at its end.
func normal(d dclone.Decimal) string {
	if d.Unscaled.Sign() == 0 {
		return "0"
	}
	n, scale, ten := new(big.Int).Set(d.Unscaled), int64(d.Scale), big.NewInt(10)
	for {
		q, r := new(big.Int).QuoRem(n, ten, new(big.Int))
		if r.Sign() != 0 {
			return fmt.Sprintf("%d/%d", n, scale)
		}
		n, scale = q, scale-1
	}
}

// normalURI is right for the URIs this package makes.
func normalURI(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	host, path, _ := strings.Cut(rest, "/")
	b := []byte(path)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], strings.ToUpper(string(b[i+1:i+3])))
		}
	}
	return strings.ToLower(scheme) + "://" + strings.ToLower(host) + "/" + string(b)
}

// EachRef calls whole with every part of an attribute's values that is an entity id, or with
// whole set where the value is one, and plain with the other elements of a tuple.
func (d *Database) EachRef(a dclone.EntityID, ref func(element int, whole bool), plain func(element int)) {
	at := d.attrs[a]
	if at == nil || at.valueType != typeTuple {
		if d.isRef(a, 0) {
			ref(0, true)
		}
		return
	}
	for i := range max(len(at.elements), len(at.parts), 8) {
		if d.isRef(a, i) {
			ref(i, false)
		} else {
			plain(i)
		}
	}
}
