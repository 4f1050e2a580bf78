package s3_test

import (
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/store"
	"dclone/store/s3"
)

// serve has requests answered by handle: what a real server does only rarely, or only in Amazon's cloud.
func serve(t *testing.T, handle http.HandlerFunc) {
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ENDPOINT_URL_S3": "", "AWS_REGION": "eu-west-1",
		"AWS_ACCESS_KEY_ID": "access", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_MAX_ATTEMPTS": "2"} {
		t.Setenv(name, value)
	}
}

func fail(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	io.WriteString(w, "<Error><Code>"+code+"</Code><Message>Said so.</Message></Error>")
}

func TestEncryption(t *testing.T) {
	var header string
	serve(t, func(w http.ResponseWriter, r *http.Request) { header = r.Header.Get("X-Amz-Server-Side-Encryption") })
	for _, c := range []struct {
		options s3.Options
		header  string
	}{{s3.Options{}, ""}, {s3.Options{SSE: true}, "AES256"}} {
		files, err := s3.Open(t.Context(), "bucket", "", c.options)
		require.NoError(t, err)
		require.NoError(t, files.Put(t.Context(), "owner", []byte("x")))
		require.Equal(t, c.header, header)
		_, err = files.Create(t.Context(), "owner", []byte("x"))
		require.NoError(t, err)
		require.Equal(t, c.header, header)
	}
}

// TestBrokenBody has the bytes of a file break off, at first and for ever.
func TestBrokenBody(t *testing.T) {
	requests, broken := 0, 1
	serve(t, func(w http.ResponseWriter, r *http.Request) {
		body := "a whole file"
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		if requests++; requests <= broken {
			body = body[:5]
		}
		io.WriteString(w, body)
	})
	files := open(t, "bucket", "")
	got, err := files.Get(t.Context(), "owner")
	require.NoError(t, err)
	require.Equal(t, "a whole file", string(got))
	require.Equal(t, 2, requests)
	requests, broken = 0, 1000
	_, err = files.Get(t.Context(), "owner")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, err, "read s3://bucket/owner")
	require.Equal(t, 3, requests)
}

// TestAbsurdSize does not believe the server's word.
func TestAbsurdSize(t *testing.T) {
	serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(1<<40))
		io.WriteString(w, "x")
	})
	_, err := open(t, "bucket", "").Get(t.Context(), "owner")
	require.ErrorContains(t, err, "it has more than")
}

// TestRetries has the SDK try again, and Create see through the conflict of two at the same moment.
func TestRetries(t *testing.T) {
	var answers []string
	serve(t, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "*", r.Header.Get("If-None-Match"))
		switch code := answers[0]; code {
		case "InternalError":
			fail(w, http.StatusInternalServerError, code)
		case "ConditionalRequestConflict":
			fail(w, http.StatusConflict, code)
		case "PreconditionFailed":
			fail(w, http.StatusPreconditionFailed, code)
		}
		answers = answers[1:]
	})
	files := open(t, "bucket", "")
	answers = []string{"InternalError", "ConditionalRequestConflict", "InternalError", "ok"}
	created, err := files.Create(t.Context(), "owner", nil)
	require.NoError(t, err)
	require.True(t, created)
	answers = []string{"ConditionalRequestConflict", "PreconditionFailed"}
	created, err = files.Create(t.Context(), "owner", nil)
	require.NoError(t, err)
	require.False(t, created)
	require.Empty(t, answers)
}

// TestNoConditions claims on a server that does not know how to write only what is not there.
func TestNoConditions(t *testing.T) {
	there := false
	serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("If-None-Match") != "":
			fail(w, http.StatusNotImplemented, "NotImplemented")
		case r.Method == http.MethodHead && !there:
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodPut:
			there = true
		}
	})
	files := open(t, "bucket", "")
	for _, want := range []bool{true, false} {
		created, err := files.Create(t.Context(), "owner", nil)
		require.NoError(t, err)
		require.Equal(t, want, created)
	}
}

