package local_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	"dclone/dest"
	destlocal "dclone/dest/local"
	"dclone/historytest"
	"dclone/state"
)

var key = dclone.DigestKey("key")

// A recovery is a clone of some transactions, and the group that was to come behind them.
type recovery struct {
	dir    string
	log    []byte // group included
	txs    []historytest.Tx
	from   int // of the group, among txs
	at     dclone.Mark
	intent *state.Intent
}

func newRecovery(t *testing.T) *recovery {
	h := historytest.New(t, filepath.Join(t.TempDir(), "clone"), 1)
	for range 8 {
		h.Commit(historytest.Datom(7, 63, string(make([]byte, 10)), true))
	}
	log, err := os.ReadFile(filepath.Join(h.Dir, "db.log"))
	require.NoError(t, err)
	r := &recovery{dir: h.Dir, log: log, txs: h.Model().Txs, intent: &state.Intent{}}
	r.from = len(r.txs) - 3
	last := r.txs[r.from-1]
	r.at = dclone.Mark{T: last.T, Instant: last.Instant, Length: last.To, Digest: key.Of(log[last.From:last.To])}
	for _, tx := range r.txs[r.from:] {
		r.intent.Frames = append(r.intent.Frames, state.Frame{Length: tx.To - tx.From, Digest: key.Of(log[tx.From:tx.To])})
	}
	return r
}

// put makes the clone's log so, and returns the clone, opened.
func (r *recovery) put(t testing.TB, log []byte) *destlocal.Clone {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "db.log"), log, 0o600))
	if err := os.Remove(filepath.Join(r.dir, "log.idx")); err != nil {
		require.ErrorIs(t, err, os.ErrNotExist)
	}
	c, err := destlocal.Lock(r.dir)
	require.NoError(t, err)
	c.SetKey(key)
	require.NoError(t, c.Open())
	return c
}

func (r *recovery) read(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.dir, "db.log"))
	require.NoError(t, err)
	return b
}

// What lies behind the mark is adopted when it is the whole group, cut when it is a part of it,
// and left alone when it is anything else.
func TestRecover(t *testing.T) {
	r := newRecovery(t)
	mark := r.at.Length
	var other []byte
	for _, tx := range r.txs[r.from:] { // another writer's transactions of the same length
		frame := slices.Clone(r.log[tx.From:tx.To])
		frame[len(frame)-1] ^= 1
		other = append(other, frame...)
	}
	first, second := r.txs[r.from].To, r.txs[r.from+1].To
	for name, c := range map[string]struct {
		log    []byte
		intent *state.Intent
		end    int64 // of the log afterwards
		adopt  bool
		drift  dclone.T
		stale  bool
	}{
		"nothing behind, no intent":    {log: r.log[:mark], end: mark},
		"nothing behind":               {log: r.log[:mark], intent: r.intent, end: mark},
		"the whole group":              {log: r.log, intent: r.intent, end: int64(len(r.log)), adopt: true},
		"two of three":                 {log: r.log[:second], intent: r.intent, end: mark},
		"one of three":                 {log: r.log[:first], intent: r.intent, end: mark},
		"torn in the first":            {log: r.log[:first-3], intent: r.intent, end: mark},
		"torn in the third":            {log: r.log[:len(r.log)-1], intent: r.intent, end: mark},
		"zeros":                        {log: append(slices.Clone(r.log[:first]), make([]byte, 30)...), intent: r.intent, end: mark},
		"the group and more":           {log: append(slices.Clone(r.log), other...), intent: r.intent, drift: r.at.T + 4},
		"the group and a torn rest":    {log: append(slices.Clone(r.log), 1, 2, 3), intent: r.intent, drift: r.at.T + 4},
		"a part and more than is due":  {log: append(slices.Clone(r.log[:second]), make([]byte, 5000)...), intent: r.intent, drift: r.at.T + 3},
		"only more than is due":        {log: append(slices.Clone(r.log[:mark]), make([]byte, 5000)...), intent: r.intent, drift: r.at.T + 1},
		"another's":                    {log: append(slices.Clone(r.log[:mark]), other...), intent: r.intent, drift: r.at.T + 1},
		"ours, then another's":         {log: append(slices.Clone(r.log[:first]), other[first-mark:]...), intent: r.intent, drift: r.at.T + 2},
		"the group without an intent":  {log: r.log, drift: r.at.T + 1},
		"torn without an intent":       {log: r.log[:first-3], drift: r.at.T + 1},
		"shorter than the mark":        {log: r.log[:r.txs[r.from-2].To], intent: r.intent, stale: true},
		"torn before the mark":         {log: r.log[:mark-1], intent: r.intent, stale: true},
		"another's before the mark":    {log: flip(r.log, mark-1), intent: r.intent, stale: true},
		"another's, of the same t":     {log: flip(r.log[:mark], mark-1), stale: true},
		"an empty database":            {log: local.Bootstrap(), intent: r.intent, stale: true},
		"a mark within a transaction ": {log: append(slices.Clone(r.log[:r.txs[r.from-2].To]), make([]byte, 4000)...), intent: r.intent, stale: true},
	} {
		t.Run(name, func(t *testing.T) {
			clone := r.put(t, c.log)
			defer clone.Close()
			adopted, err := clone.Recover(r.at, c.intent)
			var drift *dest.DriftError
			switch {
			case c.stale:
				require.ErrorIs(t, err, dest.ErrStale)
				require.Equal(t, c.log, r.read(t))
			case c.drift != 0:
				require.ErrorAs(t, err, &drift)
				require.Equal(t, c.drift, drift.T)
				require.Equal(t, c.log, r.read(t))
			default:
				require.NoError(t, err)
				require.Equal(t, c.adopt, adopted)
				require.Equal(t, r.log[:c.end], r.read(t))
				m, err := clone.Mark()
				require.NoError(t, err)
				require.Equal(t, c.end, m.Length)
				if !adopted {
					require.Equal(t, r.at, m)
				}
			}
		})
	}
}

