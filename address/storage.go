package address

import (
	"errors"
	"strings"
)

const (
	schemeStorage = "datomic:sql:"
	jdbcPostgres  = "jdbc:postgresql:"
	storageUsage  = schemeStorage + "//DB?" + jdbcPostgres + "//host:5432/datomic?user=…&password=…"
)

// AllDatabases takes the place of a database's name where all are meant.
const AllDatabases = "*"

// A Storage names a database in Datomic Pro's storage in PostgreSQL, or with AllDatabases all of
// them. It may hold a password, which only JDBC gives away.
type Storage struct {
	DB   string
	jdbc string // a password that is not known is left out
	// shown is jdbc with asterisks for passwords, those that are left out among them.
	shown string
}

// JDBC returns the URL of PostgreSQL's JDBC driver, password included.
func (a Storage) JDBC() string { return a.jdbc }

// String returns the peer's URI, without passwords.
func (a Storage) String() string { return schemeStorage + "//" + a.DB + "?" + a.shown }

// GoString is String: a password is not shown by %#v either.
func (a Storage) GoString() string { return a.String() }

// Kind says what is named.
func (a Storage) Kind() string { return kindStorage }

// Named returns the address of a database in the same storage.
func (a Storage) Named(db string) Storage {
	a.DB = db
	return a
}

// parseStorage reads a peer's URI. Datomic decodes no sign of it, so that a question mark ends the name
// whatever it is, and PostgreSQL's driver decodes the values of the parameters.
func parseStorage(text string) (Storage, error) {
	rest := strings.TrimPrefix(text, schemeStorage)
	name, jdbc, _ := strings.Cut(rest, "?")
	db, ok := strings.CutPrefix(name, "//")
	base, params, _ := strings.Cut(jdbc, "?")
	switch {
	case strings.ContainsAny(text, "\x00\n\r"):
		return Storage{}, refuse(text, errControl, "")
	case !ok || db == "":
		return Storage{}, refuse(text, errNoName, schemeStorage+"//DB?"+orJDBC(jdbc)+", or * for DB to list them")
	case jdbc == "":
		return Storage{}, refuse(text, errNoJDBC, schemeStorage+"//"+db+"?"+jdbcPostgres+"//host:5432/datomic?user=…&password=…")
	case strings.HasPrefix(jdbc, "postgres:") || strings.HasPrefix(jdbc, "postgresql:"):
		return Storage{}, refuse(text, errNoJDBC, schemeStorage+"//"+db+"?"+jdbcPostgres+jdbc[strings.Index(jdbc, ":")+1:])
	case !strings.HasPrefix(jdbc, jdbcPostgres):
		return Storage{}, refuse(text, errNoJDBC, storageUsage)
	case strings.Contains(base, "@"):
		return Storage{}, refuse(text, errUserInfo, storageUsage)
	case strings.ContainsAny(base, "&;"):
		at := strings.IndexAny(jdbc, "&;")
		return Storage{}, refuse(text, errNoQuestion, schemeStorage+"//"+db+"?"+jdbc[:at]+"?"+strings.ReplaceAll(jdbc[at+1:], ";", "&"))
	case strings.HasPrefix(params, "t=") || strings.Contains(params, "&t="):
		return Storage{}, refuse(text, errStoragePoint, "a backup of it, which has some: file:/path/to/backup?t=T")
	case strings.Contains(params, "?"):
		return Storage{}, refuse(text, errQuestion, "%3F for a question mark in a user's name or a password")
	}
	known, shown, err := splitSecrets(jdbc)
	if err != nil {
		return Storage{}, refuse(text, err, "%26 for an ampersand in a password")
	}
	return Storage{db, known, shown}, nil
}

// orJDBC returns jdbc, or how one looks.
func orJDBC(jdbc string) string {
	if jdbc == "" {
		return jdbcPostgres + "//host:5432/datomic?user=…&password=…"
	}
	return jdbc
}

// splitSecrets returns a JDBC URL without the secrets that only asterisks stand for, and with
// asterisks for all of them.
func splitSecrets(jdbc string) (known, shown string, err error) {
	base, params, found := strings.Cut(jdbc, "?")
	if !found {
		return jdbc, jdbc, nil
	}
	secret := false
	var knownParams, shownParams []string
	for param := range strings.SplitSeq(params, "&") {
		name, value, ok := strings.Cut(param, "=")
		if secret && !(ok && paramName.MatchString(name)) {
			return "", "", errAmpersand // the rest of a password, most likely
		}
		if !secretName.MatchString(name) {
			knownParams, shownParams = append(knownParams, param), append(shownParams, param)
			continue
		}
		secret = true
		shownParams = append(shownParams, name+"="+hidden)
		if value != hidden {
			knownParams = append(knownParams, param)
		}
	}
	known, shown = base, base+"?"+strings.Join(shownParams, "&")
	if len(knownParams) > 0 {
		known += "?" + strings.Join(knownParams, "&")
	}
	return known, shown, nil
}

var (
	errNoName = errors.New("it does not name a database")
	errNoJDBC = errors.New("what follows the name of the database is no JDBC URL of PostgreSQL")
	// errNoQuestion is about what JDBC would take for the name of a database.
	errNoQuestion   = errors.New("there is an ampersand or a semicolon in the name of the PostgreSQL database; a question mark comes before the first parameter")
	errStoragePoint = errors.New("a storage has no restore points")
	errUserInfo     = errors.New("PostgreSQL's JDBC driver takes user and password as parameters, not before the host")
	errQuestion     = errors.New("there is a question mark among the parameters")
	errAmpersand    = errors.New("what follows an ampersand behind the password is no parameter")
	errControl      = errors.New("it holds a line break or a zero byte")
)
