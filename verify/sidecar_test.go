package verify

import (
	"encoding/binary"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"dclone"
	"dclone/eidmap"
	"dclone/session"
	"dclone/state"
)

func openSidecar(t testing.TB, dir string) *state.Store {
	st, err := state.Open(filepath.Join(dir, sidecar))
	require.NoError(t, err)
	return st
}

func position(t testing.TB, dir string) state.Position {
	st := openSidecar(t, dir)
	defer st.Close()
	pos, err := st.Position()
	require.NoError(t, err)
	return pos
}

// setPosition changes the position in a sidecar.
func setPosition(change func(*state.Position)) func(testing.TB, string) {
	return func(t testing.TB, dir string) {
		pos := position(t, dir)
		change(&pos)
		st := openSidecar(t, dir)
		defer st.Close()
		require.NoError(t, st.Update(func(tx *state.Tx) error { return tx.SetPosition(pos) }))
	}
}

// remap changes the entity-id map in a sidecar, entity by entity.
func remap(change func(map[dclone.EntityID]dclone.EntityID)) func(testing.TB, string) {
	return func(t testing.TB, dir string) {
		st := openSidecar(t, dir)
		defer st.Close()
		require.NoError(t, st.Update(func(tx *state.Tx) error {
			m, err := tx.Map()
			require.NoError(t, err)
			all := map[dclone.EntityID]dclone.EntityID{}
			require.NoError(t, m.Each(func(r eidmap.Run) error {
				for i := range dclone.EntityID(r.N) {
					all[r.Src+i] = r.Clone + i
				}
				return nil
			}))
			change(all)
			require.NoError(t, tx.ClearMap())
			m, err = tx.Map()
			require.NoError(t, err)
			var runs []eidmap.Run
			for src, clone := range all {
				runs = append(runs, eidmap.Run{Src: src, Clone: clone, N: 1})
			}
			return m.Put(runs)
		}))
	}
}

// bucket changes a bucket of a sidecar.
func bucket(name string, change func(*bbolt.Bucket) error) func(testing.TB, string) {
	return func(t testing.TB, dir string) {
		db, err := bbolt.Open(filepath.Join(dir, sidecar), 0, nil)
		require.NoError(t, err)
		defer db.Close()
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error { return change(tx.Bucket([]byte(name))) }))
	}
}

