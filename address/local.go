package address

import (
	"errors"
	"path/filepath"
	"strings"
)

// Scheme is what the address of a Datomic Local database begins with, colon included.
const Scheme = "datomic-local:"

// A Local names a Datomic Local database. Its fields are never empty.
type Local struct {
	Storage string // absolute, clean
	System  string
	DB      string
}

// String returns the canonical form, which does not depend on ~/.datomic/local.edn.
func (a Local) String() string { return Scheme + a.Dir() }

// Kind says what is named.
func (a Local) Kind() string { return kindLocal }

// Dir returns the database's directory.
func (a Local) Dir() string { return filepath.Join(a.Storage, a.System, a.DB) }

// ParseDest reads the address of a database that can be written: a [Local], a [Client] or a [Peer]. The error is an
// [*Error].
func ParseDest(text string) (Address, error) {
	a, err := Parse(text)
	switch a := a.(type) {
	case Local:
		return a, nil
	case Client:
		return one(a, a.DB, text)
	case Peer:
		return one(a, a.DB, text)
	case Storage:
		return nil, refuse(text, errNoDest, tryDest(a))
	case Backup:
		return nil, notLocal(text)
	}
	return nil, err
}

// one refuses the asterisk where one database is wanted.
func one(a Address, db, text string) (Address, error) {
	if db == AllDatabases {
		return nil, refuse(text, errAll, "the name of one database")
	}
	return a, nil
}

// tryDest says how what lies in a storage is written.
func tryDest(a Storage) string {
	sep := "?"
	if strings.Contains(a.shown, "?") {
		sep = "&"
	}
	return a.String() + sep + viaPeer + ", for a clone that a transactor serves; dclone restore BACKUP STORAGE puts a backup there"
}

// parseLocal reads the address of a Datomic Local database. The error is an [*Error].
func parseLocal(text string) (Local, error) {
	path, err := parsePath(text)
	if err != nil {
		return Local{}, err
	}
	if filepath.IsAbs(path) {
		return fromDir(text, path)
	}
	names := strings.Split(path, "/")
	if path == "" || len(names) != 2 {
		return Local{}, refuse(text, errShape, Scheme+"SYSTEM/DB or "+Scheme+"/abs/storage-dir/SYSTEM/DB")
	}
	storage, err := storageDir(text)
	if err != nil {
		return Local{}, err
	}
	return Local{storage, names[0], names[1]}, nil
}

// fromDir takes the last two names of a path for system and database.
func fromDir(text, path string) (Local, error) {
	a := Local{DB: filepath.Base(path)}
	path = filepath.Dir(path)
	a.System, a.Storage = filepath.Base(path), filepath.Dir(path)
	if a.Storage == path {
		return Local{}, refuse(text, errShape, Scheme+"/abs/storage-dir/SYSTEM/DB")
	}
	if a.Storage == filepath.Dir(a.Storage) {
		return Local{}, refuse(text, errRoot, Scheme+a.System+"/"+a.DB+", or a whole path: "+Scheme+"/abs/storage-dir/SYSTEM/DB")
	}
	return a, nil
}

// ParsePlace reads the address of a database or of a directory that holds databases, which no
// spelling tells apart, and returns its path.
func ParsePlace(text string) (string, error) {
	path, err := parsePath(text)
	if err != nil || filepath.IsAbs(path) {
		return path, err
	}
	if strings.Count(path, "/") > 1 {
		return "", refuse(text, errRelative, Scheme+"/abs/storage-dir, "+Scheme+"SYSTEM or "+Scheme+"SYSTEM/DB")
	}
	storage, err := storageDir(text)
	if err != nil {
		return "", err
	}
	return filepath.Join(storage, path), nil
}

// parsePath returns what follows the scheme: a clean absolute path, or names that are relative to
// the storage-dir of the user, "" where there is nothing.
func parsePath(text string) (string, error) {
	path, ok := strings.CutPrefix(text, Scheme)
	if !ok {
		return "", notLocal(text)
	}
	if strings.ContainsRune(path, 0) {
		return "", refuse(text, errZero, "")
	}
	if strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///") {
		rest := strings.TrimLeft(path, "/")
		return "", refuse(text, errSlashes, Scheme+"/"+rest+" for a path, "+Scheme+rest+" for a name")
	}
	if strings.HasPrefix(path, "/") {
		return filepath.Clean(path), nil
	}
	if path == "" {
		return "", nil
	}
	path = strings.TrimRight(path, "/")
	for name := range strings.SplitSeq(path, "/") {
		switch name {
		case "", ".", "..":
			return "", refuse(text, errRelative, Scheme+"/abs/storage-dir/SYSTEM/DB")
		case "~":
			return "", refuse(text, errTilde, Scheme+`"$HOME"/…`)
		}
	}
	return path, nil
}

var (
	errShape    = errors.New("it does not name a storage-dir, a system and a database")
	errRoot     = errors.New("its storage-dir would be the root of the file system")
	errRelative = errors.New("a storage-dir must be an absolute path")
	errSlashes  = errors.New("two slashes do not tell a path from a name")
	errAll      = errors.New("the asterisk stands for all databases")
	errNoDest   = errors.New("it is " + kindStorage + ", which is not written to directly: its transactor would not know")
	errTilde    = errors.New("the shell does not expand ~ behind a colon")
)
