package session_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/dest"
	destlive "dclone/dest/live"
	"dclone/session"
)

// A connection that is kept between runs sees what others have written meanwhile: another run of dclone, which is well,
// or somebody else, which is told.
func TestLiveKeptConnection(t *testing.T) {
	s := newLiveServer(t)
	sources := featureSources(t, s.jvm, 1, 2, 3, 4)
	p := s.pair(t, sources[0])
	kept, err := destlive.Open(context.Background(), p.opt)
	require.NoError(t, err)
	defer kept.Close()
	run := func(src string) (session.Result, error) {
		p.src = src
		return p.syncTo(kept, session.Options{})
	}
	_, err = run(sources[0])
	require.NoError(t, err)
	p.src = sources[1]
	p.must(t, session.Options{}) // another run of dclone
	r, err := run(sources[2])
	require.NoError(t, err)
	require.Equal(t, session.Incremental, r.Status)
	p.check(t)

	other, err := p.opt.Connect(context.Background())
	require.NoError(t, err)
	_, err = other.DB.Transact(context.Background(), []byte{0xe4}) // an empty list
	require.NoError(t, err)
	var drift *dest.DriftError
	_, err = run(sources[2])
	require.ErrorAs(t, err, &drift, "there is nothing to write, and somebody else has written")
	_, err = run(sources[3])
	require.ErrorAs(t, err, &drift)
}
