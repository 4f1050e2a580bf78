package live_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/datomic/live"
	destlive "dclone/dest/live"
	destlocal "dclone/dest/local"
	"dclone/session"
	sourcelocal "dclone/source/local"
)

// cloneNatively makes a database that dclone has written itself.
func cloneNatively(t *testing.T, from, to string) {
	t.Helper()
	src, err := sourcelocal.Open(from)
	require.NoError(t, err)
	defer src.Close()
	dst, err := destlocal.Lock(to)
	require.NoError(t, err)
	defer dst.Close()
	_, err = session.Sync(ctx, src, dst, filepath.Join(to, "dclone.state"), session.Options{Jobs: 2})
	require.NoError(t, err)
}

// cloneLive makes a database that Datomic Local has written for dclone.
func cloneLive(t *testing.T, from string, c *live.Child, arg, name string) {
	t.Helper()
	src, err := sourcelocal.Open(from)
	require.NoError(t, err)
	defer src.Close()
	created, err := c.Create(ctx, live.ClientAPI, arg, name)
	require.NoError(t, err)
	require.True(t, created)
	target := destlive.Target{API: live.ClientAPI, Arg: arg, Name: name}
	dst, err := destlive.Open(ctx, destlive.Options{Connect: func(ctx context.Context) (*destlive.Connection, error) {
		return target.ConnectTo(ctx, c, func() {})
	}})
	require.NoError(t, err)
	defer dst.Close()
	_, err = session.SyncLive(ctx, src, dst, filepath.Join(t.TempDir(), "dclone.state"), session.Options{Jobs: 2})
	require.NoError(t, err)
}
