package verify

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	"dclone/session"
	sourcelocal "dclone/source/local"
)

// A cloneLog is a clone's transactions, taken apart to be damaged.
type cloneLog struct {
	t      testing.TB
	txs    []dclone.Tx
	loaded dclone.T
}

func readLog(t testing.TB, dir string) *cloneLog {
	c, err := sourcelocal.Open(dir)
	require.NoError(t, err)
	defer c.Close()
	l := &cloneLog{t: t}
	for tx, err := range c.Txs(context.Background(), 0) {
		require.NoError(t, err)
		n := dclone.Tx{T: tx.T, Instant: tx.Instant}
		for _, d := range tx.Datoms {
			d.V = slices.Clone(d.V)
			n.Datoms = append(n.Datoms, d)
		}
		l.txs = append(l.txs, n)
	}
	return l
}

// write replaces the log in dir.
func (l *cloneLog) write(dir string) {
	var log, idx []byte
	for _, tx := range l.txs {
		idx = binary.BigEndian.AppendUint64(idx, uint64(len(log)))
		var err error
		log, err = local.AppendFrame(log, tx.T, tx.Datoms)
		require.NoError(l.t, err)
	}
	require.NoError(l.t, os.WriteFile(filepath.Join(dir, "db.log"), log, 0o666))
	require.NoError(l.t, os.WriteFile(filepath.Join(dir, "log.idx"), idx, 0o666))
}

// attr returns the clone's attribute that is named so, or was.
func (l *cloneLog) attr(ident dclone.Keyword) dclone.EntityID {
	d, _, _ := l.find(func(d dclone.Datom) bool {
		return d.A == dclone.AttrIdent && string(d.V) == string(value(ident)) && d.Added
	})
	return d.E
}

// find returns the first datom that f holds for, and where it is.
func (l *cloneLog) find(f func(dclone.Datom) bool) (d dclone.Datom, tx, i int) {
	for tx := range l.txs {
		for i, d := range l.txs[tx].Datoms {
			if f(d) {
				return d, tx, i
			}
		}
	}
	require.FailNow(l.t, "the clone has no such datom")
	return d, 0, 0
}

// of returns a test for datoms of an attribute, with a value where v is not nil.
func (l *cloneLog) of(ident dclone.Keyword, v any, added bool) func(dclone.Datom) bool {
	a := l.attr(ident)
	return func(d dclone.Datom) bool {
		return d.A == a && d.Added == added && (v == nil || string(d.V) == string(value(v)))
	}
}

func (l *cloneLog) change(f func(dclone.Datom) bool, change func(*dclone.Datom)) {
	_, tx, i := l.find(f)
	change(&l.txs[tx].Datoms[i])
}

func (l *cloneLog) remove(f func(dclone.Datom) bool) {
	_, tx, i := l.find(f)
	l.txs[tx].Datoms = slices.Delete(l.txs[tx].Datoms, i, i+1)
}

// insert puts a datom behind the first one that f holds for.
func (l *cloneLog) insert(f func(dclone.Datom) bool, make func(dclone.Datom) dclone.Datom) {
	d, tx, i := l.find(f)
	l.txs[tx].Datoms = slices.Insert(l.txs[tx].Datoms, i+1, make(d))
}

// at returns the transaction of a t.
func (l *cloneLog) at(t dclone.T) *dclone.Tx {
	i := slices.IndexFunc(l.txs, func(tx dclone.Tx) bool { return tx.T == t })
	require.GreaterOrEqual(l.t, i, 0)
	return &l.txs[i]
}

// setT gives a transaction another t.
func setT(tx *dclone.Tx, t dclone.T) {
	for i := range tx.Datoms {
		if tx.Datoms[i].E == dclone.TxID(tx.T) {
			tx.Datoms[i].E = dclone.TxID(t)
		}
	}
	tx.T = t
}

func set(v any) func(*dclone.Datom) { return func(d *dclone.Datom) { d.V = value(v) } }

func withValue(v any) func(dclone.Datom) dclone.Datom {
	return func(d dclone.Datom) dclone.Datom { d.V = value(v); return d }
}

// instantOf returns a test for the instant of a transaction.
func instantOf(t dclone.T) func(dclone.Datom) bool {
	return func(d dclone.Datom) bool { return d.A == local.AttrTxInstant && d.E == dclone.TxID(t) }
}