// sidecarDamages are ways a sidecar can be wrong.
var sidecarDamages = []struct {
	name   string
	damage func(testing.TB, string)
	kinds  []Kind
	text   string
	native bool // by what only a clone that dclone writes itself has
}{
	{name: "nothing", damage: remap(func(map[dclone.EntityID]dclone.EntityID) {})},
	{name: "entity missing", kinds: []Kind{KindUnmapped, KindEntity}, text: "entity 74766790688868 of the source: :person/age: 32: it, or what it refers to, has no clone",
		damage: remap(func(m map[dclone.EntityID]dclone.EntityID) { delete(m, ann) })},
	{name: "entity that is only a value missing", kinds: []Kind{KindUnmapped, KindExtra}, text: ":person/friends: entity 87960930222188 of the source: it, or what it refers to, has no clone",
		damage: remap(func(m map[dclone.EntityID]dclone.EntityID) { delete(m, bare) })},
	{name: "entities swapped", kinds: []Kind{KindValue, KindTransaction},
		damage: remap(func(m map[dclone.EntityID]dclone.EntityID) { m[ann], m[bob] = m[bob], m[ann] })},
	{name: "entities with an ident swapped", kinds: []Kind{KindIdent},
		damage: remap(func(m map[dclone.EntityID]dclone.EntityID) { m[red], m[green] = m[green], m[red] })},
	{name: "attributes swapped", kinds: []Kind{KindSchema, KindIdent},
		damage: remap(func(m map[dclone.EntityID]dclone.EntityID) {
			m[personTags], m[personSite] = m[personSite], m[personTags]
		})},
	{name: "attribute missing", kinds: []Kind{KindSchema, KindIdent, KindUnmapped}, text: "attribute :person/site: the clone has not installed it",
		damage: remap(func(m map[dclone.EntityID]dclone.EntityID) { delete(m, personSite) })},
	{name: "entity has an id of its own", kinds: []Kind{KindMissing, KindEntity},
		damage: remap(func(m map[dclone.EntityID]dclone.EntityID) { m[dot] = dclone.MakeEntityID(4, 1000) })},
	{name: "transaction missing", kinds: []Kind{KindMap, KindUnmapped}, text: "source t 15 has no transaction of the clone in the map",
		damage: remap(func(m map[dclone.EntityID]dclone.EntityID) { delete(m, dclone.TxID(15)) })},
	{name: "empty transaction missing", kinds: []Kind{KindMap}, text: "source t 18 has no transaction of the clone in the map",
		damage: remap(func(m map[dclone.EntityID]dclone.EntityID) { delete(m, dclone.TxID(18)) })},
	{name: "transactions swapped", kinds: []Kind{KindTransaction},
		damage: remap(func(m map[dclone.EntityID]dclone.EntityID) {
			m[dclone.TxID(17)], m[dclone.TxID(18)] = m[dclone.TxID(18)], m[dclone.TxID(17)]
		})},
	{name: "old transaction missing", kinds: []Kind{KindUnmapped},
		damage: remap(func(m map[dclone.EntityID]dclone.EntityID) { delete(m, dclone.TxID(8)) })},
	{name: "way back missing", native: true, kinds: []Kind{KindMap}, text: "is looked up as none",
		damage: bucket("eid.user.back", func(b *bbolt.Bucket) error {
			k, _ := b.Cursor().First()
			return b.Delete(k)
		})},
	{name: "way back wrong", kinds: []Kind{KindMap},
		damage: bucket("eid.run.back", func(b *bbolt.Bucket) error {
			k, v := b.Cursor().First()
			v = append([]byte(nil), v...)
			v[7]++
			return b.Put(k, v)
		})},
	{name: "clone entity twice", native: true, kinds: []Kind{KindMap}, text: "is in the map twice",
		damage: bucket("eid.run", func(b *bbolt.Bucket) error {
			_, v := b.Cursor().First()
			return b.Put(binary.BigEndian.AppendUint64(nil, uint64(dclone.MakeEntityID(0, 500))), append([]byte(nil), v...))
		})},
	{name: "source entity twice", native: true, kinds: []Kind{KindMap}, text: "is in the map twice",
		damage: bucket("eid.run", func(b *bbolt.Bucket) error {
			v := binary.BigEndian.AppendUint64(nil, uint64(dclone.MakeEntityID(0, 73)))
			return b.Put(binary.BigEndian.AppendUint64(nil, uint64(ann)), append(v, 1))
		})},
	{name: "run without end", native: true, kinds: []Kind{KindMap}, text: "yet to be given out",
		damage: bucket("eid.run", func(b *bbolt.Bucket) error {
			k, v := b.Cursor().First()
			return b.Put(append([]byte(nil), k...), binary.AppendUvarint(append([]byte(nil), v[:8]...), 1<<41))
		})},
	{name: "next entity", native: true, kinds: []Kind{KindMap}, text: "yet to be given out",
		damage: setPosition(func(p *state.Position) { p.Next.User-- })},
	{name: "next attribute", native: true, kinds: []Kind{KindMap}, text: "yet to be given out",
		damage: setPosition(func(p *state.Position) { p.Next.DB-- })},
	{name: "next value", native: true, kinds: []Kind{KindMap}, text: "yet to be given out",
		damage: setPosition(func(p *state.Position) { p.Next.Value-- })},
	{name: "clone t too small", kinds: []Kind{KindDrift, KindClone},
		damage: setPosition(func(p *state.Position) { p.Clone.T-- })},
}

func TestSidecarDamage(t *testing.T) {
	src, dir := cloneOf(t, zoo(t), more, session.Options{MaxBatchSize: 20})
	for _, c := range sidecarDamages {
		t.Run(c.name, func(t *testing.T) {
			damaged := copyDir(t, dir)
			c.damage(t, damaged)
			if c.kinds == nil {
				requireOK(t, verifyClone(t, src, damaged, Options{}))
			}
			requireFound(t, verifyClone(t, src, damaged, Options{Level: Checksum}), c.kinds, c.text)
			requireFound(t, verifyClone(t, src, damaged, Options{Level: Full}), c.kinds, c.text)
		})
	}
}

func TestTxEntityMissing(t *testing.T) {
	src, dir := cloneOf(t, zoo(t), more, session.Options{TxEntities: "all"})
	remap(func(m map[dclone.EntityID]dclone.EntityID) { delete(m, dclone.TxID(14)) })(t, dir)
	requireFound(t, verifyClone(t, src, dir, Options{Level: Checksum}), []Kind{KindMap}, "though the first copy was to keep all")
}

func TestRefused(t *testing.T) {
	d := zoo(t)
	src, dir := cloneOf(t, d, nil, session.Options{})
	other := newDB(t)
	other.tx(add(thisTx, attrDoc, "another"))
	for range 20 {
		other.tx()
	}
	_, err := tryVerify(t, other.flush(), dir, Options{})
	require.ErrorIs(t, err, ErrReplaced)

	short := copyDir(t, src)
	l := readLog(t, short)
	l.txs = l.txs[:len(l.txs)-1]
	l.write(short)
	_, err = tryVerify(t, short, dir, Options{})
	require.ErrorIs(t, err, ErrReplaced)

	changed := copyDir(t, src)
	l = readLog(t, changed)
	l.change(instantOf(d.at), set(instant(100)))
	l.write(changed)
	_, err = tryVerify(t, changed, dir, Options{})
	require.ErrorIs(t, err, ErrReplaced)

	setPosition(func(p *state.Position) { p.Phase = state.Loading })(t, dir)
	_, err = tryVerify(t, src, dir, Options{})
	require.ErrorIs(t, err, ErrNotWhole)
}
