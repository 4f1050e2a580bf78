package interop_test

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	destlocal "dclone/dest/local"
	"dclone/interop"
	"dclone/session"
	"dclone/source"
	sourcelocal "dclone/source/local"
	"dclone/source/pro"
	"dclone/state"
	"dclone/verify"
)

// Entities of Datomic Pro's bootstrap. From 63 on a database that was born earlier may have others.
const (
	proFirstT      = 1000 // of users' transactions; those of the bootstrap are less
	proTypeFn      = 26
	proTypeBytes   = 27
	proMany        = 36
	proCardinality = 41
	proUnique      = 42
	proIndex       = 44
)

// A proClone is a Datomic Pro database and its clone in Datomic Local.
type proClone struct {
	clonePair
	src proSource
}

func newProClone(t testing.TB, src proSource, clone string, opt session.Options) proClone {
	p := proClone{newClonePair(t, src.jvm).to(clone, opt), src}
	t.Cleanup(func() { p.jvm.TryEval(`(release ` + p.in(p.clone) + `)`) })
	return p
}

// sync is one run of dclone.
func (p proClone) sync(t testing.TB, src source.Conn) session.Result {
	t.Helper()
	dst, err := destlocal.Lock(p.dir(p.clone))
	require.NoError(t, err)
	defer func() { require.NoError(t, dst.Close()) }()
	opt := p.opt
	opt.SourceAddress, opt.DestAddress = "datomic:sql://"+p.src.name, "datomic-local:dev/"+p.clone
	r, err := session.Sync(context.Background(), src, dst, p.sidecar(), opt)
	require.NoError(t, err)
	return r
}

// verified has package verify compare the two.
func (p proClone) verified(t testing.TB, src source.Conn) verify.Report {
	t.Helper()
	clone, err := sourcelocal.Open(p.dir(p.clone))
	require.NoError(t, err)
	defer func() { require.NoError(t, clone.Close()) }()
	store, err := state.OpenRead(p.sidecar())
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	r, err := verify.Run(context.Background(), src, clone, store, verify.Options{TempDir: t.TempDir()})
	require.NoError(t, err)
	return r
}

// compare fails t unless the clone has what the dumped source has, as far as Datomic Local has a place for it, and
// answers as it does.
func (p proClone) compare(t testing.TB, d interop.ProDumps, what string) {
	t.Helper()
	defer p.release(t, p.clone)
	c := p.compareDatoms(t, d, what)
	p.jvm.Load(t, "clone")
	questions := []string{`(clone/crooked (d/db c) c)`}
	if !p.src.old {
		questions = append(questions, `(clone/differences s c m)`)
	}
	if !c.demotes() && !p.src.old {
		questions = append(questions, `(if (= (picture (d/db s)) (picture (d/db c))) [] ["the pictures differ"])`)
	}
	for _, q := range questions {
		require.Equal(t, "[]", p.jvm.Eval(t, fmt.Sprintf(`(let [s (pro/conn %s) c (conn %s) m (clone/read-map %s)] %s)`,
			interop.Str(p.src.uri()), p.in(p.clone), c.idMap.write(t), q)), what)
	}
}

// compareDatoms is the part of compare that takes little time. It leaves the clone open in the JVM.
func (p proClone) compareDatoms(t testing.TB, d interop.ProDumps, what string) *cloneComparison {
	t.Helper()
	v := newProView(t, d)
	file := filepath.Join(t.TempDir(), "avet")
	p.src.eval(t, `(dump-avet (d/db c) `+interop.Str(file)+`)`)
	v.dumps.Avet = v.carried(readDump(t, file, interop.ReadDatoms))
	c := &cloneComparison{t: t, idMap: v.idMap(t), src: &v.sourceView, what: what, gaps: true,
		clone: p.jvm.Dump(t, p.storage, cloneSystem, p.clone)}
	p.readMap(t, &c.idMap)
	own := func(d interop.Datom) bool { return d.Tx <= txPartition<<42+bootstrapEndT }
	c.clone.Current = slices.DeleteFunc(c.clone.Current, own)
	c.clone.Avet = slices.DeleteFunc(c.clone.Avet, own)
	c.transactions()
	c.current(v.dumps.Current, c.clone.Current)
	if len(v.dumps.Avet) > 0 {
		c.orders()
	}
	return c
}

