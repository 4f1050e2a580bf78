package address

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"dclone"
	"dclone/edn"
)

const (
	schemeClient = "client:"
	clientUsage  = schemeClient + "FILE.edn#DB, or " + schemeClient + "{:server-type … }#DB, in quotes"
	// clientLocalUsage is what the map of Datomic Local holds.
	clientLocalUsage = schemeClient + `{:server-type :datomic-local :storage-dir "/abs/storage-dir" :system "SYSTEM"}#DB`
	// maxClientMap is the size that an argument map may have.
	maxClientMap = 1 << 20
)

// A Client names a database as Datomic's client library has it: by the argument map of a client, and the database's
// name, or with AllDatabases all of them. It may hold secrets, which only Arg gives away.
type Client struct {
	DB    string
	arg   string // secrets that are not known are left out
	shown string // the map, or the path of the file in which it is
	dir   string

	host, identity string
}

// Arg returns the argument map as EDN, secrets included.
func (a Client) Arg() string { return a.arg }

// String returns the canonical form, without secrets. A file's path stands for what is in it.
func (a Client) String() string { return schemeClient + a.shown + "#" + a.DB }

// GoString is String: a secret is not shown by %#v either.
func (a Client) GoString() string { return a.String() }

// Kind says what is named.
func (a Client) Kind() string { return kindClient }

// Dir returns the database's directory, where it is Datomic Local's, and "" where it is not or nobody knows.
func (a Client) Dir() string { return a.dir }

// Named returns the address of a database of the same client.
func (a Client) Named(db string) Client {
	if a.dir != "" {
		a.dir = filepath.Join(filepath.Dir(a.dir), db)
	}
	a.identity = strings.TrimSuffix(a.identity, a.DB) + db
	a.DB = db
	return a
}

// clientName is what can stand behind the #: what a map or a path cannot end with.
var clientName = regexp.MustCompile(`^[\pL\pN_.+!$%~*-]*[\pL\pN_+!$%~-]$`)

// parseClient reads a client's address. The last # ends the map, or the path.
func parseClient(text string) (Client, error) {
	where, db, found := cutLast(strings.TrimPrefix(text, schemeClient), "#")
	switch {
	case strings.ContainsRune(text, 0):
		return Client{}, refuse(text, errZero, "")
	case !found || db != AllDatabases && !clientName.MatchString(db):
		return Client{}, refuse(text, errNoHash, clientUsage)
	case strings.HasPrefix(strings.TrimSpace(where), "{"):
		return clientMap(text, where, db, "")
	case strings.HasPrefix(where, "~"):
		return Client{}, refuse(text, errTilde, schemeClient+`"$HOME"/…`)
	case where == "":
		return Client{}, refuse(text, errNoMap, clientUsage)
	}
	path := absolute(where)
	content, err := readMap(path)
	if err != nil {
		return Client{}, refuse(text, fmt.Errorf("read argument map: %w", err), clientUsage)
	}
	return clientMap(text, content, db, path)
}

// readMap reads a file that may hold an argument map.
func readMap(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxClientMap+1))
	if len(b) > maxClientMap {
		err = fmt.Errorf("%s is longer than any argument map", path)
	}
	return string(b), err
}

// clientMap reads an argument map, which was found at path, or nowhere but in the address.
func clientMap(text, content, db, path string) (Client, error) {
	v, err := edn.Parse([]byte(content))
	if err != nil {
		return Client{}, refuse(text, fmt.Errorf("read argument map: %w", plainSyntax(err)), clientUsage)
	}
	m, ok := v.(edn.Map)
	if !ok {
		return Client{}, refuse(text, errNoMap, clientUsage)
	}
	server, _ := m.Get(dclone.Kw("", "server-type"))
	kw, ok := server.(dclone.Keyword)
	if !ok {
		return Client{}, refuse(text, errServerType, clientUsage)
	}
	a := Client{DB: db, shown: path, arg: string(edn.Append(nil, withoutHidden(m))), host: clientHost(m, kw.String()),
		identity: clientIdentity(m, db)}
	if path == "" {
		a.shown = string(edn.Append(nil, hideSecrets(m)))
	}
	switch a.dir, err = localDir(m, kw.String(), db); err {
	case nil:
		return a, nil
	case errMemory:
		return Client{}, refuse(text, err, tryMem)
	default:
		return Client{}, refuse(text, err, clientLocalUsage)
	}
}

