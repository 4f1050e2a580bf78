package address

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"dclone"
)

// An Address names a database or a backup: it is a [Local], a [Directory], a [Bucket], a [Storage], a [Peer] or a [Client].
// Two are equal if and only if they are the same text in canonical form, passwords included.
type Address interface {
	// String returns the canonical form, without passwords. Read again, it is the same address,
	// but for them.
	String() string
	// Kind says in a few words what is named.
	Kind() string
}

// A Backup is an address that names a Datomic Pro backup.
type Backup interface {
	Address
	// Point returns the t of the restore point, and whether the address names one.
	Point() (t dclone.T, ok bool)
	// At returns the address of a restore point of the same backup, or with Newest that of none.
	At(t dclone.T) Backup
}

// Newest takes the place of a restore point's t where the address names none.
const Newest dclone.T = -1

// The words for what addresses name.
const (
	kindLocal     = "a Datomic Local database"
	kindDirectory = "a Datomic Pro backup in a directory"
	kindBucket    = "a Datomic Pro backup in S3"
	kindStorage   = "Datomic Pro storage in PostgreSQL"
	kindClient    = "a database of the Datomic client library"
)

// Parse reads an address. The error is an [*Error].
func Parse(text string) (Address, error) {
	switch {
	case strings.HasPrefix(text, Scheme):
		return address(parseLocal(text))
	case strings.HasPrefix(text, schemeDirectory):
		return address(parseDirectory(text))
	case strings.HasPrefix(text, schemeBucket):
		return address(parseBucket(text))
	case strings.HasPrefix(text, schemeStorage):
		return parseSQL(text)
	case strings.HasPrefix(text, schemePeer):
		return address(parsePeer(text))
	case strings.HasPrefix(text, schemeClient):
		return address(parseClient(text))
	}
	return nil, otherScheme(text)
}

// address makes an Address of one kind's, nil where there is an error.
func address[A Address](a A, err error) (Address, error) {
	if err != nil {
		return nil, err
	}
	return a, nil
}

// cutPoint takes the restore point off the address of a backup.
func cutPoint(text string) (rest string, t dclone.T, err error) {
	rest, params, found := cutLast(text, "?")
	if !found {
		return text, Newest, nil
	}
	digits, ok := strings.CutPrefix(params, "t=")
	n, bad := strconv.ParseInt(digits, 10, 64)
	if !ok || bad != nil || n < 0 || digits[0] == '+' || digits[0] == '-' {
		return "", 0, refuse(text, errPoint, rest+"?t=T, with a T that dclone list "+rest+" shows")
	}
	return rest, dclone.T(n), nil
}

// cutLast is strings.Cut at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// pointText is what cutPoint takes off.
func pointText(t dclone.T) string {
	if t == Newest {
		return ""
	}
	return "?t=" + t.String()
}

var (
	errPoint = errors.New("what follows the question mark is no restore point")
	errZero  = errors.New("it holds a zero byte")
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
