package interop_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	"dclone/fressian"
	"dclone/interop"
)

// TestCloneAppend has Datomic Local and package datomic/local append to one log by turns. Each time Local
// must show what was appended natively, find it in its indexes and go on behind it.
func TestCloneAppend(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "clone")
	p := newClonePair(t, jvm)
	p.create(t, `(tx! c [(attr :n/id :long :db/unique :db.unique/identity) (attr :n/text :string :many true) (attr :n/ref :ref)])`)
	log := jvm.Dump(t, p.storage, cloneSystem, p.source).Log
	p.release(t, p.source)
	for round := range int64(6) {
		native := p.appendNatively(t, log, 20, 1000*round)
		if round == 2 {
			p.indexNatively(t)
		}
		dumps := jvm.Dump(t, p.storage, cloneSystem, p.source)
		log = append(log, native...)
		require.Equal(t, log, dumps.Log, "round %d", round)
		require.Equal(t, "[]", jvm.Eval(t, fmt.Sprintf(`(let [c (conn %s)] (clone/crooked (d/db c) c))`, p.in(p.source))))
		got := jvm.Eval(t, fmt.Sprintf(`(let [c (conn %s)]
			[(mapv #(try-tx! c [{:n/id (+ %d 500 %%) :n/text "of Local" :n/ref [:n/id (+ %d %%)]}]) (range 3))
			 (try-tx! c [[:db/add [:n/id %d] :n/id %d]])
			 (:t (d/db c))
			 (count (d/q '[:find ?e :where [?e :n/text "native"] [?e :n/id]] (d/db c)))
			 (ffirst (d/q '[:find (count ?e) :in $ ?n :where [?e :n/ref ?r] [?r :n/id ?n]] (d/db c) %d))])`,
			p.in(p.source), 1000*round, 1000*round, 1000*round, 1000*round+1, 1000*round))
		t3 := log[len(log)-1].T + 3
		require.Equal(t, fmt.Sprintf("[[:ok :ok :ok] :db.error/unique-conflict %d %d 3]", t3, 10*(round+1)), got, "round %d", round)
		now := jvm.Dump(t, p.storage, cloneSystem, p.source).Log
		require.Equal(t, log, now[:len(log)])
		require.Len(t, now, len(log)+3)
		log = now
		p.release(t, p.source)
	}
}

// appendNatively appends n transactions, half of them two frames at a time, and returns them as Datomic Local
// should show them. The even ones make entities, the others change them.
func (p clonePair) appendNatively(t *testing.T, log []interop.Tx, n int, id int64) (txs []interop.Tx) {
	t.Helper()
	d, err := local.LockDir(p.dir(p.source))
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	w, err := d.Open()
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	last := log[len(log)-1]
	require.EqualValues(t, last.T, w.Basis())
	at := dclone.Instant(instantOf(t, last))
	next := p.taken(interop.Dumps{Log: log}, idMap{}).next
	var frames []byte
	var lengths []int
	for i := range int64(n) {
		e := dclone.MakeEntityID(30, next+i/2)
		tx := nativeTx{t: last.T + 1 + i}
		tx.add(dclone.TxID(dclone.T(tx.t)), 50, at+dclone.Instant(i), fmt.Sprint("I", int64(at)+i), true)
		if i%2 == 0 {
			tx.add(e, 73, id+i/2, fmt.Sprint("L", id+i/2), true)
			tx.add(e, 74, "of the past", `S\u`+hex("of the past"), true)
			if first := int64(dclone.MakeEntityID(30, next)); i == 0 || i == 4 {
				tx.add(e, 75, first, fmt.Sprint("L", first), true)
			}
		} else {
			tx.add(e, 74, "native", "Snative", true)
			tx.add(e, 74, "of the past", `S\u`+hex("of the past"), false)
		}
		before := len(frames)
		frames, err = local.AppendFrame(frames, dclone.T(tx.t), tx.datoms)
		require.NoError(t, err)
		lengths = append(lengths, len(frames)-before)
		txs = append(txs, interop.Tx{T: tx.t, Datoms: tx.dumped})
		if i%3 != 0 || i == int64(n)-1 {
			require.NoError(t, w.Append(frames, lengths))
			require.NoError(t, w.Sync())
			frames, lengths = nil, nil
		}
	}
	return txs
}

// A nativeTx is a transaction, for package local and as a dump has it.
type nativeTx struct {
	t      int64
	datoms []dclone.Datom
	dumped []interop.Datom
}

func (x *nativeTx) add(e, a dclone.EntityID, v any, dumped string, added bool) {
	b, err := fressian.Append(nil, v)
	if err != nil {
		panic(err)
	}
	tx := dclone.TxID(dclone.T(x.t))
	x.datoms = append(x.datoms, dclone.Datom{E: e, A: a, V: b, Tx: tx, Added: added})
	x.dumped = append(x.dumped, interop.Datom{E: int64(e), A: int64(a), V: dumped, Tx: int64(tx), Added: added})
}

// indexNatively writes index files as of now.
func (p clonePair) indexNatively(t *testing.T) {
	t.Helper()
	d, err := local.LockDir(p.dir(p.source))
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	l, err := local.OpenLog(p.dir(p.source))
	require.NoError(t, err)
	defer l.Close()
	root, err := d.BuildIndex(context.Background(), l, local.IndexOptions{})
	require.NoError(t, err)
	require.NoError(t, d.WriteRoot(root))
}