// A proView is the sourceView of what a clone in Datomic Local should have of a Pro database: without the bootstrap, and
// without what Local has no place for.
type proView struct {
	sourceView
	builtins map[int64]int64 // with their clones, lacking where there is none
	many     map[int64]bool
	facts    map[cloneFact]bool // what every database of Datomic Local is born with
}

const lacking = -1

func newProView(t testing.TB, d interop.ProDumps) *proView {
	t.Helper()
	v := &proView{sourceView: *newSourceView(interop.Dumps{}), builtins: map[int64]int64{}, many: map[int64]bool{}}
	idents := v.born(t)
	bootstrap := slices.DeleteFunc(slices.Clone(d.History.EAVT), func(d interop.Datom) bool { return !bornOf(d) })
	require.NotEmpty(t, bootstrap)
	slices.SortStableFunc(bootstrap, func(a, b interop.Datom) int { return cmp.Compare(a.Tx, b.Tx) })
	all := append([]interop.Tx{{Datoms: bootstrap}}, d.Log...)
	for _, tx := range all {
		for _, d := range tx.Datoms {
			if d.A == idIdent && d.Added {
				v.name(d, idents)
			}
		}
	}
	for _, tx := range all {
		for _, d := range tx.Datoms {
			if d.Added {
				v.learn(d)
			}
		}
	}
	for _, tx := range d.Log {
		v.dumps.Log = append(v.dumps.Log, interop.Tx{T: tx.T, Datoms: v.carried(tx.Datoms)})
	}
	v.dumps.Current = v.carried(d.Current.EAVT)
	return v
}

func bornOf(d interop.Datom) bool { return d.Tx < txPartition<<42+proFirstT }

// born notes what every Datomic Local database is born with, and returns its idents.
func (v *proView) born(t testing.TB) map[string]int64 {
	t.Helper()
	idents := map[string]int64{}
	v.facts = map[cloneFact]bool{}
	local.EachBootstrapDatom(func(d dclone.Datom) {
		n := noted(t, d)
		v.facts[cloneFact{n.E, n.A, n.V}] = true
		if d.A == dclone.AttrIdent {
			idents[n.V] = n.E
		}
	})
	return idents
}

// name takes an ident into account. One that is Datomic's own is that of a builtin, of the bootstrap or of an upgrade.
func (v *proView) name(d interop.Datom, idents map[string]int64) {
	v.named[d.V], v.ident[d.E] = d.E, d.V
	clone, ok := idents[d.V]
	switch {
	case !bornOf(d) && !(ok && strings.HasPrefix(d.V, "Kdb")):
	case ok && d.E != proTypeFn:
		v.builtins[d.E] = clone
	default:
		v.builtins[d.E] = lacking
	}
}

// learn takes a datom of the schema into account.
func (v *proView) learn(d interop.Datom) {
	switch v.ident[d.A] {
	case "Kdb|valueType":
		v.kinds[d.E] = number(d.V)
		if v.ident[number(d.V)] == "Kdb.type|tuple" {
			v.kinds[d.E] = idTypeTuple
		}
	case "Kdb|cardinality":
		v.many[d.E] = d.V == fmt.Sprint("L", proMany)
	case "Kdb|tupleType", "Kdb|tupleTypes", "Kdb|tupleAttrs":
		v.tuple[d.E] = d.V
	}
}

// carried returns those of some datoms that a clone should have.
func (v *proView) carried(datoms []interop.Datom) []interop.Datom {
	return slices.DeleteFunc(slices.Clone(datoms), func(d interop.Datom) bool { return bornOf(d) || v.refused(d) })
}

// refused reports whether Datomic Local has no place for a datom, by the rules of package fit, said in other words.
func (v *proView) refused(d interop.Datom) bool {
	without := func(a int64) bool { return v.kinds[a] == proTypeBytes || v.kinds[a] == proTypeFn }
	lacks := func(e int64) bool { c, ok := v.builtins[e]; return ok && c == lacking }
	if lacks(d.A) || lacks(d.E) || without(d.A) {
		return true
	}
	refused, fact := false, cloneFact{v: d.V}
	if !v.plain(d.A) {
		fact.v = v.value(d.A, d.V, func(e int64) int64 {
			refused = refused || lacks(e) || d.A == idInstall && without(e)
			if clone, ok := v.builtins[e]; ok {
				return clone
			}
			return lacking
		})
	}
	e, builtin := v.builtins[d.E]
	a, ofBuiltin := v.builtins[d.A]
	fact.e, fact.a = e, a
	return refused || builtin && ofBuiltin && (!v.many[d.A] || v.facts[fact])
}

