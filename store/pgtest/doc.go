// Package pgtest runs a real PostgreSQL beside a test, so that what dclone reads from and writes to
// Datomic's table is held against the database that production has.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
//	func TestReads(t *testing.T) {
//		jdbcURL, dsn := pgtest.Start(t).Database(t)
//	}
//
// The server is Debian's, the newest that is installed; all tests of a process share one, on a free port
// of the loopback and a socket in a temporary directory. It has the role datomic with the password
// datomic, and each [Server.Database] is an empty database with the table that Datomic's own
// postgres-table.sql makes. Nothing is kept: the server does not sync, and it ends, and its directory
// goes, when the test process ends, however that ends.
//
// PostgreSQL does not run as root; a test that does starts it as the user postgres.
//
// A test is skipped, by name of what is missing, where there is no PostgreSQL; with
// DCLONE_REQUIRE_INTEROP=1 in the environment it fails instead, which is how a build server makes sure
// that these tests did run.
package pgtest
