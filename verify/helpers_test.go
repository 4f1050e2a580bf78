package verify

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	destlocal "dclone/dest/local"
	"dclone/fressian"
	"dclone/session"
	sourcelocal "dclone/source/local"
	"dclone/state"
)

// A db is a database that a test writes, natively.
type db struct {
	t   testing.TB
	dir string
	log []byte
	end []int // of each frame
	at  dclone.T
}

func newDB(t testing.TB) *db {
	d := &db{t: t, dir: t.TempDir(), log: local.Bootstrap(), at: local.BootstrapT}
	d.end = local.FrameLengths(d.log)
	return d
}

// instant is what transaction t has, unless a test says otherwise.
func instant(t dclone.T) dclone.Instant { return dclone.Instant(1_700_000_000_000 + 60_000*int64(t)) }

// tx adds a transaction, its instant first, and returns its t.
func (d *db) tx(datoms ...dclone.Datom) dclone.T { return d.txAt(instant(d.at+1), datoms...) }

func (d *db) txAt(i dclone.Instant, datoms ...dclone.Datom) dclone.T {
	return d.raw(append([]dclone.Datom{add(thisTx, local.AttrTxInstant, i)}, datoms...)...)
}

// raw adds a transaction as it is.
func (d *db) raw(datoms ...dclone.Datom) dclone.T {
	d.at++
	for k, x := range datoms {
		if x.E == thisTx {
			datoms[k].E = dclone.TxID(d.at)
		}
	}
	n := len(d.log)
	var err error
	d.log, err = local.AppendFrame(d.log, d.at, datoms)
	require.NoError(d.t, err)
	d.end = append(d.end, len(d.log)-n)
	return d.at
}

// thisTx stands for the entity of the transaction that a datom is in.
const thisTx dclone.EntityID = -1

// flush appends what was added to the database on disk.
func (d *db) flush() string {
	dir, err := local.LockDir(d.dir)
	require.NoError(d.t, err)
	defer dir.Close()
	has, err := dir.Has()
	require.NoError(d.t, err)
	open := dir.Load
	if has {
		open = dir.Open
	}
	w, err := open()
	require.NoError(d.t, err)
	defer w.Close()
	require.NoError(d.t, w.Append(d.log, d.end))
	if !has {
		require.NoError(d.t, dir.Publish(w))
	}
	d.log, d.end = nil, nil
	return d.dir
}

func add(e, a dclone.EntityID, v any) dclone.Datom {
	return dclone.Datom{E: e, A: a, V: value(v), Added: true}
}

func retract(e, a dclone.EntityID, v any) dclone.Datom {
	return dclone.Datom{E: e, A: a, V: value(v)}
}

// value stores v as Datomic does.
func value(v any) dclone.Value {
	switch x := v.(type) {
	case dclone.Value:
		return x
	case dclone.EntityID:
		v = int64(x)
	case int:
		v = int64(x)
	}
	b, err := fressian.Append(nil, v)
	if err != nil {
		panic(err)
	}
	return b
}

func kw(ns, name string) dclone.Keyword { return dclone.Kw(ns, name) }

// sync brings the clone in dir up to the source's basis.
func syncClone(t testing.TB, src, dir string, opt session.Options) session.Result {
	t.Helper()
	s, err := sourcelocal.Open(src)
	require.NoError(t, err)
	defer s.Close()
	d, err := destlocal.Lock(dir)
	require.NoError(t, err)
	defer d.Close()
	opt.Jobs, opt.NoIndex = 2, true
	r, err := session.Sync(context.Background(), s, d, filepath.Join(dir, sidecar), opt)
	require.NoError(t, err)
	return r
}

const sidecar = "dclone.state"

// verifyClone verifies the clone in dir.
func verifyClone(t testing.TB, src, dir string, opt Options) Report {
	t.Helper()
	rep, err := tryVerify(t, src, dir, opt)
	require.NoError(t, err)
	return rep
}

func tryVerify(t testing.TB, src, dir string, opt Options) (Report, error) {
	t.Helper()
	return tryVerifyContext(context.Background(), t, src, dir, opt)
}

func tryVerifyContext(ctx context.Context, t testing.TB, src, dir string, opt Options) (Report, error) {
	t.Helper()
	s, err := sourcelocal.Open(src)
	require.NoError(t, err)
	defer s.Close()
	c, err := sourcelocal.Open(dir)
	require.NoError(t, err)
	defer c.Close()
	st, err := state.Open(filepath.Join(dir, sidecar))
	require.NoError(t, err)
	defer st.Close()
	return Run(ctx, s, c, st, opt)
}

// copyDir copies the files of a database.
func copyDir(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	return to
}