func TestDamage(t *testing.T) {
	src, dir := cloneOf(t, zoo(t), more, session.Options{MaxBatchSize: 20})
	testDamages(t, src, dir, func(damage) bool { return true })
}

// testDamages damages copies of a clone in all ways that apply, one after the other.
func testDamages(t *testing.T, src, dir string, applies func(damage) bool) {
	loaded := position(t, dir).Loaded
	for _, c := range damages {
		if !applies(c) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			damaged := copyDir(t, dir)
			l := readLog(t, damaged)
			l.loaded = loaded
			c.damage(l)
			l.write(damaged)
			requireFound(t, verifyClone(t, src, damaged, Options{Level: Counts}), c.counts, "")
			requireFound(t, verifyClone(t, src, damaged, Options{Level: Checksum}), c.kinds, c.text)
			requireFound(t, verifyClone(t, src, damaged, Options{Level: Full}), c.kinds, c.text)
			requireFound(t, verifyClone(t, src, damaged, Options{Level: Full, MaxMemory: 1000}), c.kinds, c.text)
		})
	}
}

// requireFound makes sure that differences of some kinds were found, and that one says text.
func requireFound(t *testing.T, rep Report, kinds []Kind, text string) {
	t.Helper()
	said := text == ""
	found := map[Kind]bool{}
	var all []string
	for _, d := range rep.Differences {
		found[d.Kind] = true
		said = said || strings.Contains(d.Text, text)
		all = append(all, string(d.Kind)+": "+d.Text)
	}
	for _, k := range kinds {
		require.True(t, found[k], "no %s in\n%s", k, strings.Join(all, "\n"))
		require.Equal(t, Failed, rep.Status)
	}
	require.True(t, said, "no %q in\n%s", text, strings.Join(all, "\n"))
	require.Equal(t, rep.Status == OK, rep.DifferencesTotal == 0)
	require.GreaterOrEqual(t, rep.DifferencesTotal, int64(len(rep.Differences)))
	for _, d := range rep.Differences {
		require.NotEmpty(t, d.Text)
	}
}

// TestEachDatom damages one datom of the clone after the other: not one may go unnoticed.
func TestEachDatom(t *testing.T) {
	src, dir := cloneOf(t, zoo(t), more, session.Options{MaxBatchSize: 20})
	tried := testEachDatom(t, src, dir, func(dclone.Tx, dclone.Datom, string) bool { return false })
	require.Greater(t, tried, 100)
}

// testEachDatom damages one datom of a clone after the other, and returns how many. All must be found but what is
// harmless.
func testEachDatom(t *testing.T, src, dir string, harmless func(tx dclone.Tx, d dclone.Datom, way string) bool) (tried int) {
	intact, damaged := readLog(t, dir), copyDir(t, dir)
	for i, tx := range intact.txs {
		for k, was := range tx.Datoms {
			if tx.T <= local.BootstrapT {
				continue
			}
			tried++
			level := []Level{Checksum, Full}[tried%2]
			for _, way := range []string{"removed", ways[tried%len(ways)]} {
				if len(tx.Datoms) == 1 && way == "removed" {
					continue
				}
				l := &cloneLog{t: t, txs: slices.Clone(intact.txs)}
				l.spoil(i, k, way)
				l.write(damaged)
				rep, err := tryVerify(t, src, damaged, Options{Level: level})
				require.True(t, err != nil || rep.Status == Failed || harmless(tx, was, way),
					"%s, t %d, datom %d, %v: not found at level %s", way, tx.T, k, was, level)
			}
		}
	}
	return tried
}

// ways are how one datom can be spoiled.
var ways = []string{"negated", "of another entity", "of another attribute", "of another value", "twice"}

// spoil damages one datom of a log whose list of transactions is the test's own.
func (l *cloneLog) spoil(tx, i int, way string) {
	datoms := slices.Clone(l.txs[tx].Datoms)
	d := &datoms[i]
	switch way {
	case "removed":
		datoms = slices.Delete(datoms, i, i+1)
	case "negated":
		d.Added = !d.Added
	case "of another entity":
		d.E++
	case "of another attribute":
		d.A = 74 + d.A%3
	case "of another value":
		d.V = value(77 + i)
	case "twice":
		datoms = slices.Insert(datoms, i, *d)
	}
	l.txs[tx].Datoms = datoms
}