// TestDenied has the answers of Amazon's servers to credentials that are wrong, old, or not enough.
func TestDenied(t *testing.T) {
	status, code := 0, ""
	serve(t, func(w http.ResponseWriter, r *http.Request) { fail(w, status, code) })
	files := open(t, "bucket", "")
	for _, c := range []struct {
		status int
		code   string
	}{{403, "AccessDenied"}, {403, "InvalidAccessKeyId"}, {400, "ExpiredToken"}, {400, "InvalidToken"}, {401, "Unauthorized"},
		{404, "XAdminUserNotFound"}, {404, "InvalidAccessKeyId"}} {
		status, code = c.status, c.code
		_, err := files.Get(t.Context(), "owner")
		require.ErrorIs(t, err, fs.ErrPermission)
		require.EqualError(t, err, "read s3://bucket/owner: the server denies it: "+code+": Said so.")
		require.ErrorIs(t, files.Put(t.Context(), "owner", nil), fs.ErrPermission)
	}
}

// TestRefused has a server refuse what it is asked for, which is told in its words.
func TestRefused(t *testing.T) {
	serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amz-Request-Id", "R7")
		w.Header().Set("X-Amz-Id-2", "host")
		fail(w, http.StatusBadRequest, "InvalidBucketName")
	})
	_, err := open(t, "bucket", "x").List(t.Context(), "roots")
	require.ErrorIs(t, err, s3.ErrRefused)
	require.EqualError(t, err, "list s3://bucket/x/roots: the server refuses it: InvalidBucketName: Said so. (request R7)")
}

// TestUnreachable says where no server is, once and without the request.
func TestUnreachable(t *testing.T) {
	serve(t, nil)
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	_, err := open(t, "bucket", "x").List(t.Context(), "roots")
	require.ErrorIs(t, err, s3.ErrUnreachable)
	require.EqualError(t, err, "list s3://bucket/x/roots: the server cannot be reached: dial tcp 127.0.0.1:1: connect: connection refused")
	t.Setenv("AWS_PROFILE", "no-such-profile")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	_, err = s3.Open(t.Context(), "bucket", "x", s3.Options{})
	require.ErrorIs(t, err, s3.ErrConfiguration)
}

// TestRegion names the region that a bucket is in.
func TestRegion(t *testing.T) {
	serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amz-Bucket-Region", "ap-south-1")
		fail(w, http.StatusMovedPermanently, "PermanentRedirect")
	})
	files := open(t, "bucket", "x")
	_, err := files.Get(t.Context(), "owner")
	require.ErrorContains(t, err, "bucket bucket is in region ap-south-1; set AWS_REGION")
	require.NotErrorIs(t, err, store.ErrMissing)
	_, err = files.Has(t.Context(), "owner")
	require.ErrorContains(t, err, "region ap-south-1")
}

// TestMarkers leaves out objects that stand for directories, and asks page by page.
func TestMarkers(t *testing.T) {
	serve(t, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "x/roots/", r.URL.Query().Get("prefix"))
		require.Equal(t, "/", r.URL.Query().Get("delimiter"))
		page := "<Contents><Key>x/roots/</Key></Contents><Contents><Key>x/roots/7</Key></Contents><IsTruncated>true</IsTruncated><NextContinuationToken>more</NextContinuationToken>"
		if r.URL.Query().Get("continuation-token") == "more" {
			page = "<Contents><Key>x/roots/8</Key></Contents><CommonPrefixes><Prefix>x/roots/y/</Prefix></CommonPrefixes>"
		}
		io.WriteString(w, "<ListBucketResult>"+page+"</ListBucketResult>")
	})
	names, err := open(t, "bucket", "x").List(t.Context(), "roots")
	require.NoError(t, err)
	require.Equal(t, []string{"7", "8"}, names)
}
