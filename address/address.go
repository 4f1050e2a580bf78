package address

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Scheme is what the address of a Datomic Local database begins with, colon included.
const Scheme = "datomic-local:"

// An Address names a Datomic Local database. Its fields are never empty.
type Address struct {
	Storage string // absolute, clean
	System  string
	DB      string
}

// String returns the canonical form, which does not depend on ~/.datomic/local.edn.
func (a Address) String() string { return Scheme + a.Dir() }

// Dir returns the database's directory.
func (a Address) Dir() string { return filepath.Join(a.Storage, a.System, a.DB) }

// Parse reads the address of a database. The error is an [*Error].
func Parse(text string) (Address, error) {
	path, err := parsePath(text)
	if err != nil {
		return Address{}, err
	}
	if filepath.IsAbs(path) {
		return fromDir(text, path)
	}
	names := strings.Split(path, "/")
	if path == "" || len(names) != 2 {
		return Address{}, refuse(text, errShape, Scheme+"SYSTEM/DB or "+Scheme+"/abs/storage-dir/SYSTEM/DB")
	}
	storage, err := storageDir(text)
	if err != nil {
		return Address{}, err
	}
	return Address{storage, names[0], names[1]}, nil
}

// fromDir takes the last two names of a path for system and database.
func fromDir(text, path string) (Address, error) {
	a := Address{DB: filepath.Base(path)}
	path = filepath.Dir(path)
	a.System, a.Storage = filepath.Base(path), filepath.Dir(path)
	if a.Storage == path {
		return Address{}, refuse(text, errShape, Scheme+"/abs/storage-dir/SYSTEM/DB")
	}
	if a.Storage == filepath.Dir(a.Storage) {
		return Address{}, refuse(text, errRoot, Scheme+a.System+"/"+a.DB+", or a whole path: "+Scheme+"/abs/storage-dir/SYSTEM/DB")
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
		return "", otherScheme(text)
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
	errTilde    = errors.New("the shell does not expand ~ behind a colon")
	errZero     = errors.New("it holds a zero byte")
)

// An Error says why a text is no address that dclone can use.
type Error struct {
	Text string // without passwords
	Err  error
	Try  string // what to write instead, perhaps ""
}

func (e *Error) Error() string { return fmt.Sprintf("read address %q: %v", e.Text, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

func refuse(text string, err error, try string) error {
	return &Error{Redact(text), err, Redact(try)}
}
