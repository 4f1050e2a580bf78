package address

import (
	"errors"
	"regexp"
	"strings"
)

const (
	schemePeer = "datomic:"
	schemeMem  = "datomic:mem:"
	memory     = "a database in the memory of a peer"
	viaPeer    = "via=peer"
	peerUsage  = "datomic:dev://host:4334/DB"
)

// A Peer names a database by the URI that peers connect to, to be reached through Datomic's peer library, or with
// AllDatabases all of them. It may hold a password, which only URI gives away.
type Peer struct {
	DB    string
	uri   string // a password that is not known is left out
	shown string
}

// URI returns what the peer library is told, password included.
func (a Peer) URI() string { return a.uri }

// String returns the URI, without passwords.
func (a Peer) String() string { return a.shown }

// GoString is String: a password is not shown by %#v either.
func (a Peer) GoString() string { return a.String() }

// Named returns the address of a database in the same place.
func (a Peer) Named(db string) Peer {
	return Peer{db, named(a.uri, db), named(a.shown, db)}
}

// named puts another name into a peer's URI.
func named(uri, db string) string {
	place, params, found := strings.Cut(uri, "?")
	before, _, _ := cutLast(place, "/")
	if found {
		db += "?" + params
	}
	return before + "/" + db
}

// Kind says what is named.
func (a Peer) Kind() string {
	k, _ := find(peers, a.shown)
	return k.what
}

// peerShape is what a peer's URI begins with.
var peerShape = regexp.MustCompile(`^datomic:[a-z][a-z0-9-]*://`)

// parsePeer reads a peer's URI. What Datomic makes of it is left to Datomic, but for the name of the database, which
// is what is behind the last slash that is before any question mark.
func parsePeer(text string) (Peer, error) {
	scheme := peerShape.FindString(text)
	place, _, _ := strings.Cut(strings.TrimPrefix(text, scheme), "?")
	_, db, slash := cutLast(place, "/")
	if !slash {
		db = place
	}
	switch {
	case strings.ContainsAny(text, "\x00\n\r"):
		return Peer{}, refuse(text, errControl, "")
	case strings.HasPrefix(text, schemeMem):
		return Peer{}, refuse(text, errMem, tryMem)
	case scheme == "" && peerShape.MatchString(strings.ToLower(text)):
		return Peer{}, refuse(text, errCase, strings.ToLower(text[:strings.Index(text, "//")])+text[strings.Index(text, "//"):])
	case scheme == "" || db == "":
		return Peer{}, refuse(text, errNoName, peerUsage)
	}
	return Peer{db, dropHidden(text), Redact(text)}, nil
}

// hiddenParam is a parameter whose value is not known.
var hiddenParam = regexp.MustCompile(`([?&;])[A-Za-z][\w.-]*=\*\*\*([&;]|$)`)

// dropHidden leaves out of a URI the parameters whose values only asterisks stand for.
func dropHidden(uri string) string {
	for {
		at := hiddenParam.FindStringSubmatchIndex(uri)
		if at == nil {
			return uri
		}
		before, after := uri[:at[2]], uri[at[1]:]
		if at[4] < at[5] {
			before += uri[at[2]:at[3]]
		}
		uri = before + after
	}
}

// cutVia takes the parameter that asks for the peer library off the URI of a storage.
func cutVia(text string) (rest string, found bool) {
	place, jdbc, _ := strings.Cut(text, "?")
	base, params, _ := strings.Cut(jdbc, "?")
	rest, sep := place+"?"+base, "?"
	for param := range strings.SplitSeq(params, "&") {
		if param == viaPeer {
			found = true
			continue
		}
		rest += sep + param
		sep = "&"
	}
	return rest, found
}

// parseVia reads the URI of a storage in PostgreSQL that is to be left to the peer library.
func parseVia(text string) (Peer, error) {
	s, err := parseStorage(text)
	if err != nil {
		return Peer{}, err
	}
	sep := "?"
	if strings.Contains(s.shown, "?") {
		sep = "&"
	}
	return Peer{s.DB, schemeStorage + "//" + s.DB + "?" + s.jdbc, s.String() + sep + viaPeer}, nil
}

// otherDriver reports whether the URI of a storage is of an SQL database that is not PostgreSQL.
func otherDriver(text string) bool {
	_, jdbc, _ := strings.Cut(text, "?")
	driver, ok := strings.CutPrefix(jdbc, "jdbc:")
	driver, _, colon := strings.Cut(driver, ":")
	return ok && colon && driver != "postgresql" && !strings.ContainsAny(driver, "/?&=@ ")
}

// parseSQL reads the URI of a storage in any SQL database.
func parseSQL(text string) (Address, error) {
	if rest, via := cutVia(text); via {
		return address(parseVia(rest))
	}
	if otherDriver(text) {
		return address(parsePeer(text))
	}
	return address(parseStorage(text))
}

var errMem = errors.New("it is " + memory + ", which no other process can read")
