package interop_test

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/interop"
)

const (
	idInstall     = 13
	idValueType   = 40
	idTupleType   = 66
	idTupleTypes  = 67
	idTupleAttrs  = 68
	idTypeRef     = 20
	idTypeTuple   = 64
	bootstrapEndT = 5
)

// compare fails t unless Datomic Local answers about the clone what it answers about the source. It leaves the
// source open in the JVM, and the clone released.
func (p clonePair) compare(t testing.TB, what string) {
	t.Helper()
	p.compareTo(t, newSourceView(p.jvm.Dump(t, p.storage, cloneSystem, p.source)), what)
}

// compareTo is compare for a source that was dumped already.
func (p clonePair) compareTo(t testing.TB, src *sourceView, what string) {
	t.Helper()
	defer p.release(t, p.clone)
	c := &cloneComparison{t: t, idMap: p.idMap(t), src: src, what: what,
		clone: p.jvm.Dump(t, p.storage, cloneSystem, p.clone)}
	c.transactions()
	c.current(src.dumps.Current, c.clone.Current)
	c.orders()
	p.jvm.Load(t, "clone")
	questions := []string{`(clone/differences s c m)`, `(clone/probe s c m)`, `(clone/crooked (d/db c) c)`}
	if !c.demotes() {
		questions = append(questions, `(if (= (picture (d/db s)) (picture (d/db c))) [] ["the pictures differ"])`)
	}
	for _, q := range questions {
		require.Equal(t, "[]", p.jvm.Eval(t, fmt.Sprintf(`(let [s (conn %s) c (conn %s) m (clone/read-map %s)] %s)`,
			p.in(p.source), p.in(p.clone), c.idMap.write(t), q)), what)
	}
}

// compareDatoms is the part of compareTo that takes little time: what holds, and the replayed transactions.
func (p clonePair) compareDatoms(t testing.TB, src *sourceView, what string) {
	t.Helper()
	defer p.release(t, p.clone)
	file := filepath.Join(t.TempDir(), "log")
	p.jvm.Eval(t, fmt.Sprintf(`(dump-tx-range (conn %s) %s)`, p.in(p.clone), interop.Str(file)))
	c := &cloneComparison{t: t, idMap: p.idMap(t), src: src, what: what,
		clone: interop.Dumps{Log: readDump(t, file, interop.ReadLog)}}
	c.transactions()
	c.current(src.dumps.Current, p.datoms(t, p.clone, `identity`))
}

// compareAsOf compares the two as they were after a replayed transaction of the source.
func (p clonePair) compareAsOf(t testing.TB, src *sourceView, at int64) {
	t.Helper()
	defer p.release(t, p.clone)
	m := p.idMap(t)
	clone := m.to[txPartition<<42+at] - txPartition<<42
	c := &cloneComparison{t: t, idMap: m, src: src, what: fmt.Sprintf("as of t %d, the clone's %d", at, clone)}
	c.current(p.datoms(t, p.source, fmt.Sprintf(`#(d/as-of %% %d)`, at)), p.datoms(t, p.clone, fmt.Sprintf(`#(d/as-of %% %d)`, clone)))
}

// datoms returns all datoms of a database, or of what a function of Clojure makes of it.
func (p clonePair) datoms(t testing.TB, db, of string) []interop.Datom {
	t.Helper()
	file := filepath.Join(t.TempDir(), "datoms")
	p.jvm.Eval(t, fmt.Sprintf(`(dump-datoms (%s (d/db (conn %s))) :eavt %s)`, of, p.in(db), interop.Str(file)))
	return readDump(t, file, interop.ReadDatoms)
}

func readDump[T any](t testing.TB, file string, read func(io.Reader) ([]T, error)) []T {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	all, err := read(f)
	require.NoError(t, err)
	return all
}

// A sourceView is what Datomic Local says of a source, and which of its values are entity ids.
type sourceView struct {
	dumps interop.Dumps
	kinds map[int64]int64   // value type, by attribute
	tuple map[int64]string  // :db/tupleType, types or attrs, as dumped
	named map[string]int64  // the entity each keyword was given to last
	ident map[int64]string  // and back
	roles map[int64]refRole // of the attributes that were asked for
}

// A refRole says which parts of a value are entity ids: the whole, or elements of a tuple.
type refRole struct {
	whole, all bool
	elements   []bool
}

func newSourceView(d interop.Dumps) *sourceView {
	v := &sourceView{dumps: d, kinds: map[int64]int64{}, tuple: map[int64]string{}, named: map[string]int64{},
		ident: map[int64]string{}, roles: map[int64]refRole{}}
	for _, tx := range d.Log {
		for _, d := range tx.Datoms {
			if !d.Added {
				continue
			}
			switch d.A {
			case idIdent:
				v.named[d.V], v.ident[d.E] = d.E, d.V
			case idValueType:
				v.kinds[d.E] = number(d.V)
			case idTupleType, idTupleTypes, idTupleAttrs:
				v.tuple[d.E] = d.V
			}
		}
	}
	return v
}

