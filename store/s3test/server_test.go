package s3test_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/store/s3test"
)

func TestStart(t *testing.T) {
	s := s3test.Start(t)
	require.Same(t, s, s3test.Start(t))
	require.NotEqual(t, s.Bucket(t), s.Bucket(t))
	r, err := http.Get(s.Endpoint)
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	require.Equal(t, http.StatusForbidden, r.StatusCode)
	s.Setenv(t)
	require.NotEmpty(t, s.Env())
}
