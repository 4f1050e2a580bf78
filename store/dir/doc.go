// Package dir keeps the files of a backup in a local directory, each under its key.
//
// Besides them there is a directory .dclone, of which Datomic takes no notice:
//
//	.dclone/lock     locked by the one process that writes here
//	.dclone/<random> files that are being written
//
// A file is written there, made durable, and renamed to its place: under its key it is whole or not
// at all, whenever the process or the machine stops. (Not in the place it goes to: Datomic takes
// whatever is in roots/ for a root.) What a killed process left is removed by the next that locks.
package dir
