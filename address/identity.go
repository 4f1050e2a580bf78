package address

import (
	"cmp"
	"slices"
	"strings"

	"dclone/edn"
)

// Identity returns what all spellings of a database's address have in common: without secrets and the user's name, with
// the argument map of a client for the file it is in, whatever the order of keys and parameters. A database of Datomic
// Local is its directory, however it is reached. It is no address.
func Identity(a Address) string {
	switch a := a.(type) {
	case Client:
		if a.dir != "" {
			return Scheme + a.dir
		}
		return a.identity
	case Peer:
		return uriIdentity(a.shown)
	case Storage:
		return uriIdentity(a.String())
	}
	return a.String()
}

// uriIdentity is Identity of a peer's URI.
func uriIdentity(uri string) string {
	parts := strings.FieldsFunc(uri, func(r rune) bool { return strings.ContainsRune("?&;", r) })
	params := slices.DeleteFunc(parts[1:], func(param string) bool {
		name, _, named := strings.Cut(param, "=")
		return param == viaPeer || named && (name == "user" || secretName.MatchString(name))
	})
	slices.Sort(params)
	return parts[0] + "?" + strings.Join(params, "&")
}

// clientIdentity is Identity of an argument map and a database's name.
func clientIdentity(m edn.Map, db string) string {
	open := mapEntries(m, func(e edn.Entry) (edn.Entry, bool) { return e, !isSecret(e.Key) }, Redact).(edn.Map)
	slices.SortFunc(open, func(x, y edn.Entry) int {
		return cmp.Compare(string(edn.Append(nil, x.Key)), string(edn.Append(nil, y.Key)))
	})
	return schemeClient + string(edn.Append(nil, open)) + "#" + db
}
