package historytest

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
)

// A History is a database that grows. It keeps the trivial model that a test may hold other
// readers of the log against: [History.Model].
type History struct {
	Dir  string
	Seed uint64

	t       testing.TB
	r       *rand.Rand
	db      *Database
	end     int64 // bytes of the log
	instant dclone.Instant
	next    int64 // eidx of the next entity
	nextDB  int64 // eidx of the next attribute

	attrs    []*attr
	users    []dclone.EntityID // entities that had datoms, dead ones too
	dangling []dclone.EntityID // that were only referred to
	kws      []dclone.Keyword  // that were idents
	reserved map[dclone.Keyword]dclone.EntityID
	serial   int64 // for values that must be unique
}

// New makes an empty database in dir.
func New(t testing.TB, dir string, seed uint64) *History {
	t.Helper()
	t.Logf("history of DCLONE_SEED=%d", seed)
	h := &History{Dir: dir, Seed: seed, t: t, r: rand.New(rand.NewPCG(seed, 0)), db: newDatabase(),
		instant: 1_500_000_000_000, next: local.FirstEidx, nextDB: local.FirstEidx,
		reserved: map[dclone.Keyword]dclone.EntityID{}}
	require.NoError(t, os.MkdirAll(dir, 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".lock"), nil, 0o666))
	boot := local.Bootstrap()
	txs, err := Split(boot)
	require.NoError(t, err)
	var idx []byte
	for _, tx := range txs {
		h.db.apply(tx)
		idx = binary.BigEndian.AppendUint64(idx, uint64(tx.From))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "db.log"), boot, 0o666))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "log.idx"), idx, 0o666))
	h.end = int64(len(boot))
	return h
}

// Model returns what the log says now. It changes with the next step.
func (h *History) Model() *Database { return h.db }

// Basis returns the t of the newest transaction.
func (h *History) Basis() dclone.T { return h.db.Txs[len(h.db.Txs)-1].T }

// Commit appends one transaction of the given datoms, as they are, behind :db/txInstant. For
// tests that need a history of their own making.
func (h *History) Commit(datoms ...dclone.Datom) dclone.T {
	x := h.begin()
	for _, d := range datoms {
		x.put(d.E, d.A, d.V, d.Added)
	}
	x.commit(0)
	return x.t
}

// write appends a frame the way Datomic Local does, entry first.
func (h *History) write(t dclone.T, datoms []dclone.Datom) {
	frame, err := local.AppendFrame(nil, t, datoms)
	require.NoError(h.t, err)
	appendTo(h.t, filepath.Join(h.Dir, "log.idx"), binary.BigEndian.AppendUint64(nil, uint64(h.end)))
	appendTo(h.t, filepath.Join(h.Dir, "db.log"), frame)
	h.end += int64(len(frame))
}

func appendTo(t testing.TB, path string, b []byte) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = f.Write(b)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// Attribute installs one attribute, of a value type given by its entity, and returns its id.
func (h *History) Attribute(name string, valueType dclone.EntityID, many bool) dclone.EntityID {
	x := h.begin()
	id := dclone.MakeEntityID(dclone.PartDB, h.nextDB)
	h.nextDB++
	card := cardOne
	if many {
		card = cardMany
	}
	x.put(id, aIdent, encode(dclone.Kw("test", name)), true)
	x.put(id, aValueType, encode(int64(valueType)), true)
	x.put(id, aCardinality, encode(int64(card)), true)
	x.installed = append(x.installed, id)
	x.commit(0)
	return id
}

// Datom makes a datom of a Go value for Commit.
func Datom(e, a dclone.EntityID, v any, added bool) dclone.Datom {
	return dclone.Datom{E: e, A: a, V: encode(v), Added: added}
}
