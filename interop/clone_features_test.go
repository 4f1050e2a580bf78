package interop_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/interop"
	"dclone/session"
	"dclone/verify"
)

// TestCloneFeatures clones a database that has everything a clone can get wrong. Clones are begun after several
// waves, and at the empty database before the first; after every wave all of them catch up and are
// compared with the source by what Datomic Local answers, the most when they are new and at the end.
func TestCloneFeatures(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "features")
	p := newClonePair(t, jvm)
	p.create(t, ":empty")
	const waves = 8
	begin := map[int]session.Options{
		0:     {},
		1:     {MaxBatchSize: 7, NoIndex: true},
		2:     {TxEntities: "all"},
		4:     {MaxBatchSize: 1, Jobs: 1, MaxMemory: 1 << 16},
		5:     {TxEntities: "none"},
		waves: {MaxBatchSize: 100_000},
	}
	if testing.Short() {
		begin = map[int]session.Options{2: {}, waves: {}}
	}
	p.cloneWaves(t, "features", waves, begin)
}

// TestCloneOdd does the same to a database of what few would think of.
func TestCloneOdd(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "odd")
	p := newClonePair(t, jvm)
	p.create(t, ":empty")
	p.cloneWaves(t, "odd", 3, map[int]session.Options{0: {}, 1: {TxEntities: "none"}, 2: {MaxBatchSize: 2}, 3: {TxEntities: "all"}})
}

// cloneWaves makes the source in waves, clones and compares.
func (p clonePair) cloneWaves(t *testing.T, script string, waves int, begin map[int]session.Options) {
	t.Helper()
	var clones []clonePair
	for wave := 0; wave <= waves; wave++ {
		if wave > 0 {
			p.grow(t, fmt.Sprintf(`(%s/run-wave! c %d)`, script, wave))
		}
		if opt, ok := begin[wave]; ok {
			clones = append(clones, p.to(fmt.Sprint("begun-", wave), opt))
		}
		src := newSourceView(p.jvm.Dump(t, p.storage, cloneSystem, p.source))
		for i, c := range clones {
			what := fmt.Sprintf("clone %s after wave %d", c.clone, wave)
			r := c.must(t)
			if r.Status == session.Initial || wave == waves && i == 0 {
				c.compareTo(t, src, what)
			} else {
				c.compareDatoms(t, src, what)
			}
			report := c.verified(t)
			require.Equal(t, verify.OK, report.Status, "%s: verify: %v", what, report.Differences)
			require.Equal(t, session.UpToDate, c.must(t).Status, what)
			require.Equal(t, c.opt.TxEntities == "none" && wave > 0, len(r.Session.NotCarried) > 0, "%s: not carried %v", what, r.Session.NotCarried)
			if wave == waves && i == 0 {
				c.compareAllTimes(t, src)
			}
		}
	}
}

// compareAllTimes compares a clone with its source as of some of the transactions that were replayed.
func (p clonePair) compareAllTimes(t *testing.T, src *sourceView) {
	t.Helper()
	log := src.dumps.Log
	from := int(p.idMap(t).pos.Basis) + 1
	for at := from; at < len(log); at += 1 + (len(log)-from)/5 {
		p.compareAsOf(t, src, log[at].T)
	}
}