func flip(log []byte, at int64) []byte {
	log = slices.Clone(log)
	log[at] ^= 1
	return log
}

// A witness finds the first transaction that is not the one it is shown.
func TestWitness(t *testing.T) {
	r := newRecovery(t)
	clone := r.put(t, r.log)
	defer clone.Close()
	w, err := clone.Witness(r.at)
	require.NoError(t, err)
	require.EqualValues(t, len(r.log), w.Length())
	var lengths []int
	for _, tx := range r.txs[r.from:] {
		lengths = append(lengths, int(tx.To-tx.From))
	}
	group := r.log[r.at.Length:]
	require.NoError(t, w.Append(group[:lengths[0]], lengths[:1]))
	m, err := w.Mark()
	require.NoError(t, err)
	require.Equal(t, r.txs[r.from].T, m.T)
	require.Equal(t, r.txs[r.from].To, m.Length)
	require.NoError(t, w.Append(group[lengths[0]:], lengths[1:]))
	require.NoError(t, w.Sync())
	m, err = w.Mark()
	require.NoError(t, err)
	want, err := clone.Mark()
	require.NoError(t, err)
	require.Equal(t, want, m)
	var drift *dest.DriftError
	require.ErrorAs(t, w.Append(group, lengths), &drift, "beyond the end")

	for i := range lengths {
		w, err := clone.Witness(r.at)
		require.NoError(t, err)
		bad := slices.Clone(group)
		bad[r.txs[r.from+i].To-r.at.Length-1] ^= 1
		require.ErrorAs(t, w.Append(bad, lengths), &drift)
		require.Equal(t, r.txs[r.from+i].T, drift.T)
	}
	require.Equal(t, r.log, r.read(t))
}

