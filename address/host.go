package address

import (
	"regexp"
	"slices"
	"strings"

	"dclone"
	"dclone/edn"
)

// localHosts are those that nobody else's database is on.
var localHosts = []string{"localhost", "127.0.0.1", "::1"}

// Host names where a live database is served, and reports whether that is this machine. The name is that of a host; of
// DynamoDB region/table; of a client the host of :endpoint, else :system, else :server-type. What lies on a disk is on
// this machine.
func Host(a Address) (name string, here bool) {
	switch a := a.(type) {
	case Client:
		return a.host, a.host == ""
	case Peer:
		name = peerHost(a.shown)
		return name, isHere(name)
	}
	return "", true
}

// isHere reports whether all of some hosts, which commas part, are this machine.
func isHere(hosts string) bool {
	for host := range strings.SplitSeq(hosts, ",") {
		if !slices.ContainsFunc(localHosts, func(local string) bool { return strings.EqualFold(host, local) }) {
			return false
		}
	}
	return true
}

// clientHost is Host of a client's argument map, "" where it is this machine.
func clientHost(m edn.Map, server string) string {
	if isLocalServer(server) {
		return ""
	}
	if endpoint, _ := text(m, "endpoint"); endpoint != "" {
		if name := hostOf(authority(endpoint)); !isHere(name) {
			return name
		}
		return ""
	}
	if system, _ := text(m, "system"); system != "" {
		return system
	}
	return strings.TrimPrefix(server, ":")
}

// text returns a string that a map has under a keyword.
func text(m edn.Map, key string) (string, bool) {
	v, _ := m.Get(dclone.Kw("", key))
	s, ok := v.(string)
	return s, ok
}

// peerHost is Host of a peer's URI.
func peerHost(uri string) string {
	scheme, rest, _ := strings.Cut(uri, "://")
	if scheme+":" == schemeStorage {
		_, jdbc, _ := strings.Cut(rest, "?")
		return jdbcHost(jdbc)
	}
	rest, _, _ = strings.Cut(rest, "?")
	if scheme == "datomic:ddb" {
		place, _, _ := cutLast(rest, "/")
		return place
	}
	return hostOf(authority(rest))
}

// oracleHost is where the driver of Oracle has hosts: behind the last @.
var oracleHost = regexp.MustCompile(`@/{0,2}([^:/?;]+)`)

// jdbcHost returns the hosts of a JDBC URL, or what the driver is told instead of any. PostgreSQL's takes none for
// localhost.
func jdbcHost(jdbc string) string {
	_, place, _ := strings.Cut(strings.TrimPrefix(jdbc, "jdbc:"), ":")
	place, _, _ = strings.Cut(place, "?")
	switch {
	case strings.HasPrefix(place, "//"):
		return hostOf(authority(place))
	case oracleHost.MatchString(place):
		found := oracleHost.FindAllStringSubmatch(place, -1)
		return found[len(found)-1][1]
	case strings.HasPrefix(jdbc, jdbcPostgres):
		return localHosts[0]
	}
	place, _, _ = strings.Cut(place, ";")
	return place
}

// authority returns what names hosts and ports in a URL, or in what is left of one.
func authority(url string) string {
	if _, rest, ok := strings.Cut(url, "//"); ok {
		url = rest
	}
	if end := strings.IndexAny(url, "/?;#"); end >= 0 {
		url = url[:end]
	}
	if _, host, ok := cutLast(url, "@"); ok {
		return host
	}
	return url
}

// hostOf returns the hosts of an authority, without ports.
func hostOf(authority string) string {
	hosts := strings.Split(authority, ",")
	for i, host := range hosts {
		if strings.HasPrefix(host, "[") {
			host, _, _ = strings.Cut(host[1:], "]")
		} else if strings.Count(host, ":") == 1 {
			host, _, _ = strings.Cut(host, ":")
		}
		hosts[i] = host
	}
	return strings.Join(hosts, ",")
}
