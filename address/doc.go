// Package address reads the notation in which the command line names databases.
//
//	datomic-local:/abs/storage-dir/SYSTEM/DB    a Datomic Local database on disk
//	datomic-local:SYSTEM/DB                     the same, storage-dir from ~/.datomic/local.edn
//	datomic-local:/abs/storage-dir[/SYSTEM]     a place that holds databases, for those who list them
//	datomic-local:[SYSTEM]                      the same, storage-dir from ~/.datomic/local.edn
//
// The other notations dclone is to have are known by name and refused: [ErrNotYet].
//
// Addresses can hold passwords. An [Address] never does; a text that a user typed must go through
// [Redact] before it is printed or stored.
package address
