// Package s3test runs a real S3 server for tests: Versity's gateway over a temporary directory, on a
// free port of the loopback interface.
//
// The gateway is built by go install, once, into the user's cache directory; it is no dependency of
// ours. Where it cannot be built, tests skip and say why; DCLONE_REQUIRE_INTEROP=1 makes them fail.
package s3test
