package kvs

import (
	"cmp"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

const scheme = "jdbc:postgresql:"

// A target is what a JDBC URL says, as org.postgresql.Driver reads it. It holds the password.
type target struct {
	hosts    []host // none where the URL leaves it to PGHOST
	database string
	params   map[string]string // by their names in JDBC
}

// A host is a server. Its port is "" where the URL leaves it to PGPORT.
type host struct{ name, port string }

func (h host) String() string {
	if h.port != "" {
		return net.JoinHostPort(h.name, h.port)
	}
	if strings.Contains(h.name, ":") {
		return "[" + h.name + "]"
	}
	return h.name
}

// String returns the URL without parameters, which is without passwords.
func (t *target) String() string {
	var hosts []string
	for _, h := range t.hosts {
		hosts = append(hosts, h.String())
	}
	return scheme + "//" + strings.Join(hosts, ",") + "/" + url.PathEscape(t.database)
}

// parseURL reads jdbc:postgresql://host:port,host:port/database?key=value&key=value, and the short forms
// that leave out hosts or database.
func parseURL(text string) (*target, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), scheme)
	if !ok {
		return nil, badAddress("it does not begin with %s//, and PostgreSQL is the one SQL storage that dclone reads", scheme)
	}
	rest, query, _ := strings.Cut(rest, "?")
	t := &target{}
	var err error
	if authority, ok := strings.CutPrefix(rest, "//"); ok {
		authority, rest, _ = strings.Cut(authority, "/")
		if t.hosts, err = parseHosts(authority); err != nil {
			return nil, err
		}
	} else {
		rest = strings.TrimPrefix(rest, "/")
	}
	if t.database, err = url.QueryUnescape(rest); err != nil || strings.ContainsRune(t.database, 0) {
		return nil, badAddress("the name of the database is badly escaped")
	}
	if strings.ContainsAny(rest, ";&") {
		return nil, badAddress("the name of the database ends with a question mark, and an ampersand parts the parameters behind it")
	}
	t.params, err = parseParams(query)
	return t, err
}

func parseHosts(authority string) (hosts []host, err error) {
	if strings.Contains(authority, "@") {
		return nil, badAddress("user and password belong behind the database, as ?user=…&password=…")
	}
	if authority == "" {
		return nil, nil
	}
	for i, part := range strings.Split(authority, ",") {
		h := host{name: part}
		if at := strings.LastIndexByte(part, ':'); at > strings.LastIndexByte(part, ']') {
			h = host{part[:at], part[at+1:]}
			if n, err := strconv.ParseUint(h.port, 10, 16); err != nil || n == 0 {
				return nil, badAddress("the port of host %d is no number from 1 to 65535", i+1)
			}
		}
		h.name = strings.TrimSuffix(strings.TrimPrefix(h.name, "["), "]")
		if h.name == "" || strings.ContainsAny(h.name, "/\x00") {
			return nil, badAddress("host %d has no name", i+1)
		}
		hosts = append(hosts, h)
	}
	return hosts, nil
}

func parseParams(query string) (map[string]string, error) {
	params := map[string]string{}
	for i, part := range strings.Split(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, badEscape(i, "")
		}
		if params[name], err = url.QueryUnescape(value); err != nil || strings.ContainsRune(params[name], 0) {
			return nil, badEscape(i, name)
		}
	}
	return params, nil
}

// badEscape names a parameter if the name is known; others may be the rest of a password.
func badEscape(i int, name string) error {
	if same[name] == "" {
		return badAddress("parameter %d is badly escaped: %%25 stands for a percent sign", i+1)
	}
	return badAddress("parameter %d, %s, is badly escaped: %%25 stands for a percent sign", i+1, name)
}

// same are the parameters that libpq, and with it pgx, has too; by the names it has for them.
var same = map[string]string{
	"user": "user", "password": "password",
	"sslmode": "sslmode", "sslcert": "sslcert", "sslkey": "sslkey", "sslrootcert": "sslrootcert",
	"sslpassword": "sslpassword", "sslNegotiation": "sslnegotiation", "channelBinding": "channel_binding",
	"requireAuth": "require_auth", "service": "service", "options": "options", "currentSchema": "search_path",
	"connectTimeout": "connect_timeout",
}

