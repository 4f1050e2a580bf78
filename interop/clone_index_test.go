package interop_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/interop"
	"dclone/replay"
	"dclone/session"
)

// indexedSource makes a source of every type at its edges, of random history, and of more datoms than Datomic Local
// leaves without an index. What has no certain order is left out, or there would be no index: NaN, some URIs.
const indexedSource = `
	(random/schema! c)
	(tx! c (into [(attr :f/id :string :db/unique :db.unique/identity)]
		(mapcat (fn [t] [(attr (keyword "one" (name t)) t) (attr (keyword "many" (name t)) t :many true)])
			(remove #{:ref} features/scalars))))
	(doseq [t (remove #{:ref} features/scalars)
	        :let [vs (if (= t :uri) (filter #(re-matches #"[a-z]+:[a-z0-9:/.@]*" (str %)) (features/edges :uri)) (features/edges t))]]
		(tx! c (map-indexed (fn [i v] {:f/id (str (name t) i) (keyword "one" (name t)) v}) vs))
		(tx! c [{:f/id (name t) (keyword "many" (name t)) vs}])
		(tx! c (for [v (take-nth 3 vs)] [:db/retract [:f/id (name t)] (keyword "many" (name t)) v])))
	(random/txs! c 11 150)`

// TestCloneIndex makes sure that the index files dclone writes are those Datomic Local would make of the same log, and that
// Local opens a clone with them at once and leaves them as they are.
func TestCloneIndex(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "features", "random", "clone")
	p := newClonePair(t, jvm)
	p.create(t, indexedSource)
	bulk := func(seed int) string {
		return fmt.Sprintf(`(dotimes [i 8] (tx! c (for [j (range 400)]
			{:db/id (str j) :r/n (mod (* j %d) 97) :r/ref (str (quot j 3)) :r/name (str "name " (mod j 50))
			 :r/amount (* 1.50M (mod j 7)) :r/ns [j (- j)] :r/at (java.util.Date. (long (* i j)))})))`, seed)
	}
	p.grow(t, bulk(31))
	p.must(t)
	p.checkIndex(t, "the first copy")
	p.goesOnBehindTheirs(t)

	// A short tail is left to Local, a long one is not.
	root := p.roots(t, p.clone)
	p.grow(t, `(random/txs! c 12 60)`)
	p.must(t)
	require.Equal(t, root, p.roots(t, p.clone))
	p.opensUnchanged(t)
	p.grow(t, bulk(37))
	p.must(t)
	require.NotEqual(t, root, p.roots(t, p.clone))
	p.checkIndex(t, "after a catch-up")
	p.compareDatoms(t, newSourceView(jvm.Dump(t, p.storage, cloneSystem, p.source)), "at the end")
	require.Equal(t, "[]", jvm.Eval(t, `(let [c (conn `+p.in(p.clone)+`)] (clone/crooked (d/db c) c))`))
	p.release(t, p.clone)
}

// TestCloneWithoutIndex clones what has no certain order. It gets no index, and says why.
func TestCloneWithoutIndex(t *testing.T) {
	jvm := interop.Start(t)
	p := newClonePair(t, jvm)
	p.create(t, `(tx! c [(attr :d/x :double)]) (tx! c [{:d/x 1.0} {:d/x Double/NaN} {:d/x -1.0}])`)
	var said []string
	p.opt = session.Options{Log: func(s string) { said = append(said, s) }}
	p.must(t)
	require.Len(t, said, 1)
	require.Contains(t, said[0], "no index files were written, for what they would say of :d/x is not certain")
	require.Empty(t, p.roots(t, p.clone))
	p.compare(t, "without an index")
	p.opensUnchanged(t)
}

