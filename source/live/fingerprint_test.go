package live_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/source"
)

// sameFingerprints makes sure that a clone of one source may be gone on with from the other.
func sameFingerprints(t *testing.T, native, conn source.Conn) {
	t.Helper()
	key := dclone.DigestKey("key")
	want, err := native.First(key)
	require.NoError(t, err)
	got, err := conn.First(key)
	require.NoError(t, err)
	require.Equal(t, want, got)
	for _, tx := range allTxs(t, native, native.Born()) {
		want, err := native.Fingerprint(key, tx.T)
		require.NoError(t, err)
		got, err := conn.Fingerprint(key, tx.T)
		require.NoError(t, err)
		require.Equal(t, want, got, "t %d", tx.T)
	}
}