func TestHolds(t *testing.T) {
	dir := t.TempDir()
	look := func(want destlocal.Content) {
		t.Helper()
		c, err := destlocal.Lock(dir)
		require.NoError(t, err)
		got, err := c.Holds()
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.NoError(t, c.Close())
		got, err = destlocal.Look(dir)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	look(destlocal.Nothing)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "db.log.loading"), []byte("x"), 0o600))
	look(destlocal.Nothing)
	require.True(t, destlocal.Loading(dir))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "db.log"), local.Bootstrap(), 0o600))
	look(destlocal.Empty)
	h := historytest.New(t, dir, 1)
	h.Step(1)
	look(destlocal.Data)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "db.log"), []byte("damaged"), 0o600))
	c, err := destlocal.Lock(dir)
	require.NoError(t, err)
	got, err := c.Holds()
	require.Error(t, err)
	require.Equal(t, destlocal.Data, got, "what cannot be read is not for us to replace")
	require.NoError(t, c.Close())
}

// The instant comes first, unless the transaction places it itself.
func TestEncode(t *testing.T) {
	c := destlocal.Dry()
	id := dclone.TxID(9)
	decode := func(b []byte) []dclone.Datom {
		txs, err := historytest.Split(b)
		require.NoError(t, err)
		require.Len(t, txs, 1)
		require.EqualValues(t, 9, txs[0].T)
		require.EqualValues(t, 77, txs[0].Instant)
		return txs[0].Datoms
	}
	plain := historytest.Datom(5, 63, "doc", true)
	instant := historytest.Datom(id, 50, dclone.Instant(77), true)
	b, err := c.Encode(nil, &dclone.Tx{T: 9, Instant: 77, Datoms: []dclone.Datom{plain}})
	require.NoError(t, err)
	require.Equal(t, []dclone.EntityID{id, 5}, entities(decode(b)))
	b, err = c.Encode(nil, &dclone.Tx{T: 9, Instant: 77})
	require.NoError(t, err)
	require.Equal(t, []dclone.EntityID{id}, entities(decode(b)))
	b, err = c.Encode([]byte("x"), &dclone.Tx{T: 9, Instant: 77, Datoms: []dclone.Datom{plain, instant, plain}})
	require.NoError(t, err)
	require.Equal(t, []dclone.EntityID{5, id, 5}, entities(decode(b[1:])))
	// The instant of another transaction is data like any other.
	other := historytest.Datom(dclone.TxID(8), 50, dclone.Instant(1), true)
	b, err = c.Encode(nil, &dclone.Tx{T: 9, Instant: 77, Datoms: []dclone.Datom{other}})
	require.NoError(t, err)
	require.Equal(t, []dclone.EntityID{id, dclone.TxID(8)}, entities(decode(b)))
}

func entities(datoms []dclone.Datom) (es []dclone.EntityID) {
	for _, d := range datoms {
		es = append(es, d.E)
	}
	return es
}

func TestBootstrap(t *testing.T) {
	frames, lengths, next := destlocal.Dry().Bootstrap()
	require.Len(t, lengths, 6)
	require.Equal(t, local.Bootstrap(), frames)
	require.EqualValues(t, 6, next.T)
}

// Beyond says the same as Recover of a clone it does not lock.
func TestBeyond(t *testing.T) {
	r := newRecovery(t)
	rnd := rand.New(rand.NewPCG(1, 0))
	for range 50 {
		n := r.at.Length + rnd.Int64N(int64(len(r.log))-r.at.Length+1)
		require.NoError(t, r.put(t, r.log[:n]).Close())
		whole := int64(0)
		for _, tx := range r.txs[r.from:] {
			if tx.To <= n {
				whole = tx.To - r.at.Length
			}
		}
		got, err := destlocal.Beyond(r.dir, key, r.at)
		require.NoError(t, err)
		require.Equal(t, whole, got)
	}
	require.NoError(t, r.put(t, r.log[:r.txs[r.from-2].To]).Close())
	_, err := destlocal.Beyond(r.dir, key, r.at)
	require.ErrorIs(t, err, dest.ErrStale)
	require.NoError(t, os.Remove(filepath.Join(r.dir, "db.log")))
	_, err = destlocal.Beyond(r.dir, key, r.at)
	require.ErrorIs(t, err, dest.ErrStale)
}