// targets are the servers that targetServerType asks for. A session of ours is read only by its own
// wish, so whether a server is a primary must not be told by that.
var targets = map[string]string{
	"any": "any", "preferprimary": "any",
	"primary": "primary", "master": "primary",
	"secondary": "standby", "slave": "standby",
	"prefersecondary": "prefer-standby", "preferslave": "prefer-standby",
}

// settings returns the parameters as libpq has them. Parameters that only tune the JDBC driver are left
// out, as are those nobody knows, which that driver passes over too; those that would lead to another
// server, or to another way of proving who one is, are refused.
func (t *target) settings() (map[string]string, error) {
	s := map[string]string{"application_name": "dclone"}
	for jdbc, libpq := range same {
		if v, ok := t.params[jdbc]; ok && (v != "" || jdbc == "password") {
			s[libpq] = v
		}
	}
	if t.database != "" {
		s["dbname"] = t.database
	}
	t.places(s)
	if err := t.encryption(s); err != nil {
		return nil, err
	}
	return s, t.server(s)
}

// places does what hosts and ports say. Where no host has a port, PGPORT counts, as for libpq.
func (t *target) places(s map[string]string) {
	var hosts, ports []string
	given := false
	for _, h := range t.hosts {
		hosts, ports = append(hosts, h.name), append(ports, cmp.Or(h.port, "5432"))
		given = given || h.port != ""
	}
	switch {
	case len(hosts) > 0:
		s["host"] = strings.Join(hosts, ",")
	case os.Getenv("PGHOST") == "":
		s["host"] = "localhost"
	}
	if given {
		s["port"] = strings.Join(ports, ",")
	}
}

// encryption does what ssl and sslfactory say.
func (t *target) encryption(s map[string]string) error {
	ssl, ok := t.params["ssl"]
	if ok && (ssl == "" || strings.EqualFold(ssl, "true")) && s["sslmode"] == "" {
		s["sslmode"] = "verify-full"
	}
	if s["sslmode"] != "" {
		s["sslmode"] = strings.ToLower(s["sslmode"])
	}
	switch factory := t.params["sslfactory"]; factory[strings.LastIndexByte(factory, '.')+1:] {
	case "", "LibPQFactory", "DefaultJavaSSLFactory":
	case "NonValidatingFactory":
		if s["sslmode"] != "disable" {
			s["sslmode"] = "require"
		}
	default:
		return badAddress("it asks for an sslfactory, a class of Java; sslmode and sslrootcert can say the same")
	}
	return nil
}

// server does what targetServerType says, and refuses what would need Java.
func (t *target) server(s map[string]string) error {
	for _, name := range []string{"socketFactory", "authenticationPluginClassName"} {
		if t.params[name] != "" {
			return badAddress("it asks for a %s, a class of Java; give host, user and password instead", name)
		}
	}
	if strings.EqualFold(t.params["gssEncMode"], "require") {
		return badAddress("it asks for gssEncMode=require, which dclone does not have; sslmode encrypts too")
	}
	switch os.Getenv("PGTARGETSESSIONATTRS") {
	case "read-write":
		s["target_session_attrs"] = "primary"
	case "read-only":
		s["target_session_attrs"] = "any"
	}
	if want := t.params["targetServerType"]; want != "" {
		attrs, ok := targets[strings.ToLower(want)]
		if !ok {
			return badAddress("its targetServerType is none of any, primary, secondary, preferPrimary and preferSecondary")
		}
		s["target_session_attrs"] = attrs
	}
	return nil
}

// pooled reports whether the URL says, as it has to, that a pooler lends each transaction another
// session: nothing may be kept in a session then.
func (t *target) pooled() bool {
	return t.params["prepareThreshold"] == "0" || t.params["preferQueryMode"] == "simple"
}

// dsn writes settings as libpq reads them.
func dsn(settings map[string]string) string {
	var b strings.Builder
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		b.WriteString(name + "='" + escape.Replace(settings[name]) + "' ")
	}
	return b.String()
}
