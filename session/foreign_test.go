package session_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	destlocal "dclone/dest/local"
	"dclone/eidmap"
	"dclone/fressian"
	"dclone/historytest"
	"dclone/historytest/seeds"
	"dclone/replay"
	"dclone/schema"
	"dclone/session"
	"dclone/source"
	sourcelocal "dclone/source/local"
	"dclone/state"
	"dclone/verify"
)

// A foreign is a Datomic Local database in the guise of another kind: builtins from 53 on have
// other numbers, its own entities of the db partition and its t too; and it is born with more, which
// its transactions use. All that it has beyond the Local database must leave no trace in a clone.
type foreign struct {
	*sourcelocal.Conn
	schema  schema.Schema // of the database beneath
	id      string
	spacing dclone.T
	excised bool            // transactions have lost datoms
	gone    dclone.EntityID // an excised entity; 0: none
}

// What the foreign kind is born with, and Datomic Local is not: under numbers that nothing beneath has.
const (
	lackIndex    dclone.EntityID = 331
	lackBytes    dclone.EntityID = 332
	lackFunction dclone.EntityID = 333
)

func newForeign(t testing.TB, dir string, spacing dclone.T) *foreign {
	c, err := sourcelocal.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	f := &foreign{Conn: c, id: "foreign-1", spacing: spacing}
	for tx, err := range c.Txs(context.Background(), 0) {
		require.NoError(t, err)
		require.NoError(t, f.schema.Apply(slices.Clone(tx.Datoms)))
	}
	return f
}

func (f *foreign) t(t dclone.T) dclone.T {
	if t <= local.BootstrapT {
		return t
	}
	return local.BootstrapT + (t-local.BootstrapT)*f.spacing
}

// beneath is the inverse of t; false where nothing lies beneath.
func (f *foreign) beneath(t dclone.T) (dclone.T, bool) {
	if t <= local.BootstrapT {
		return t, true
	}
	d := t - local.BootstrapT
	return local.BootstrapT + d/f.spacing, d%f.spacing == 0
}

// entity gives an entity its number in the guise; the order of numbers stays.
func (f *foreign) entity(e dclone.EntityID) dclone.EntityID {
	switch {
	case e.IsTx():
		return dclone.TxID(f.t(e.T()))
	case e.Partition() == dclone.PartDB && e >= 53:
		return e + 300
	}
	return e
}

func (f *foreign) datom(d dclone.Datom) dclone.Datom {
	v, err := eidmap.Rewrite(nil, d.V, f.schema.Refs(d.A), func(e dclone.EntityID) (dclone.EntityID, error) { return f.entity(e), nil })
	if err != nil {
		panic(err)
	}
	return dclone.Datom{E: f.entity(d.E), A: f.entity(d.A), V: v, Tx: f.entity(d.Tx), Added: d.Added}
}

func fv(v any) dclone.Value {
	b, err := fressian.Append(nil, v)
	if err != nil {
		panic(err)
	}
	return b
}

// born are the datoms the foreign kind is born with beyond those of Datomic Local.
func (f *foreign) born() []dclone.Datom {
	tx := dclone.TxID(local.BootstrapT)
	d := func(e, a dclone.EntityID, v any) dclone.Datom {
		return dclone.Datom{E: e, A: a, V: fv(v), Tx: tx, Added: true}
	}
	return []dclone.Datom{
		d(lackIndex, 10, dclone.Kw("db", "index")), d(lackIndex, 40, int64(24)), d(lackIndex, 41, int64(35)), d(0, 13, int64(lackIndex)),
		d(lackBytes, 10, dclone.Kw("db.type", "bytes")), d(lackFunction, 10, dclone.Kw("db.fn", "cas")),
	}
}

// more are the datoms that a transaction has beyond those of the one beneath.
func (f *foreign) more(tx *dclone.Tx) (datoms []dclone.Datom) {
	if tx.T <= local.BootstrapT {
		if tx.T == local.BootstrapT {
			return f.born()
		}
		return nil
	}
	id := dclone.TxID(f.t(tx.T))
	for _, d := range tx.Datoms {
		if d.A == local.AttrInstallAttribute && d.Added {
			e, _, _ := fressian.Int(d.V)
			datoms = append(datoms, dclone.Datom{E: f.entity(dclone.EntityID(e)), A: lackIndex, V: fv(true), Tx: id, Added: true})
		}
		if d.Added && f.schema.Refs(d.A) == dclone.WholeRef && !local.IsBuiltin(d.A) && f.schema.Attribute(d.A).Many {
			datoms = append(datoms, dclone.Datom{E: f.entity(d.E), A: f.entity(d.A), V: fv(int64(lackFunction)), Tx: id, Added: true})
		}
	}
	slices.SortFunc(datoms, func(x, y dclone.Datom) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.E, y.E)) })
	return slices.CompactFunc(datoms, func(x, y dclone.Datom) bool { return x.A == y.A && x.E == y.E })
}

