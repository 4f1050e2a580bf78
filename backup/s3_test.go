package backup

import (
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/store"
	"dclone/store/s3"
	"dclone/store/s3test"
)

// TestS3 copies a backup from a directory to S3 and back.
func TestS3(t *testing.T) {
	server := s3test.Start(t)
	server.Setenv(t)
	files, err := s3.Open(t.Context(), server.Bucket(t), "a/backup", s3.Options{})
	require.NoError(t, err)
	there := store.NewBackup(files)
	defer there.Close()

	real, back := realFiles(t, "alltypes"), newMemFiles()
	from := openDir(t, onDisk(t, real))
	for _, point := range []dclone.T{1493, 5619} {
		r, err := Copy(t.Context(), from, there, Options{T: point, Concurrency: 25})
		require.NoError(t, err)
		v, err := Verify(t.Context(), there, Options{T: point, ReadAll: true, Concurrency: 25})
		require.NoError(t, err)
		require.Empty(t, v.Missing)
		require.Empty(t, v.Unreadable)
		again, err := Copy(t.Context(), there, store.NewBackup(back), Options{T: point, Concurrency: 25})
		require.NoError(t, err)
		require.Equal(t, r.Copied, again.Copied)
	}
	requireSame(t, real.files, back.files)
	points, err := Points(t.Context(), there)
	require.NoError(t, err)
	require.Len(t, points, 2)
}
