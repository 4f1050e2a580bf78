package address

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// ErrNotYet says that an address is one of DESIGN.md's that this version does nothing with.
var ErrNotYet = errors.New("this version reads and writes Datomic Local databases only")

var (
	errNone    = errors.New("it is empty")
	errPath    = errors.New("it is a path, not an address")
	errUnknown = errors.New("no kind of database is called that")
)

// planned are the schemes that will be, longest first where one begins like another.
var planned = []struct{ prefix, what string }{
	{"file:", "a Datomic Pro backup in a directory"},
	{"s3:", "a Datomic Pro backup in S3"},
	{"datomic:sql:", "Datomic Pro storage in an SQL database"},
	{"datomic:", "a database of the Datomic peer library"},
	{"client:", "a database of the Datomic client library"},
	{"postgres:", "a PostgreSQL database"},
	{"postgresql:", "a PostgreSQL database"},
	{"edn:", "transaction data in EDN files"},
}

// otherScheme says what is wrong with an address that is not Datomic Local's.
func otherScheme(text string) error {
	usage := Scheme + "/abs/storage-dir/SYSTEM/DB"
	if text == "" {
		return refuse(text, errNone, usage)
	}
	for _, p := range planned {
		if strings.HasPrefix(strings.ToLower(text), p.prefix) {
			return refuse(text, fmt.Errorf("it is %s; %w", p.what, ErrNotYet), usage)
		}
	}
	switch scheme, _, colon := strings.Cut(text, ":"); {
	case colon && !strings.Contains(scheme, "/"):
		return refuse(text, errUnknown, usage)
	case strings.Count(text, "/") == 1 && text[0] != '/' && text[0] != '.':
		return refuse(text, errPath, Scheme+text)
	}
	abs, err := filepath.Abs(text)
	if err != nil || strings.Count(abs, "/") < 3 {
		return refuse(text, errPath, usage)
	}
	return refuse(text, errPath, Scheme+abs)
}
