package session_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	destlive "dclone/dest/live"
	"dclone/interop"
	"dclone/session"
)

// features is a database with everything that a clone can get wrong, as it was after each of its waves. It is made
// once, and only read.
var features struct {
	sync.Mutex
	dir  string
	made int
}

// featureSources returns the directories of that database as it was after some waves.
func featureSources(t testing.TB, jvm *interop.JVM, waves ...int) (sources []string) {
	t.Helper()
	features.Lock()
	defer features.Unlock()
	jvm.Load(t, "features")
	if features.dir == "" {
		dir, err := os.MkdirTemp("", "features")
		require.NoError(t, err)
		features.dir = dir
		jvm.Eval(t, `(create `+interop.Str(dir)+` "dev" "features")`)
	}
	db := interop.Str(features.dir) + ` "dev" "features"`
	at := func(wave int) string { return filepath.Join(features.dir, fmt.Sprint("wave-", wave)) }
	for _, wave := range waves {
		for features.made < wave {
			jvm.Eval(t, fmt.Sprintf(`(features/run-wave! (conn %s) %d)`, db, features.made+1))
			features.made++
			copyDir(t, filepath.Join(features.dir, "dev", "features"), at(features.made))
		}
		sources = append(sources, at(wave))
	}
	return sources
}

// A source with every feature, made by the real Datomic Local: first copy and catch-ups.
func TestLiveFeatures(t *testing.T) {
	s := newLiveServer(t)
	p := s.pair(t, "")
	dst, err := destlive.Open(context.Background(), p.opt)
	require.NoError(t, err)
	defer dst.Close()
	s.jvm.Load(t, "features")
	var late *livePair // its first copy comes when there is more to copy
	for wave := 1; s.jvm.Eval(t, fmt.Sprintf(`(<= %d (count features/waves))`, wave)) == "true"; wave++ {
		p.src = featureSources(t, s.jvm, wave)[0]
		r, err := p.syncTo(dst, session.Options{MaxBatchSize: 7})
		require.NoError(t, err)
		t.Logf("wave %d: %s, %d transactions, %d datoms, %v, %+v", wave, r.Status, r.Transactions, r.Datoms, r.Duration, r.Session.NotCarried)
		p.check(t)
		if wave < 4 {
			continue
		}
		if wave%2 == 0 {
			late = s.pair(t, "")
		}
		late.src = p.src
		late.must(t, session.Options{MaxBatchSize: []int{10, 500, 30}[wave%3], TxEntities: []string{"used", "all", "none"}[wave%3]})
		late.check(t)
	}
}