// number reads L42.
func number(v string) int64 {
	n, err := strconv.ParseInt(strings.TrimPrefix(v, "L"), 10, 64)
	if err != nil {
		panic(fmt.Sprintf("%q is no number of a dump", v))
	}
	return n
}

func (v *sourceView) role(a int64) refRole {
	r, ok := v.roles[a]
	if ok {
		return r
	}
	switch v.kinds[a] {
	case idTypeRef:
		r.whole = true
	case idTypeTuple:
		of := v.tuple[a]
		r.all = of == "Kdb.type|ref"
		if list, ok := strings.CutPrefix(of, "T["); ok {
			for _, k := range strings.Split(strings.TrimSuffix(list, "]"), " ") {
				r.elements = append(r.elements, k == "Kdb.type|ref" || v.kinds[v.named[k]] == idTypeRef)
			}
		}
	}
	v.roles[a] = r
	return r
}

// value returns a value of attribute a with its entity ids put through to.
func (v *sourceView) value(a int64, value string, to func(int64) int64) string {
	r := v.role(a)
	switch {
	case v.plain(a):
		return value
	case r.whole:
		return fmt.Sprint("L", to(number(value)))
	}
	elements := strings.Split(strings.TrimSuffix(strings.TrimPrefix(value, "T["), "]"), " ")
	for i, e := range elements {
		if (r.all || r.elements[i]) && e != "nil" {
			elements[i] = fmt.Sprint("L", to(number(e)))
		}
	}
	return "T[" + strings.Join(elements, " ") + "]"
}

// A cloneComparison holds a source's answers against its clone's.
type cloneComparison struct {
	t testing.TB
	idMap
	src   *sourceView
	clone interop.Dumps
	what  string
	gaps  bool // the clone's t may have them
}

// demotes reports whether some transaction entity became an ordinary one.
func (c *cloneComparison) demotes() bool {
	for src, clone := range c.to {
		if isTx(src) && !isTx(clone) {
			return true
		}
	}
	return false
}

// translate returns d as the clone should have it.
func (c *cloneComparison) translate(d interop.Datom) interop.Datom {
	to := func(e int64) int64 {
		clone, ok := c.to[e]
		require.True(c.t, ok, "%s: entity %d has no clone; it is in %v", c.what, e, d)
		return clone
	}
	d.V = c.src.value(d.A, d.V, to)
	d.E, d.A = to(d.E), to(d.A)
	return d
}

// transactions compares the replayed ones, one by one, datom by datom.
func (c *cloneComparison) transactions() {
	t := c.t
	t.Helper()
	after := func(log []interop.Tx, at int64) []interop.Tx {
		return slices.DeleteFunc(slices.Clone(log), func(tx interop.Tx) bool { return tx.T <= at })
	}
	want, got := after(c.src.dumps.Log, int64(c.pos.Basis)), after(c.clone.Log, int64(c.pos.Loaded))
	require.Equal(t, len(want), len(got), "%s: replayed transactions", c.what)
	for i, tx := range want {
		own := txPartition<<42 + got[i].T
		if e := c.to[txPartition<<42+tx.T]; isTx(e) { // else a ref to it was there before it was
			require.Equal(t, own, e, "%s: the clone of t %d", c.what, tx.T)
		}
		require.Equal(t, len(tx.Datoms), len(got[i].Datoms), "%s: datoms of t %d", c.what, tx.T)
		for j, d := range tx.Datoms {
			w := c.translate(d)
			w.Tx = own
			if d.A == idTxInstant && d.E == d.Tx {
				w.E = own
			}
			if w != got[i].Datoms[j] {
				require.Fail(t, "a transaction differs", "%s: t %d, clone t %d, datom %d: want %v, got %v",
					c.what, tx.T, got[i].T, j, short(w), short(got[i].Datoms[j]))
			}
		}
	}
	newest := int64(0)
	for i, tx := range c.clone.Log {
		if !c.gaps {
			require.EqualValues(t, i, tx.T, "%s: t of the clone", c.what)
		}
		if tx.T > bootstrapEndT {
			at := instantOf(t, tx)
			require.LessOrEqual(t, newest, at, "%s: instant of clone t %d", c.what, i)
			newest = at
		}
	}
}

// instantOf returns when a transaction was made, in milliseconds. Other entities may have a :db/txInstant, too.
func instantOf(t testing.TB, tx interop.Tx) int64 {
	t.Helper()
	for _, d := range tx.Datoms {
		if d.A == idTxInstant && d.E == d.Tx {
			return number(strings.Replace(d.V, "I", "L", 1))
		}
	}
	require.Fail(t, "a transaction without an instant", "t %d", tx.T)
	return 0
}

// A cloneFact is a datom that holds.
type cloneFact struct {
	e, a int64
	v    string
}

