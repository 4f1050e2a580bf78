package backup

import (
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/segment"
	"dclone/fressian"
)

// oldRoot is a root as versions 1 and 2 of the format have it.
func oldRoot(t *testing.T, data []byte, version int) []byte {
	r, err := segment.ParseBackupRoot(data)
	require.NoError(t, err)
	m := fressian.Map{
		{Key: dclone.Kw("", "index-root-id"), Value: r.Index},
		{Key: dclone.Kw("", "log-root-id"), Value: r.Log},
		{Key: dclone.Kw("", "log-tail"), Value: r.Tail},
		{Key: dclone.Kw("", "db-id"), Value: r.DatabaseID},
	}
	if version == 2 {
		m = fressian.Map{
			{Key: dclone.Kw("backup", "version"), Value: int64(2)},
			{Key: dclone.Kw("index", "root-id"), Value: r.Index},
			{Key: dclone.Kw("log", "root-id"), Value: r.Log},
			{Key: dclone.Kw("log", "tail"), Value: r.Tail},
			{Key: dclone.Kw("db", "id"), Value: r.DatabaseID},
		}
	}
	b, err := fressian.Append(nil, m)
	require.NoError(t, err)
	return b
}
