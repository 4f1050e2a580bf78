package interop_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/dest"
	"dclone/interop"
)

const eidxMask = 1<<42 - 1

// TestCloneTransact transacts 1,000 new entities into copies of clones that hold refs to nothing. Datomic Local
// counts its ids up from those of entities; an id that is only a value must not come up, or the ref to nothing
// would become one to a stranger. Then dclone must see that the copy is no longer its own.
func TestCloneTransact(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "features")
	for _, c := range []struct {
		name   string
		source string
		after  string // catch up once more after this
		index  bool
	}{
		{"plain", `
			(tx! c [(attr :f/id :string :db/unique :db.unique/identity) (attr :f/n :long) (attr :f/ref :ref) (attr :f/refs :ref :many true)
				(attr :t/refs :tuple :many true :db/tupleType :db.type/ref)])
			(let [gone (-> (tx! c (concat
					[{:db/id "gone" :f/n 1}
					 {:f/id "dangling" :f/ref "gone" :f/refs (map #(+ (bit-shift-left 4 42) 1 %) (range 1000000 1002000))
					  :t/refs [[(+ (bit-shift-left 4 42) 900001) "gone"] [nil (+ (bit-shift-left 20 42) 800001)]]}]
					(map #(hash-map :f/n %) (range 100)))) :tempids (get "gone"))]
				(tx! c [[:db/retract gone :f/n 1]]))`,
			`(tx! c [{:f/id "later" :f/refs (map #(+ (bit-shift-left 4 42) 1 %) (range 2000000 2000100)) :f/ref [:f/id "dangling"]}])`, true},
		{"features", `(doseq [w (range 1 5)] (features/run-wave! c w))`, `(features/run-wave! c 5) (features/run-wave! c 6)`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newClonePair(t, jvm)
			p.create(t, c.source)
			p.must(t)
			p.checkTransacts(t, "new")
			p.grow(t, c.after)
			p.must(t)
			p.checkTransacts(t, "caught-up")
			if c.index {
				require.True(t, slices.ContainsFunc(fileNames(t, p.dir("new")), isRoot), "the first copy has no index")
			}
			p.grow(t, `(tx! c [{:f/n 4711}])`)
			p.must(t)
			p.compare(t, "after all")
		})
	}
}

// checkTransacts transacts into a copy of the clone.
func (p clonePair) checkTransacts(t *testing.T, name string) {
	t.Helper()
	p.copyDatabase(t, p.clone, name)
	m := p.idMap(t)
	basis := int64(m.pos.Clone.T)
	before := p.jvm.Dump(t, p.storage, cloneSystem, name)
	made := p.jvm.Eval(t, fmt.Sprintf(`(let [c (conn %s)
		reports (doall (concat
			(for [i (range 500)] (tx! c [{:db/id "e" :f/id (str "mine " i) :f/n i}]))
			[(tx! c (for [i (range 500 1000)] {:db/id (str i) :f/id (str "mine " i) :f/ref (str (max 500 (dec i)))}))
			 (tx! c [(assoc (attr :my/own :string) :db/id "a")])]))]
		(apply str (map (comp (partial str "\n") val) (mapcat :tempids reports))))`, p.in(name)))
	entities := numbers(t, made)
	require.Len(t, entities, 1001)
	after := p.jvm.Dump(t, p.storage, cloneSystem, name)
	p.release(t, name)

	require.Equal(t, before.Log, after.Log[:len(before.Log)], "the log changed")
	for i, tx := range after.Log[len(before.Log):] {
		require.EqualValues(t, basis+1+int64(i), tx.T)
	}
	taken := p.taken(before, m)
	attribute := entities[1000]
	require.False(t, taken.ids[attribute])
	require.Zero(t, attribute>>42, "the partition of a new attribute")
	slices.SortFunc(entities, func(a, b int64) int { return cmp.Compare(a&eidxMask, b&eidxMask) })
	entities = slices.DeleteFunc(entities, func(e int64) bool { return e == attribute })
	for i, e := range entities {
		require.False(t, taken.ids[e], "Datomic Local gave a new entity the id %d, which is in the clone", e)
		require.Equal(t, taken.next+int64(i), e&eidxMask, "eidx of a new entity")
	}
	old := slices.DeleteFunc(slices.Clone(after.Current), func(d interop.Datom) bool { return d.Tx > txPartition<<42+basis })
	require.Equal(t, before.Current, old, "what was there changed")

	mine := p.to(name, p.opt)
	files := p.files(t, name)
	for range 2 {
		_, err := mine.run()
		var drift *dest.DriftError
		require.ErrorAs(t, err, &drift)
		require.EqualValues(t, basis+1, drift.T)
		require.Equal(t, without(files, "dclone.state"), without(p.files(t, name), "dclone.state"))
	}
}

// takenIDs are the ids that mean something in a clone, and the eidx that Datomic Local gives out next.
type takenIDs struct {
	ids  map[int64]bool
	next int64
}

func (p clonePair) taken(d interop.Dumps, m idMap) takenIDs {
	taken := takenIDs{ids: map[int64]bool{}}
	for _, tx := range d.Log {
		for _, d := range tx.Datoms {
			taken.ids[d.E] = true
			taken.next = max(taken.next, d.E&eidxMask+1)
		}
	}
	for _, clone := range m.to {
		taken.ids[clone] = true
	}
	return taken
}