// current compares what holds. What the first copy's own transactions say of themselves has no source, and it
// leaves out that attributes were altered, in the past.
func (c *cloneComparison) current(source, clone []interop.Datom) {
	t := c.t
	t.Helper()
	want, have := map[cloneFact]int{}, map[cloneFact]int{}
	for _, d := range source {
		at, carried := c.to[d.E]
		if d.A == idAlter || d.A == idTxInstant && isTx(d.E) && (!carried || !isTx(at)) {
			continue
		}
		w := c.translate(d)
		f := cloneFact{w.E, w.A, w.V}
		want[f]++
		if d.A == idInstall {
			want[f] = 1
		}
	}
	for _, d := range clone {
		_, carried := c.from[d.E]
		own := d.A == idTxInstant && d.E == d.Tx && !carried && (d.E <= txPartition<<42+int64(c.pos.Loaded) || c.demotes())
		if !own && d.A != idAlter {
			have[cloneFact{d.E, d.A, d.V}]++
		}
	}
	if !maps.Equal(want, have) {
		require.Fail(t, "the clone does not hold what the source does", "%s:\n%s", c.what, c.differing(want, have))
	}
	c.txs(source, clone)
}

func (c *cloneComparison) differing(want, have map[cloneFact]int) string {
	var lines []string
	line := func(f cloneFact, what string) {
		lines = append(lines, fmt.Sprintf("%s (%d times, not %d): %s of entity %d, the source's %d: %s",
			what, have[f], want[f], c.src.ident[c.from[f.a]], f.e, c.from[f.e], shorter(f.v)))
	}
	for f := range want {
		if have[f] < want[f] {
			line(f, "missing")
		}
	}
	for f := range have {
		if have[f] > want[f] {
			line(f, "too much")
		}
	}
	slices.Sort(lines)
	return fmt.Sprintf("%d differences\n", len(lines)) + strings.Join(lines[:min(20, len(lines))], "\n")
}

// txs makes sure that what holds is known to hold since the right transaction: the replayed one, or some
// transaction of the first copy.
func (c *cloneComparison) txs(source, clone []interop.Datom) {
	t := c.t
	t.Helper()
	since := map[cloneFact][]int64{}
	for _, d := range clone {
		since[cloneFact{d.E, d.A, d.V}] = append(since[cloneFact{d.E, d.A, d.V}], d.Tx)
	}
	for _, d := range source {
		at := d.Tx - txPartition<<42
		if at <= int64(c.pos.Basis) || d.A == idInstall {
			continue
		}
		w := c.translate(d)
		if then, ok := c.to[d.Tx]; ok && isTx(then) {
			require.Contains(t, since[cloneFact{w.E, w.A, w.V}], then, "%s: %v holds since another t", c.what, short(d))
		}
	}
}

// orders compares, attribute by attribute, the order in which AVET has the values. Those Datomic Local
// takes for equal come by entity, whose order the clone need not keep. Where there is a NaN, which equals
// every number, no value has a certain place.
func (c *cloneComparison) orders() {
	t := c.t
	t.Helper()
	want := columns(c.src.dumps.Avet, c.src.plain)
	got := columns(c.clone.Avet, func(a int64) bool { return c.src.plain(c.from[a]) })
	require.NotEmpty(t, want)
	for a, values := range want {
		if slices.Contains(values, "NaN") {
			continue
		}
		require.Equal(t, values, got[c.to[a]], "%s: order of AVET of %s", c.what, c.src.ident[a])
	}
	require.Len(t, got, len(want), "%s: attributes in AVET", c.what)
}

// columns returns the values of each attribute that ask wants, as they come. What a first copy has of
// its own is left out.
func columns(datoms []interop.Datom, ask func(a int64) bool) map[int64][]string {
	columns := map[int64][]string{}
	for _, d := range datoms {
		if ask(d.A) && d.A != idTxInstant && d.A != idInstall && d.A != idAlter {
			columns[d.A] = append(columns[d.A], canonical(d.V))
		}
	}
	return columns
}

// plain reports whether no entity id is in the values of a.
func (v *sourceView) plain(a int64) bool {
	r := v.role(a)
	return !r.whole && !r.all && !slices.Contains(r.elements, true)
}

// canonical returns v such that values that Datomic Local takes for equal look alike.
func canonical(v string) string {
	switch {
	case v == "D7ff8000000000000" || v == "F7fc00000":
		return "NaN"
	case v == "F80000000":
		return "F00000000"
	case strings.HasPrefix(v, "R"):
		return strings.ToLower(v)
	case strings.HasPrefix(v, "M"):
		return canonicalDecimal(v)
	case strings.HasPrefix(v, "T["):
		elements := strings.Split(v[2:len(v)-1], " ")
		for i, e := range elements {
			elements[i] = canonical(e)
		}
		return "T[" + strings.Join(elements, " ") + "]"
	}
	return v
}

// canonicalDecimal takes the zeros off the end of M1200e2.
func canonicalDecimal(v string) string {
	unscaled, exponent, _ := strings.Cut(v[1:], "e")
	scale := number(exponent)
	for strings.HasSuffix(unscaled, "0") && len(unscaled) > 1 {
		unscaled = unscaled[:len(unscaled)-1]
		scale--
	}
	if unscaled == "0" {
		scale = 0
	}
	return fmt.Sprintf("M%se%d", unscaled, scale)
}

func short(d interop.Datom) string {
	d.V = shorter(d.V)
	return d.String()
}

func shorter(v string) string {
	if len(v) > 100 {
		return fmt.Sprintf("%s… (%d)", v[:100], len(v))
	}
	return v
}
