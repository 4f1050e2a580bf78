// Package address reads the notation in which the command line names databases and backups.
//
//	datomic-local:/abs/storage-dir/SYSTEM/DB    a Datomic Local database on disk: [Local]
//	datomic-local:SYSTEM/DB                     the same, storage-dir from ~/.datomic/local.edn
//	file:/path, file:///path                    a Datomic Pro backup in a directory: [Directory]
//	s3://bucket/prefix                          a Datomic Pro backup in S3: [Bucket]
//	datomic:sql://DB?jdbc:postgresql://…        Datomic Pro storage in PostgreSQL: [Storage]
//	datomic:dev://…, datomic:ddb://…, …         any other URI that Datomic's peers connect to: [Peer]
//	client:FILE.edn#DB, client:{…}#DB           a database of Datomic's client library: [Client]
//
// A backup may be followed by ?t=T, which names one of its restore points; the newest is meant
// otherwise. Paths and prefixes are taken as they are: no sign in them is escaped.
//
// That of a storage is the URI that Datomic's peers connect to, as it is: the name of the database is
// not decoded, and what follows the first question mark is the URL of PostgreSQL's JDBC driver. Those
// who list databases write * for the name, here and in live addresses, as Datomic's get-database-names has it, and
//
//	datomic-local:/abs/storage-dir[/SYSTEM]     a place that holds databases
//	datomic-local:[SYSTEM]                      the same, storage-dir from ~/.datomic/local.edn
//
// The parameter via=peer sends what is in PostgreSQL to the peer library, too, where it may not be read directly. A
// client is its argument map, as EDN in the address or in a file, whose path may be relative. Of both kinds dclone
// understands no more than it must: what is wrong with them, Datomic's library says. Those two and Datomic Local's on
// disk are what can be written: [ParseDest]. [Host] tells which are on this machine, [Identity] which are the same.
//
// The other notations dclone is to have are known by name and refused: [ErrNotYet].
//
// Addresses can hold passwords. Those of a [Storage], a [Peer] and a [Client] do, and their String never shows them: three asterisks
// stand for it. Read back, they are no password, so that what was shown can be used where the
// password is known otherwise. A text that a user typed must go through [Redact] before it is
// printed or stored.
package address