func (f *foreign) DatabaseID() string { return f.id }
func (f *foreign) Basis() dclone.T    { return f.t(f.Conn.Basis()) }

func (f *foreign) Fingerprint(key dclone.DigestKey, t dclone.T) (dclone.Fingerprint, error) {
	at, ok := f.beneath(t)
	if !ok {
		return dclone.Fingerprint{}, source.ErrNoTx
	}
	p, err := f.Conn.Fingerprint(key, at)
	p.T, p.ID = t, fmt.Sprint("tx ", t)
	if f.excised {
		p.Digest[0]++
	}
	return p, err
}

func (f *foreign) Txs(ctx context.Context, from dclone.T) iter.Seq2[*dclone.Tx, error] {
	return func(yield func(*dclone.Tx, error) bool) {
		at, _ := f.beneath(from)
		for tx, err := range f.Conn.Txs(ctx, at) {
			if err != nil {
				yield(nil, err)
				return
			}
			if f.t(tx.T) < from {
				continue
			}
			out := &dclone.Tx{T: f.t(tx.T), Instant: tx.Instant}
			for _, d := range tx.Datoms {
				if d.E != f.gone || f.gone == 0 {
					out.Datoms = append(out.Datoms, f.datom(d))
				}
			}
			out.Datoms = append(out.Datoms, f.more(tx)...)
			if !yield(out, nil) {
				return
			}
		}
	}
}

func (f *foreign) Snapshot(ctx context.Context, t dclone.T, opt source.Options) (source.Snapshot, error) {
	at, ok := f.beneath(t)
	if !ok {
		return nil, source.ErrNoTx
	}
	s, err := f.Conn.Snapshot(ctx, at, opt)
	if err != nil {
		return nil, err
	}
	fs := &foreignSnapshot{Snapshot: s, f: f, more: map[dclone.EntityID][]dclone.Datom{}}
	for tx, err := range f.Conn.Txs(ctx, 0) {
		if err != nil {
			return nil, err
		}
		if tx.T > at {
			break
		}
		more := f.more(tx)
		for _, d := range more {
			fs.more[d.A] = append(fs.more[d.A], d)
		}
		var kept []dclone.Datom
		for _, d := range tx.Datoms {
			if d.E.Partition() == dclone.PartDB && local.IsBuiltin(d.A) {
				d.V = slices.Clone(d.V)
				kept = append(kept, f.datom(d))
			}
		}
		for _, d := range more {
			if d.E.Partition() == dclone.PartDB {
				kept = append(kept, d)
			}
		}
		fs.kept = append(fs.kept, kept...)
		if err := fs.schema.Apply(kept); err != nil {
			return nil, err
		}
	}
	return fs, nil
}

type foreignSnapshot struct {
	source.Snapshot
	f      *foreign
	schema schema.Schema
	kept   []dclone.Datom
	more   map[dclone.EntityID][]dclone.Datom // by attribute
}

func (s *foreignSnapshot) Basis() dclone.T              { return s.f.t(s.Snapshot.Basis()) }
func (s *foreignSnapshot) Schema() *schema.Schema       { return &s.schema }
func (s *foreignSnapshot) SchemaDatoms() []dclone.Datom { return s.kept }

func (s *foreignSnapshot) Attributes() []source.AttributeCount {
	counts := []source.AttributeCount{{A: lackIndex, Count: 1}}
	for _, a := range s.Snapshot.Attributes() {
		counts = append(counts, source.AttributeCount{A: s.f.entity(a.A), Count: a.Count})
	}
	slices.SortFunc(counts, func(x, y source.AttributeCount) int { return cmp.Compare(x.A, y.A) })
	return counts
}

