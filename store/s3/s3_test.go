package s3_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone/store"
	"dclone/store/s3"
	"dclone/store/s3test"
	"dclone/store/storetest"
)

func open(t testing.TB, bucket, prefix string) *s3.Files {
	t.Helper()
	files, err := s3.Open(t.Context(), bucket, prefix, s3.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, files.Close()) })
	return files
}

func TestFiles(t *testing.T) {
	s := s3test.Start(t)
	s.Setenv(t)
	for name, prefix := range map[string]string{"bucket": "", "prefix": "backups/of mine+ü"} {
		t.Run(name, func(t *testing.T) {
			storetest.TestFiles(t, func(t testing.TB) store.Files { return open(t, s.Bucket(t), prefix) })
		})
	}
}

// TestPrefixes sees that backups beside one another in a bucket do not mix.
func TestPrefixes(t *testing.T) {
	s := s3test.Start(t)
	s.Setenv(t)
	bucket := s.Bucket(t)
	a, ab, top := open(t, bucket, "a"), open(t, bucket, "/a/b/"), open(t, bucket, "")
	require.Equal(t, "s3://"+bucket+"/a/b", ab.String())
	require.Equal(t, "s3://"+bucket, top.String())
	require.NoError(t, ab.Put(t.Context(), "roots/1", []byte("ab")))
	for _, files := range []*s3.Files{a, top} {
		names, err := files.List(t.Context(), "roots")
		require.NoError(t, err)
		require.Empty(t, names)
		_, err = store.OpenBackup(t.Context(), files)
		require.ErrorIs(t, err, store.ErrNoDatabase)
	}
	got, err := top.Get(t.Context(), "a/b/roots/1")
	require.NoError(t, err)
	require.Equal(t, "ab", string(got))
}

// TestOldNames has credentials under the names that AWS's first tools had.
func TestOldNames(t *testing.T) {
	s := s3test.Start(t)
	s.Setenv(t)
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "",
		"AWS_ACCESS_KEY": s.AccessKey, "AWS_SECRET_KEY": s.SecretKey, "AWS_REGION": ""} {
		t.Setenv(name, value)
	}
	files := open(t, s.Bucket(t), "x")
	require.NoError(t, files.Put(t.Context(), "owner", []byte("x")))
	t.Setenv("AWS_ACCESS_KEY", "")
	t.Setenv("AWS_ACCESS_KEY_ID", s.AccessKey) // one old, one new
	require.NoError(t, open(t, s.Bucket(t), "x").Put(t.Context(), "owner", []byte("x")))
}

// TestProfile has everything in the files of AWS's tools.
func TestProfile(t *testing.T) {
	s := s3test.Start(t)
	s.Setenv(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config":      "[profile prod]\nregion = eu-central-1\nservices = own\n[services own]\ns3 =\n  endpoint_url = " + s.Endpoint + "\n",
		"credentials": "[prod]\naws_access_key_id = " + s.AccessKey + "\naws_secret_access_key = " + s.SecretKey + "\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_ENDPOINT_URL": "", "AWS_REGION": "us-east-1",
		"AWS_PROFILE": "prod", "AWS_CONFIG_FILE": filepath.Join(dir, "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "credentials")} {
		t.Setenv(name, value)
	}
	require.NoError(t, open(t, s.Bucket(t), "x").Put(t.Context(), "owner", []byte("x")))
}

// TestErrors sees that what the user can mend is said in a sentence, without secrets, and has its kind.
func TestErrors(t *testing.T) {
	s := s3test.Start(t)
	requireError := func(t *testing.T, err, kind error, said string) {
		t.Helper()
		require.ErrorIs(t, err, kind)
		require.ErrorContains(t, err, said)
		require.NotContains(t, err.Error(), s.SecretKey)
		require.NotContains(t, err.Error(), "\n")
	}
	s.Setenv(t)
	t.Run("no bucket", func(t *testing.T) {
		files := open(t, "no-such-bucket", "x")
		_, err := store.OpenBackup(t.Context(), files)
		requireError(t, err, store.ErrNoDatabase, "there is no bucket no-such-bucket")
		_, err = files.Get(t.Context(), "owner")
		requireError(t, err, store.ErrNoDatabase, "s3://no-such-bucket/x/owner")
		requireError(t, files.Put(t.Context(), "owner", nil), store.ErrNoDatabase, "there is no bucket")
	})
	t.Run("wrong secret", func(t *testing.T) {
		t.Setenv("AWS_SECRET_ACCESS_KEY", "another")
		files := open(t, s.Bucket(t), "x")
		_, err := store.OpenBackup(t.Context(), files)
		requireError(t, err, fs.ErrPermission, "SignatureDoesNotMatch")
		_, err = files.Has(t.Context(), "owner")
		requireError(t, err, fs.ErrPermission, "the server denies it")
		requireError(t, files.Put(t.Context(), "owner", nil), fs.ErrPermission, "x/owner")
	})
	t.Run("wrong key", func(t *testing.T) {
		t.Setenv("AWS_ACCESS_KEY_ID", "another")
		_, err := store.OpenBackup(t.Context(), open(t, s.Bucket(t), "x"))
		require.ErrorContains(t, err, "No user exists with the provided access key ID") // a 404, of this server alone
		require.NotErrorIs(t, err, store.ErrMissing)
		require.NotErrorIs(t, err, store.ErrNoDatabase)
	})
	t.Run("no credentials", func(t *testing.T) {
		t.Setenv("AWS_ACCESS_KEY_ID", "")
		_, err := s3.Open(t.Context(), "bucket", "", s3.Options{})
		requireError(t, err, fs.ErrPermission, "no AWS credentials were found")
	})
	t.Run("no server", func(t *testing.T) {
		t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
		t.Setenv("AWS_MAX_ATTEMPTS", "1")
		_, err := open(t, "bucket", "").Get(t.Context(), "owner")
		require.ErrorContains(t, err, "connection refused")
		require.NotErrorIs(t, err, store.ErrMissing)
	})
	t.Run("no name", func(t *testing.T) {
		_, err := s3.Open(t.Context(), "", "x", s3.Options{})
		require.ErrorContains(t, err, "it names no bucket")
		_, err = s3.Open(t.Context(), "b", "x/../../y", s3.Options{})
		require.ErrorContains(t, err, "open s3://b/x/../../y")
	})
}

// TestDeadline gives up in time on a server that cannot be reached.
func TestDeadline(t *testing.T) {
	s := s3test.Start(t)
	s.Setenv(t)
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := open(t, "bucket", "").Get(ctx, "owner")
	require.Error(t, err)
	require.Less(t, time.Since(start), 5*time.Second)
}

func TestBackup(t *testing.T) {
	s := s3test.Start(t)
	s.Setenv(t)
	bucket := s.Bucket(t)
	b := store.NewBackup(open(t, bucket, "x"))
	db := strings.Repeat("d", 7) + "-6b013485-b28c-47fa-9013-35e7e260bff9"
	has := storetest.WriteBackup(t, b, db)
	storetest.TestDatabase(t, func(t testing.TB) store.Database {
		b, err := store.OpenBackup(t.Context(), open(t, bucket, "x"))
		require.NoError(t, err)
		return b
	}, has)
	storetest.TestClaims(t, func(t testing.TB) store.Files { return open(t, s.Bucket(t), "y") })
}
