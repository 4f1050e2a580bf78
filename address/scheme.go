package address

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrNotYet says that an address is one of those that this version does nothing with.
var ErrNotYet = errors.New("this version reads databases of Datomic, and backups of them")

// ErrDest says that an address is none of a database that can be written.
var ErrDest = errors.New("a clone is a Datomic Local database, or one that Datomic's own library reaches")

var (
	errNone    = errors.New("it is empty")
	errPath    = errors.New("it is a path, not an address")
	errCase    = errors.New("schemes are written in lower case")
	errUnknown = errors.New("no kind of database is called that")
)

const localUsage = Scheme + "/abs/storage-dir/SYSTEM/DB"

// What can be done about a database that is out of reach.
const (
	tryMem = "a database in a storage, or one of Datomic Local on disk: what is in a process's memory only that process can read"
)

// A kind is a notation by the scheme it begins with.
type kind struct{ prefix, what, try string }

// readable are the kinds that Parse reads.
var readable = []kind{
	{Scheme, kindLocal, localUsage},
	{schemeDirectory, kindDirectory, localUsage},
	{schemeBucket, kindBucket, localUsage},
	{schemeStorage, kindStorage, localUsage},
	{schemePeer, "a database of the Datomic peer library", peerUsage},
	{schemeClient, kindClient, clientUsage},
}

// peers are what peer URIs may name, longest first where one begins like another.
var peers = []kind{
	{schemeMem, memory, peerUsage},
	{"datomic:dev:", "a database in Datomic's dev storage", peerUsage},
	{"datomic:free:", "a database of Datomic Free", peerUsage},
	{"datomic:ddb", "a database in DynamoDB", peerUsage},
	{"datomic:cass", "a database in Cassandra", peerUsage},
	{"datomic:sql:", "Datomic Pro storage in an SQL database", peerUsage},
	{schemePeer, "a database of the Datomic peer library", peerUsage},
}

// planned are those that may be read one day.
var planned = []kind{
	{"postgres:", "a PostgreSQL database", storageUsage + ", if Datomic Pro keeps its storage there"},
	{"postgresql:", "a PostgreSQL database", storageUsage + ", if Datomic Pro keeps its storage there"},
	{"jdbc:postgresql:", "a PostgreSQL database", storageUsage + ", if Datomic Pro keeps its storage there"},
	{"edn:", "transaction data in EDN files", localUsage},
}

// find returns the kind that an address is of.
func find(kinds []kind, text string) (kind, bool) {
	for _, k := range kinds {
		if len(text) >= len(k.prefix) && strings.EqualFold(text[:len(k.prefix)], k.prefix) {
			return k, true
		}
	}
	return kind{}, false
}

// otherScheme says what is wrong with an address that Parse does not read.
func otherScheme(text string) error {
	if text == "" {
		return refuse(text, errNone, localUsage)
	}
	if k, ok := find(readable, text); ok {
		return refuse(text, errCase, k.prefix+text[len(k.prefix):])
	}
	if k, ok := find(planned, text); ok {
		return refuse(text, fmt.Errorf("it is %s; %w", k.what, ErrNotYet), k.try)
	}
	switch scheme, _, colon := strings.Cut(text, ":"); {
	case colon && !strings.Contains(scheme, "/"):
		return refuse(text, errUnknown, localUsage)
	case isBackup(text):
		return refuse(text, errPath, schemeDirectory+absolute(text))
	case strings.Count(text, "/") == 1 && text[0] != '/' && text[0] != '.':
		return refuse(text, errPath, Scheme+text)
	}
	if abs := absolute(text); strings.Count(abs, "/") >= 3 {
		return refuse(text, errPath, Scheme+abs)
	}
	return refuse(text, errPath, localUsage)
}

// notLocal says what is wrong with an address that is to be Datomic Local's and is not.
func notLocal(text string) error {
	k, ok := find(slices.Concat(readable[:4], peers, readable, planned), text)
	if !ok || strings.EqualFold(k.prefix, Scheme) {
		return otherScheme(text)
	}
	return refuse(text, fmt.Errorf("it is %s; %w", k.what, ErrDest), localUsage)
}

// isBackup reports whether there is what looks like a backup at a path.
func isBackup(path string) bool {
	info, err := os.Stat(filepath.Join(path, "roots"))
	return err == nil && info.IsDir()
}

// absolute returns a path from the root, or as it is where that cannot be told.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
