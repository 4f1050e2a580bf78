package interop_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/interop"
	"dclone/session"
	"dclone/verify"
)

// TestCloneImported clones a database made by import-cloud, whose first frame is not the bootstrap's.
func TestCloneImported(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "random")
	p := newClonePair(t, jvm)
	p.source = "origin"
	p.create(t, `(random/schema! c) (random/txs! c 1 60)`)
	p.source = "imported"
	at := func(db string) string {
		return `{:server-type :datomic-local :storage-dir ` + interop.Str(p.storage) + ` :system "dev" :db-name "` + db + `"}`
	}
	jvm.Eval(t, `(datomic.local/import-cloud {:source `+at("origin")+` :dest `+at(p.source)+`})`)
	p.must(t)
	p.compare(t, "imported")
	p.grow(t, `(random/txs! c 2 30)`)
	require.Equal(t, session.Incremental, p.must(t).Status)
	p.compare(t, "imported, and gone on")
	require.Equal(t, verify.OK, p.verified(t).Status)
}

// TestCloneOfClone clones a clone, which goes on following its own source.
func TestCloneOfClone(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "features")
	p := newClonePair(t, jvm)
	p.create(t, `(doseq [w (range 1 5)] (features/run-wave! c w))`)
	q := p.to("clone of the clone", session.Options{TxEntities: "all"})
	q.source = p.clone
	for wave := 5; wave <= 7; wave++ {
		p.must(t)
		q.must(t)
		q.compare(t, fmt.Sprint("the clone's clone before wave ", wave))
		q.release(t, q.source)
		require.Equal(t, verify.OK, q.verified(t).Status)
		if wave < 7 {
			p.grow(t, fmt.Sprintf(`(features/run-wave! c %d)`, wave))
		}
	}
}

// TestCloneSourceReset has Datomic Local delete the source and make another one in its place.
func TestCloneSourceReset(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "random")
	p := newClonePair(t, jvm)
	p.create(t, `(random/schema! c) (random/txs! c 1 50)`)
	p.must(t)
	before := p.files(t, p.clone)
	jvm.Eval(t, `(delete `+p.in(p.source)+`)`)
	_, err := p.run()
	require.Error(t, err)
	for _, again := range []string{`:nothing`, `(random/schema! c) (random/txs! c 2 20)`, `(random/txs! c 3 100)`} {
		p.create(t, again)
		_, err := p.run()
		require.ErrorIs(t, err, session.ErrReplaced, again)
		require.Equal(t, before, p.files(t, p.clone), "something was changed")
	}
}

// TestCloneFutureRef clones refs to numbers that are nothing yet, and later become a transaction or an attribute.
func TestCloneFutureRef(t *testing.T) {
	jvm := interop.Start(t)
	for _, c := range []struct {
		name    string
		ref     string
		carried bool
	}{
		{"transaction", `(+ (bit-shift-left 3 42) 10)`, false},
		{"attribute", `77`, true},
		{"partition", `78`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newClonePair(t, jvm)
			p.create(t, `(tx! c [(attr :f/id :string :db/unique :db.unique/identity) (attr :f/n :long) (attr :f/refs :ref :many true)])`)
			early, late := p.to("early", session.Options{}), p.to("late", session.Options{})
			early.must(t)
			p.grow(t, `(tx! c [{:f/id "e" :f/refs `+c.ref+`}])`)
			for _, then := range []string{
				`(tx! c [(attr :x/one :string)])`,
				`(tx! c [{:db/ident :x/ident :f/n 1} {:f/id "e" :f/n 1} (attr :x/two :string)])`,
				`(tx! c [{:x/one "x" :x/two "y"} {:db/ident :my/part :db.install/_partition :db.part/db} [:db/add "datomic.tx" :f/n 2]])`,
				`(tx! c [[:db/add (+ (bit-shift-left 3 42) 10) :f/n 3] {:db/id :x/two :db/ident :x/deux :db/doc "renamed"}])`,
				`(tx! c [(attr :x/three :string) {:db/id :x/one :db/cardinality :db.cardinality/many}])`,
				`(tx! c [{:x/three "3" :x/one ["4" "5"] :f/refs [:x/two :x/three :my/part]}])`,
			} {
				p.grow(t, then)
				for _, k := range []clonePair{early, late} {
					k.must(t)
					report := k.verified(t)
					require.Equal(t, verify.OK, report.Status, "%s, after %s: %v", k.clone, then, report.Differences)
				}
			}
			for _, k := range []clonePair{early, late} {
				k.compare(t, k.clone)
				require.Equal(t, c.carried, len(k.must(t).Session.NotCarried) == 0)
			}
		})
	}
}
