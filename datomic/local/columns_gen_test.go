package local

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/fressian"
)

// logBuilder makes the log of a database, the bootstrap in front.
type logBuilder struct {
	t       testing.TB
	log     []byte
	idx     []byte
	next    dclone.T
	eidx    int64 // the next that is free
	attr    int64 // the next attribute
	pending []dclone.Datom
}

func newLogBuilder(t testing.TB) *logBuilder {
	b := &logBuilder{t: t, log: Bootstrap(), next: BootstrapT + 1, eidx: FirstEidx, attr: FirstEidx}
	for at := 0; at < len(b.log); {
		h, err := parseHeader(b.log[at:])
		require.NoError(t, err)
		b.idx = binary.BigEndian.AppendUint64(b.idx, uint64(at))
		at += headerSize
		for range h.Count {
			_, n, err := ParseDatom(b.log[at:])
			require.NoError(t, err)
			at += n
		}
	}
	return b
}

func (b *logBuilder) value(v any) dclone.Value {
	raw, err := fressian.Append(nil, v)
	require.NoError(b.t, err)
	return raw
}

// add puts a datom into the transaction that commit ends.
func (b *logBuilder) add(e, a dclone.EntityID, v any, added bool) {
	raw, ok := v.(dclone.Value)
	if !ok {
		raw = b.value(v)
	}
	b.pending = append(b.pending, dclone.Datom{E: e, A: a, V: raw, Added: added})
}

func (b *logBuilder) commit() {
	instant := dclone.Datom{E: dclone.TxID(b.next), A: 50, Added: true,
		V: b.value(dclone.Instant(1_600_000_000_000 + int64(b.next)*1000))}
	b.idx = binary.BigEndian.AppendUint64(b.idx, uint64(len(b.log)))
	var err error
	b.log, err = AppendFrame(b.log, b.next, append([]dclone.Datom{instant}, b.pending...))
	require.NoError(b.t, err)
	b.next++
	b.pending = b.pending[:0]
}

// attribute installs an attribute of a value type, by the builtin entity ids of the format.
func (b *logBuilder) attribute(name string, valueType int64, extra ...any) dclone.EntityID {
	a := dclone.EntityID(b.attr)
	b.attr++
	b.eidx = max(b.eidx, b.attr)
	b.add(a, 10, dclone.Kw("gen", name), true)
	b.add(a, 40, valueType, true)
	b.add(a, 41, int64(36), true)
	for i := 0; i < len(extra); i += 2 {
		b.add(a, dclone.EntityID(extra[i].(int)), extra[i+1], true)
	}
	b.add(0, 13, int64(a), true)
	return a
}

func (b *logBuilder) entity() dclone.EntityID {
	b.eidx++
	return dclone.MakeEntityID(17, b.eidx-1)
}

func (b *logBuilder) write(dir string) {
	require.NoError(b.t, os.MkdirAll(dir, 0o777))
	require.NoError(b.t, os.WriteFile(filepath.Join(dir, lockName), nil, 0o666))
	require.NoError(b.t, os.WriteFile(filepath.Join(dir, logName), b.log, 0o666))
	require.NoError(b.t, os.WriteFile(filepath.Join(dir, idxName), b.idx, 0o666))
}

func (b *logBuilder) open() (*Log, string) {
	dir := b.t.TempDir()
	b.write(dir)
	l, err := OpenLog(dir)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { l.Close() })
	return l, dir
}

// valueTypes are the builtin entity ids of all value types, and a source of their values. Few
// distinct values, and such that share long prefixes, make ties and near ties.
var valueTypes = []struct {
	name string
	id   int64
	gen  func(r *rand.Rand) any
}{
	{"ref", 20, func(r *rand.Rand) any { return int64(dclone.MakeEntityID(17, 80+r.Int64N(900))) }},
	{"keyword", 21, func(r *rand.Rand) any { return genKeyword(r) }},
	{"long", 22, func(r *rand.Rand) any { return genLong(r) }},
	{"string", 23, func(r *rand.Rand) any { return genString(r) }},
	{"boolean", 24, func(r *rand.Rand) any { return r.IntN(2) == 0 }},
	{"instant", 25, func(r *rand.Rand) any { return dclone.Instant(genLong(r)) }},
	{"uuid", 54, func(r *rand.Rand) any { return genUUID(r) }},
	{"double", 58, func(r *rand.Rand) any { return genDouble(r) }},
	{"float", 59, func(r *rand.Rand) any { return float32(genDouble(r)) }},
	{"uri", 60, func(r *rand.Rand) any { return genURI(r) }},
	{"bigint", 61, func(r *rand.Rand) any { return genBigInt(r) }},
	{"bigdec", 62, func(r *rand.Rand) any { return genBigDec(r) }},
	{"symbol", 65, func(r *rand.Rand) any { return dclone.Symbol(genKeyword(r)) }},
}