// read reads an attribute beneath, and puts what the guise has beyond it behind.
func (s *foreignSnapshot) read(from func(context.Context, dclone.EntityID) iter.Seq2[[]dclone.Datom, error]) func(context.Context, dclone.EntityID) iter.Seq2[[]dclone.Datom, error] {
	return func(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error] {
		return func(yield func([]dclone.Datom, error) bool) {
			all := slices.Clone(s.more[a])
			slices.SortStableFunc(all, func(x, y dclone.Datom) int { return cmp.Compare(x.E, y.E) })
			all = slices.CompactFunc(all, func(x, y dclone.Datom) bool { return x.E == y.E && string(x.V) == string(y.V) })
			beneath := a
			if a >= 353 && a.Partition() == dclone.PartDB {
				beneath = a - 300
			}
			for datoms, err := range from(ctx, beneath) {
				if err != nil {
					yield(nil, err)
					return
				}
				for _, d := range datoms {
					if d.E == s.f.gone && s.f.gone != 0 {
						continue
					}
					if d.V == nil {
						d.V = dclone.Value{}
						all = append(all, dclone.Datom{E: s.f.entity(d.E), A: a, Added: true})
						continue
					}
					all = append(all, s.f.datom(d))
				}
			}
			slices.SortStableFunc(all, func(x, y dclone.Datom) int { return cmp.Compare(x.E, y.E) })
			if len(all) > 0 {
				yield(all, nil)
			}
		}
	}
}

func (s *foreignSnapshot) Current(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error] {
	return s.read(s.Snapshot.Current)(ctx, a)
}
func (s *foreignSnapshot) Holders(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error] {
	return s.read(s.Snapshot.Current)(ctx, a)
}
func (s *foreignSnapshot) History(ctx context.Context, a dclone.EntityID) iter.Seq2[[]dclone.Datom, error] {
	return s.read(s.Snapshot.History)(ctx, a)
}

// Excised is what package session asks where datoms are missing.
func (f *foreign) Excised(context.Context, dclone.T) (bool, error) { return f.excised, nil }

func syncForeign(t testing.TB, f *foreign, dst string, opt session.Options) (session.Result, error) {
	t.Helper()
	c, err := destlocal.Lock(dst)
	require.NoError(t, err)
	defer c.Close()
	opt.SourceAddress, opt.DestAddress, opt.Jobs = "foreign:source", "datomic-local:/clone", 2
	return session.Sync(context.Background(), f, c, filepath.Join(dst, "dclone.state"), opt)
}

// verifyForeign compares a clone with its source by package verify.
func verifyForeign(t testing.TB, f *foreign, dst string) {
	t.Helper()
	store, err := state.OpenRead(filepath.Join(dst, "dclone.state"))
	require.NoError(t, err)
	defer store.Close()
	clone, err := sourcelocal.Open(dst)
	require.NoError(t, err)
	defer clone.Close()
	rep, err := verify.Run(context.Background(), f, clone, store, verify.Options{Jobs: 2})
	require.NoError(t, err)
	require.Equal(t, verify.OK, rep.Status, "%+v", rep.Differences)
}

// touchesBirth reports whether something was said of a transaction of the bootstrap, or refers to one.
// Those of different kinds do not stand for one another: in the clone it is another entity.
func (f *foreign) touchesBirth(t testing.TB) (touches bool) {
	born := func(e dclone.EntityID) { touches = touches || e.IsTx() && e.T() <= local.BootstrapT }
	for tx, err := range f.Conn.Txs(context.Background(), local.BootstrapT+1) {
		require.NoError(t, err)
		for _, d := range tx.Datoms {
			born(d.E)
			if refs := f.schema.Refs(d.A); refs != dclone.NoRefs {
				require.NoError(t, eidmap.EachRef(d.V, refs, born))
			}
		}
	}
	return touches
}

// The clone of a foreign source is the clone of the database beneath it, byte for byte where t is
// numbered anew, and what it could not have is listed.
func TestForeign(t *testing.T) {
	kept, compared := map[bool]int{}, 0
	all := seeds.Of(t, 24)
	for _, seed := range all {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			keepT, n := foreignHistory(t, seed)
			kept[keepT]++
			compared += n
		})
	}
	require.True(t, len(all) < 24 || len(kept) == 2 && compared > 4, "t kept: %v; logs compared: %d", kept, compared)
}