// checkIndex compares the clone's index files with those that Datomic Local makes.
func (p clonePair) checkIndex(t *testing.T, what string) {
	t.Helper()
	p.opensUnchanged(t)
	p.copyDatabase(t, p.clone, "theirs")
	for _, name := range fileNames(t, p.dir("theirs")) {
		if isRoot(name) || isIndex(name) {
			require.NoError(t, os.Remove(filepath.Join(p.dir("theirs"), name)))
		}
	}
	p.jvm.Eval(t, `(conn `+p.in("theirs")+`) (release `+p.in("theirs")+`)`)
	require.Len(t, p.roots(t, p.clone), 1, what)
	ours, theirs := p.files(t, p.clone), p.files(t, "theirs")
	require.Equal(t, theirs, ours, what)
	require.Len(t, slices.DeleteFunc(fileNames(t, p.dir("theirs")), func(n string) bool { return !isIndex(n) }), 4, what)
}

// goesOnBehindTheirs catches up a clone that Datomic Local has indexed, and cuts a group off it that was half written
// when Local indexed it.
func (p clonePair) goesOnBehindTheirs(t *testing.T) {
	t.Helper()
	c := p.to("theirs", session.Options{})
	c.grow(t, `(random/txs! c 13 30)`)
	c.must(t)
	src := newSourceView(c.jvm.Dump(t, c.storage, cloneSystem, c.source))
	c.compareDatoms(t, src, "behind an index of Local's")

	// Without index files, so that Local makes some that have what is then cut.
	for _, name := range fileNames(t, c.dir(c.clone)) {
		if isRoot(name) || isIndex(name) {
			require.NoError(t, os.Remove(filepath.Join(c.dir(c.clone), name)))
		}
	}
	c.grow(t, `(random/txs! c 14 30)`)
	c.pulledAt(t, replay.BeforeSync)
	c.truncateFrames(t, 3)
	opens := `(:t (d/db (conn ` + c.in(c.clone) + `)))`
	basis := c.jvm.Eval(t, opens)
	c.release(t, c.clone)
	require.NotEmpty(t, c.roots(t, c.clone), "Local made no index")
	c.pulledAt(t, replay.BeforeIntent) // cut back, nothing written again
	require.Less(t, c.jvm.Eval(t, opens), basis)
	c.release(t, c.clone)
	c.must(t)
	src = newSourceView(c.jvm.Dump(t, c.storage, cloneSystem, c.source))
	c.compareDatoms(t, src, "after a cut behind an index of Local's")
}

// pulledAt is a run that ends at the first act of a kind.
func (p clonePair) pulledAt(t *testing.T, point replay.Point) {
	t.Helper()
	p.opt.At = func(at replay.Point) error {
		if at == point {
			return errPulled
		}
		return nil
	}
	_, err := p.run()
	require.ErrorIs(t, err, errPulled)
}

// truncateFrames takes the last n transactions off the clone's log, as if they had not been written yet.
func (p clonePair) truncateFrames(t *testing.T, n int) {
	t.Helper()
	idx := p.read(t, p.clone, "log.idx")
	keep := len(idx) - 8*n
	end := binary.BigEndian.Uint64(idx[keep:])
	require.NoError(t, os.Truncate(filepath.Join(p.dir(p.clone), "db.log"), int64(end)))
	require.NoError(t, os.Truncate(filepath.Join(p.dir(p.clone), "log.idx"), int64(keep)))
}

// opensUnchanged has Datomic Local open the clone and close it, which must change nothing.
func (p clonePair) opensUnchanged(t *testing.T) {
	t.Helper()
	before := p.files(t, p.clone)
	p.jvm.Eval(t, `(count (d/datoms (d/db (conn `+p.in(p.clone)+`)) {:index :avet :limit -1}))`)
	p.release(t, p.clone)
	require.Equal(t, before, p.files(t, p.clone), "Datomic Local changed a file of the clone")
}

func (p clonePair) roots(t *testing.T, db string) []string {
	t.Helper()
	return slices.DeleteFunc(fileNames(t, p.dir(db)), func(n string) bool { return !isRoot(n) })
}

func isIndex(name string) bool { return strings.HasPrefix(name, "index-") }