// tupleTypes are the value types that a tuple may have elements of, by their ids.
var tupleTypes = map[string]int64{"long": 22, "keyword": 21, "string": 23, "ref": 20, "bigdec": 62,
	"bigint": 61, "double": 58, "boolean": 24, "uuid": 54, "instant": 25, "symbol": 65}

func genLong(r *rand.Rand) int64 {
	switch r.IntN(4) {
	case 0:
		return r.Int64N(7) - 3
	case 1:
		return r.Int64N(1<<20) - 1<<19
	default:
		return int64(r.Uint64()) >> r.IntN(64)
	}
}

func genDouble(r *rand.Rand) float64 {
	switch r.IntN(4) {
	case 0:
		return []float64{0, 1, -1, math.Inf(1), math.Inf(-1), math.MaxFloat32, math.SmallestNonzeroFloat64, -0.5}[r.IntN(8)]
	case 1:
		return float64(r.IntN(100)) / 8
	default:
		return (r.Float64() - 0.5) * math.Pow(10, float64(r.IntN(60)-30))
	}
}

func genString(r *rand.Rand) string {
	alphabet := []string{"a", "b", "A", "z", "0", " ", "é", "日", "😀", "\uFFFD", "\x00", "abcdefgh", "-"}
	var s strings.Builder
	switch r.IntN(5) {
	case 0:
		s.WriteString("a shared prefix of some length/")
	case 1:
		return []string{"Rock", "Jazz", "Electronic and experimental", "Electronic and experimentak"}[r.IntN(4)]
	}
	for range r.IntN(9) {
		s.WriteString(alphabet[r.IntN(len(alphabet))])
	}
	return s.String()
}

func genKeyword(r *rand.Rand) dclone.Keyword {
	parts := []string{"a", "b", "ab", "country", "é", "a.b", "a\x00", "日本", "really-quite-long"}
	k := dclone.Keyword{Name: parts[r.IntN(len(parts))]}
	if r.IntN(3) > 0 {
		k.Namespace = parts[r.IntN(len(parts))]
	}
	if r.IntN(2) == 0 {
		k.Name += fmt.Sprint(r.IntN(50))
	}
	return k
}

func genUUID(r *rand.Rand) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:], r.Uint64()>>(60*uint(r.IntN(2))))
	binary.BigEndian.PutUint64(id[8:], r.Uint64()>>(60*uint(r.IntN(2))))
	if r.IntN(2) == 0 {
		id[0] |= 0x80
	}
	return id
}

func genURI(r *rand.Rand) dclone.URI {
	scheme := []string{"http", "HTTP", "https", "urn", "ftp"}[r.IntN(5)]
	if scheme == "urn" {
		return dclone.URI("urn:" + []string{"isbn", "ISBN", "x"}[r.IntN(3)] + ":" + fmt.Sprint(r.IntN(500)))
	}
	host := []string{"example.com", "EXAMPLE.com", "a.b.c", "localhost:80", "localhost:9", "u@h"}[r.IntN(6)]
	path := []string{"", "/", "/a", "/a%2A", "/a%2F", "/a/b?q=1", "/a/b?q=2#f", "/a#g"}[r.IntN(8)]
	return dclone.URI(scheme + "://" + host + path)
}

func genBigInt(r *rand.Rand) *big.Int {
	x := big.NewInt(genLong(r))
	if r.IntN(3) == 0 {
		x.Mul(x, x).Mul(x, big.NewInt(genLong(r)))
	}
	return x
}