func foreignHistory(t *testing.T, seed uint64) (keepT bool, compared int) {
	dir := t.TempDir()
	p := pair{filepath.Join(dir, "source"), filepath.Join(dir, "clone")}
	other := filepath.Join(dir, "other")
	r := rand.New(rand.NewPCG(seed, 5))
	h := historytest.New(t, p.src, seed)
	h.Step(r.IntN(60))
	h.Attribute("refs", 20, true)
	opt := session.Options{MaxBatchSize: []int{1, 7, 500}[r.IntN(3)], TxEntities: []string{"used", "all", "none"}[r.IntN(3)], NoIndex: true}
	spacing := dclone.T(1)
	if seed%2 == 0 {
		spacing, opt.MaxBatchSize = 9, 500
	}
	for range 3 {
		p.must(t, opt)
		f := newForeign(t, p.src, spacing)
		res, err := syncForeign(t, f, other, opt)
		require.NoError(t, err)
		keepT = res.Session.Options.KeepT
		redefines := slices.ContainsFunc(res.Session.NotCarried, func(n dclone.NotCarried) bool { return n.Reason == "it redefines a builtin" })
		if !redefines && !f.touchesBirth(t) && (!keepT || res.Position.Loaded == res.Position.Clone.T) {
			sameLogs(t, p.log(t), pair{p.src, other}.log(t), "foreign")
			compared++
		}
		if keepT && res.Position.Loaded < res.Position.Clone.T {
			require.Equal(t, f.Basis(), res.Position.Clone.T, "t is not kept")
		}
		verifyForeign(t, f, other)
		require.True(t, slices.ContainsFunc(res.Session.NotCarried, func(n dclone.NotCarried) bool {
			return n.Attribute == ":db/index" && n.Reason == "Datomic Local has no such attribute" && n.Count > 0
		}), "%v", res.Session.NotCarried)
		h.Step(r.IntN(40))
	}
	return keepT, compared
}

// Another database, or one that went back, is refused; one that has excised is told of.
func TestForeignIdentity(t *testing.T) {
	dir := t.TempDir()
	p := pair{filepath.Join(dir, "source"), filepath.Join(dir, "clone")}
	h := historytest.New(t, p.src, 3)
	h.Step(40)
	f := newForeign(t, p.src, 3)
	_, err := syncForeign(t, f, p.dst, session.Options{NoIndex: true})
	require.NoError(t, err)
	f.id = "another"
	_, err = syncForeign(t, f, p.dst, session.Options{NoIndex: true})
	require.ErrorIs(t, err, session.ErrReplaced)
	require.ErrorContains(t, err, `it is the database "another", not "foreign-1"`)
	f.id, f.excised = "foreign-1", true
	res, err := syncForeign(t, f, p.dst, session.Options{NoIndex: true})
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(session.Outstanding(res.Session), func(n dclone.NotCarried) bool { return n.Attribute == ":db/excise" }))
	again, err := syncForeign(t, f, p.dst, session.Options{NoIndex: true})
	require.NoError(t, err)
	require.Equal(t, res.Session.NotCarried, again.Session.NotCarried, "told once")
}

// A source that excises while the first copy is under way is copied afresh: ids given out before
// would come out otherwise, and what was written may be gone.
func TestExcisedWhileLoading(t *testing.T) {
	dir := t.TempDir()
	p := pair{filepath.Join(dir, "source"), filepath.Join(dir, "clone")}
	h := historytest.New(t, p.src, 4)
	h.Step(60)
	name := h.Attribute("name", 23, false)
	secret := dclone.MakeEntityID(17, 900_000)
	h.Commit(historytest.Datom(secret, name, "secret", true), historytest.Datom(secret+1, name, "open", true))
	f := newForeign(t, p.src, 3)
	at, stop := 0, errors.New("pulled")
	opt := session.Options{NoIndex: true, MaxBatchSize: 7, At: func(p replay.Point) error {
		if at++; p == replay.AfterCommit {
			return stop
		}
		return nil
	}}
	_, err := syncForeign(t, f, p.dst, opt)
	require.ErrorIs(t, err, stop)
	f.gone, f.excised = secret, true
	var said []string
	opt = session.Options{NoIndex: true, Log: func(s string) { said = append(said, s) }}
	res, err := syncForeign(t, f, p.dst, opt)
	require.NoError(t, err)
	require.Equal(t, session.Initial, res.Status)
	require.Len(t, said, 1)
	require.NotContains(t, p.log(t)[0], "secret")
	require.Contains(t, p.log(t)[0], "open")
	verifyForeign(t, f, p.dst)
}