// plainSyntax says where a map is malformed, without what stands there: it may be a secret.
func plainSyntax(err error) error {
	var bad *edn.SyntaxError
	if errors.As(err, &bad) {
		at := fmt.Errorf("it is not EDN from line %d, column %d on", bad.Line, bad.Column)
		if strings.HasSuffix(bad.Msg, " is not closed") {
			return fmt.Errorf("%w: %s", at, bad.Msg)
		}
		return at
	}
	return errors.New("it is not EDN")
}

// isLocalServer reports whether a :server-type is Datomic Local's.
func isLocalServer(server string) bool { return server == ":datomic-local" || server == ":dev-local" }

// localDir returns the directory of a database of Datomic Local.
func localDir(m edn.Map, server, db string) (string, error) {
	if !isLocalServer(server) {
		return "", nil
	}
	dir, _ := m.Get(dclone.Kw("", "storage-dir"))
	if dir == dclone.Kw("", "mem") {
		return "", errMemory
	}
	name, ok := text(m, "system")
	if !ok {
		return "", errSystem
	}
	storage, ok := dir.(string)
	if ok && !filepath.IsAbs(storage) {
		return "", errRelativeDir
	}
	if !ok {
		if storage, _ = storageDir(""); storage == "" {
			return "", nil // Datomic says so
		}
	}
	return filepath.Join(storage, name, db), nil
}

// secretKey is in the names of what holds secrets in a map.
var secretKey = regexp.MustCompile(`(?i)passw|passphrase|pwd|secret|token|credential|access[-_]?key`)

// isSecret reports whether what a map has under a key is a secret.
func isSecret(key any) bool { return secretKey.Match(edn.Append(nil, key)) }

// hideSecrets replaces the secrets in a value.
func hideSecrets(v any) any {
	return mapEntries(v, func(e edn.Entry) (edn.Entry, bool) {
		if isSecret(e.Key) {
			e.Value = hidden
		}
		return e, true
	}, Redact)
}

// withoutHidden leaves out what only asterisks stand for.
func withoutHidden(v any) any {
	return mapEntries(v, func(e edn.Entry) (edn.Entry, bool) {
		return e, !isSecret(e.Key) || e.Value != hidden
	}, func(s string) string { return s })
}

// mapEntries makes the same value of other entries and strings.
func mapEntries(v any, entry func(edn.Entry) (edn.Entry, bool), text func(string) string) any {
	again := func(v any) any { return mapEntries(v, entry, text) }
	all := func(of []any) []any {
		made := make([]any, len(of))
		for i, v := range of {
			made[i] = again(v)
		}
		return made
	}
	switch v := v.(type) {
	case edn.Map:
		made := edn.Map{}
		for _, e := range v {
			if e, keep := entry(e); keep {
				made = append(made, edn.Entry{Key: e.Key, Value: again(e.Value)})
			}
		}
		return made
	case edn.Vector:
		return edn.Vector(all(v))
	case edn.List:
		return edn.List(all(v))
	case edn.Set:
		return edn.Set(all(v))
	case edn.Tagged:
		return edn.Tagged{Tag: v.Tag, Value: again(v.Value)}
	case string:
		return text(v)
	}
	return v
}

var (
	errNoHash      = errors.New("it does not name a database: # and a name belong behind the argument map")
	errNoMap       = errors.New("it holds no argument map of Datomic's client library")
	errServerType  = errors.New("its argument map has no :server-type, a keyword")
	errSystem      = errors.New("its argument map has no :system, a string")
	errRelativeDir = errors.New("its :storage-dir is not absolute, which Datomic Local refuses")
	errMemory      = errors.New("its :storage-dir is :mem, and databases in memory cannot be read")
)