// idMap returns the clones of the builtins.
func (v *proView) idMap(t testing.TB) idMap {
	m := idMap{to: map[int64]int64{}, from: map[int64]int64{}}
	for src, clone := range v.builtins {
		if clone != lacking {
			m.add(t, src, clone)
		}
	}
	return m
}

// TestProClones clones databases of Datomic Pro into Datomic Local, has real Local open the clones, and compares.
func TestProClones(t *testing.T) {
	for _, c := range []struct {
		name   string
		create func(testing.TB, *interop.JVM, string, string) proSource
		steps  []string
		begin  map[int]session.Options // first copies, by the step after which they are made
	}{
		{"features", newProSource, []string{
			`:empty`,
			`(features/run-wave! c 1) (profeatures/run-wave! c 1)`,
			`(pro/index! uri) (doseq [w (range 2 5)] (features/run-wave! c w))`,
			`(profeatures/run-wave! c 2) (features/run-wave! c 5)`,
			`(pro/with-sizes ` + smallTrees + ` #(pro/index! uri)) (features/run-wave! c 6) (features/run-wave! c 7) (profeatures/run-wave! c 3)`,
		}, map[int]session.Options{0: {}, 2: {TxEntities: "all", MaxBatchSize: 7}, 4: {}}},
		{"old", newOldProSource, []string{
			`(interop/tx-at! c interop/epoch [(attr :old/id :long :db/unique :db.unique/identity) (attr :old/refs :ref :many true) (attr :old/bytes :bytes)])
				(interop/tx-at! c interop/epoch (for [i (range 10)] {:old/id i :old/refs [:old/id :db.type/long] :old/bytes (byte-array [i])}))`,
			`(pro/upgrade! c) (features/run-wave! c 1)`,
			`(pro/index! uri)
				(tx! c [(attr :old/n :long)])
				(tx! c [(attr :old/pair :tuple :db/tupleTypes [:db.type/ref :db.type/string]) (attr :old/many :tuple :many true :db/tupleType :db.type/ref)
					(attr :old/both :tuple :db/tupleAttrs [:old/id :old/n]) (attr :old/odd :long :db.attr/preds 'clojure.core/odd?)])
				(tx! c [{:old/id 3 :old/refs [:db/ensure :db.type/tuple] :old/pair [[:old/id 4] "x"] :old/many [[[:old/id 5] :old/pair]] :old/n 5 :old/odd 7}])
				(tx! c [{:old/id 3 :old/n 6} {:old/id 12 :old/n 7}])`,
		}, map[int]session.Options{0: {}, 1: {TxEntities: "all"}, 2: {}}},
		{"random", newProSource, []string{
			`(random/schema! c) (random/txs! c 1 100)`,
			`(pro/with-sizes ` + smallTrees + ` #(pro/index! uri)) (random/txs! c 2 100)`,
			`(random/txs! c 3 50)`,
		}, map[int]session.Options{0: {}, 1: {TxEntities: "none"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			jvm := interop.StartPro(t)
			src := c.create(t, jvm, c.name, `:new`)
			var clones []proClone
			for i, step := range c.steps {
				src.eval(t, step)
				dumps := src.dump(t)
				if opt, ok := c.begin[i]; ok {
					clones = append(clones, newProClone(t, src, fmt.Sprint("begun-", i), opt))
				}
				for _, k := range clones {
					what := fmt.Sprintf("clone %s after step %d", k.clone, i)
					src.read(t, func(conn *pro.Conn) {
						first := k.sync(t, conn).Status == session.Initial
						if first || i == len(c.steps)-1 {
							k.compare(t, dumps, what)
						} else {
							k.compareDatoms(t, dumps, what)
							k.release(t, k.clone)
						}
						report := k.verified(t, conn)
						require.Equal(t, verify.OK, report.Status, "%s: verify: %v", what, report.Differences)
						require.Equal(t, session.UpToDate, k.sync(t, conn).Status, what)
					})
				}
			}
		})
	}
}