func genBigDec(r *rand.Rand) dclone.Decimal {
	switch r.IntN(3) {
	case 0: // the same number at several scales
		scale := r.IntN(6)
		x := big.NewInt(int64(r.IntN(5) - 2))
		return dclone.Decimal{Unscaled: x.Mul(x, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)), Scale: int32(scale)}
	case 1:
		return dclone.Decimal{Unscaled: genBigInt(r), Scale: int32(r.IntN(100) - 50)}
	default:
		return dclone.Decimal{Unscaled: big.NewInt(r.Int64N(100000) - 50000), Scale: 2}
	}
}

func genOf(id int64) func(*rand.Rand) any {
	for _, t := range valueTypes {
		if t.id == id {
			return t.gen
		}
	}
	panic(fmt.Sprint("no value type ", id))
}

// genTuple makes tuples of one type of elements, of different lengths and with nils.
func genTuple(r *rand.Rand, element int64) []any {
	tuple := make([]any, 2+r.IntN(7)*r.IntN(2))
	for i := range tuple {
		if r.IntN(5) > 0 {
			tuple[i] = genOf(element)(r)
		}
	}
	return tuple
}

// genLog makes a log of about n datoms that has all value types, updates, retractions, values
// asserted again, data of transactions, and datoms above 64 KiB.
func genLog(t testing.TB, seed uint64, n int) *logBuilder {
	r := rand.New(rand.NewPCG(seed, 1))
	b := newLogBuilder(t)
	type attribute struct {
		a   dclone.EntityID
		gen func(*rand.Rand) any
	}
	var attributes []attribute
	for _, vt := range valueTypes {
		attributes = append(attributes, attribute{b.attribute("some-"+vt.name, vt.id), vt.gen})
	}
	for name, id := range tupleTypes {
		attributes = append(attributes, attribute{b.attribute("tuple-of-"+name, 64, 66, dclone.Kw("db.type", name)),
			func(r *rand.Rand) any { return genTuple(r, id) }})
	}
	b.commit()
	entities := []dclone.EntityID{b.entity()}
	type fact struct {
		e, a dclone.EntityID
		v    dclone.Value
	}
	present, absent := map[string]fact{}, []fact(nil)
	for made := 0; made < n; {
		for range 1 + r.IntN(60) {
			if r.IntN(6) == 0 {
				entities = append(entities, b.entity())
			}
			at := attributes[r.IntN(len(attributes))]
			f := fact{entities[r.IntN(len(entities))], at.a, nil}
			if r.IntN(4) == 0 {
				f.e = entities[0] // many values on one entity
			}
			if r.IntN(50) == 0 {
				f.e = dclone.TxID(b.next)
			}
			f.v = b.value(at.gen(r))
			if at.a == attributes[3].a && r.IntN(200) == 0 {
				f.v = b.value(strings.Repeat("long ", 14000) + genString(r))
			}
			if len(absent) > 0 && r.IntN(10) == 0 {
				f = absent[r.IntN(len(absent))]
			}
			key := fmt.Sprint(f.e, f.a, string(f.v))
			if _, ok := present[key]; !ok && !said(b.pending, f.e, f.a, f.v, true) {
				present[key] = f
				b.add(f.e, f.a, f.v, true)
				made++
			}
		}
		for key, f := range present {
			if r.IntN(3) == 0 || len(b.pending) > 200 {
				break
			}
			absent = append(absent, f)
			delete(present, key)
			if !said(b.pending, f.e, f.a, f.v, false) {
				b.add(f.e, f.a, f.v, false)
				made++
			}
		}
		b.commit()
	}
	return b
}

// said reports whether one of the datoms says what another would, as Datomic Local sees it.
func said(datoms []dclone.Datom, e, a dclone.EntityID, v dclone.Value, added bool) bool {
	for _, d := range datoms {
		if d.E == e && d.A == a && d.Added == added && compareValues(d.V, v) == 0 {
			return true
		}
	}
	return false
}

var negativeZero = float32(math.Copysign(0, -1))

// tiedURIs are equal to java.net.URI's compareTo.
var tiedURIs = []dclone.URI{"http://a/%2F", "HTTP://a/%2F", "http://A/%2F"}

// decimalOne returns 1 with a number of digits behind the point.
func decimalOne(scale int) dclone.Decimal {
	x := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	return dclone.Decimal{Unscaled: x, Scale: int32(scale)}
}
