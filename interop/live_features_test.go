package interop_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/interop"
	"dclone/session"
	"dclone/source"
	sourcelocal "dclone/source/local"
	"dclone/verify"
)

// A liveSource is a database of Datomic Local that has everything a clone can get wrong, as it was after some waves.
type liveSource struct {
	clonePair
	after []string // copies of it
}

func newLiveSource(t testing.TB, waves ...int) *liveSource {
	t.Helper()
	s := &liveSource{clonePair: newClonePair(t, interop.Start(t))}
	s.jvm.Load(t, "features")
	s.create(t, ":empty")
	done := 0
	for _, wave := range waves {
		s.grow(t, fmt.Sprintf(`(doseq [w (range %d %d)] (features/run-wave! c w))`, done+1, wave+1))
		done = wave
		s.release(t, s.source)
		name := fmt.Sprint(s.source, "-", wave)
		s.copyDatabase(t, s.source, name)
		s.after = append(s.after, name)
	}
	return s
}

// open opens the source as it was after the i-th of the waves.
func (s *liveSource) open(t testing.TB, i int) source.Conn {
	t.Helper()
	src, err := sourcelocal.Open(s.dir(s.after[i]))
	require.NoError(t, err)
	t.Cleanup(func() { src.Close() })
	return src
}

// TestLiveClones clones a database through what a running Datomic offers, and proves the clones.
func TestLiveClones(t *testing.T) {
	s := newLiveSource(t, 2, 5, 8)
	t.Run("local", s.cloneLocal)
	t.Run("memory", s.cloneMem)
	t.Run("postgres", s.clonePostgres)
}

// cloneLocal clones through the client API of Datomic Local, begun with several states of the source. In the end Datomic
// Local is asked, too, about them and about a clone that was written natively.
func (s *liveSource) cloneLocal(t *testing.T) {
	begin := []session.Options{{MaxBatchSize: 7, TxEntities: "all"}, {TxEntities: "none"}, {}}
	native := s.to("native", session.Options{})
	var clones []liveLocal
	for i, name := range s.after {
		clones = append(clones, s.liveTo(t, "begun-"+name, begin[i]))
		src := s.open(t, i)
		for _, c := range clones {
			r := c.live.must(t, src)
			rep := c.provenBothWays(t, src)
			t.Logf("%s of %s: %s, %d replayed, %d datoms, not carried %v", c.clone, name, r.Status, rep.Transactions, rep.Datoms, r.Session.NotCarried)
		}
		if i != 1 {
			native.source = name
			native.must(t)
			require.Equal(t, verify.OK, native.verified(t).Status)
		}
	}
	for _, c := range clones {
		require.Equal(t, session.UpToDate, c.live.must(t, s.open(t, len(s.after)-1)).Status, c.clone)
		c.letGo(t)
	}
	src := newSourceView(s.jvm.Dump(t, s.storage, cloneSystem, s.source))
	clones[0].compareLog(t, src)
	clones[0].compareAnswers(t, src)
	clones[2].compareTwin(t, native)
}
