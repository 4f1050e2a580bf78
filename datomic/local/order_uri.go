package local

import (
	"bytes"
	"cmp"
	"net/netip"
	"unicode"
)

// compareURI orders the texts of two URIs as java.net.URI's compareTo does in Java 17 to 25:
//
//	the scheme, A as a
//	hierarchical URIs before opaque ones
//	of an opaque one, the rest up to the fragment
//	of two whose authority is that of a server: user info, host (A as a), port
//	of others the authority
//	path, query, fragment
//
// What is absent comes before what is there, be it empty. Where it does not say "A as a", units
// are compared, but the digits of two escapes (%4A) as if they were in lower case. What Java does
// not take for a URI comes last.
//
// Three things make this less than an order of all URIs; uriCertain knows them. A registry-based
// authority (one that names no server, as in http://under_score/) is compared with case, servers
// are compared without, so there can be a circle. To Java, which subtracts, a port of 2147483647
// and none are each less than the other; here none comes first. And Java 8 and 11 compare the
// digits of escapes as they are.
func compareURI(a, b []byte) int {
	x, okx := parseURI(a)
	y, oky := parseURI(b)
	if !okx || !oky {
		if okx == oky {
			return bytes.Compare(a, b)
		}
		if okx {
			return -1
		}
		return 1
	}
	if c := comparePart(x.scheme, y.scheme, foldCase); c != 0 {
		return c
	}
	if x.opaque != nil || y.opaque != nil {
		return cmp.Or(comparePart(x.opaque, y.opaque, foldEscapes), comparePart(x.fragment, y.fragment, foldEscapes))
	}
	return cmp.Or(
		compareAuthority(&x, &y),
		comparePart(x.path, y.path, foldEscapes),
		comparePart(x.query, y.query, foldEscapes),
		comparePart(x.fragment, y.fragment, foldEscapes),
	)
}

// uriCertain reports whether a URI has the same place among others whatever they are, escapes
// excepted: it has a server or no authority, and no port of 2147483647.
func uriCertain(text []byte) bool {
	u, ok := parseURI(text)
	return ok && u.port != maxPort && (u.authority == nil || u.host != nil) && ipv6Certain(u.host)
}

// escapeCases reports whether the escapes of a URI have small letters, and capital ones.
func escapeCases(text []byte) (small, capital bool) {
	for i, c := range text {
		if c != '%' || i+2 >= len(text) {
			continue
		}
		for _, digit := range text[i+1 : i+3] {
			small = small || digit >= 'a'
			capital = capital || digit >= 'A' && digit < 'a'
		}
	}
	return small, capital
}

// ipv6Certain reports whether host is no IPv6 address or one that Java takes for one. It denies
// scopes, and forms that are hardly met.
func ipv6Certain(host []byte) bool {
	if len(host) == 0 || host[0] != '[' {
		return true
	}
	address, err := netip.ParseAddr(string(host[1 : len(host)-1]))
	return err == nil && address.Is6() && address.Zone() == ""
}

func compareAuthority(x, y *uri) int {
	if x.host == nil || y.host == nil {
		return comparePart(x.authority, y.authority, foldEscapes)
	}
	return cmp.Or(
		comparePart(x.userInfo, y.userInfo, foldEscapes),
		comparePart(x.host, y.host, foldCase),
		cmp.Compare(x.port, y.port),
	)
}

// A folding tells which bytes of a part are compared with A as a.
type folding int

const (
	foldEscapes folding = iota // the digits of escapes
	foldCase                   // all
)

// comparePart orders parts of URIs, an absent one first.
func comparePart(a, b []byte, fold folding) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	folded := 0 // how many of the next bytes are compared with A as a
	for i := range min(len(a), len(b)) {
		c, d := a[i], b[i]
		if fold == foldCase || folded > 0 {
			c, d = toLower(c), toLower(d)
			folded--
		}
		if c != d {
			return cmp.Compare(c, d)
		}
		if c == '%' {
			folded = 2
		}
	}
	return cmp.Compare(len(a), len(b))
}

func toLower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// A uri is the parts of a java.net.URI. A part that is absent is nil.
type uri struct {
	scheme    []byte
	opaque    []byte // of an opaque URI, what is between scheme and fragment
	authority []byte // server or registry
	userInfo  []byte
	host      []byte // nil where the authority names no server
	port      int32  // -1 where there is none
	path      []byte // not nil in a hierarchical URI
	query     []byte
	fragment  []byte
}

const maxPort = 1<<31 - 1

// parseURI takes the text of a URI apart as java.net.URI does. It is not ok where Java would
// refuse it, but what is between the brackets of an IPv6 address is not looked at.
func parseURI(text []byte) (u uri, ok bool) {
	u.port = -1
	rest := text
	if rest == nil {
		rest = []byte{}
	}
	if i := bytes.IndexByte(rest, '#'); i >= 0 {
		u.fragment, rest = rest[i+1:], rest[:i]
	}
	if i := bytes.IndexAny(rest, ":/?"); i >= 0 && rest[i] == ':' {
		u.scheme, rest = rest[:i], rest[i+1:]
		if i == 0 || !isAlpha(u.scheme[0]) || !all(u.scheme, inScheme) {
			return u, false
		}
		if len(rest) == 0 || rest[0] != '/' {
			u.opaque = rest
			return u, len(rest) > 0 && all(rest, inURI) && all(u.fragment, inURI)
		}
	}
	return u, u.parseHierarchical(rest) && all(u.fragment, inURI)
}

func (u *uri) parseHierarchical(rest []byte) bool {
	if after, ok := bytes.CutPrefix(rest, []byte("//")); ok {
		n := bytes.IndexAny(after, "/?")
		if n < 0 {
			n = len(after)
		}
		if n > 0 && !u.parseAuthority(after[:n]) {
			return false
		}
		if len(after) == 0 && u.fragment == nil {
			return false
		}
		rest = after[n:]
	}
	if i := bytes.IndexByte(rest, '?'); i >= 0 {
		u.query, rest = rest[i+1:], rest[:i]
	}
	u.path = rest
	return all(u.path, inPath) && all(u.query, inURI)
}

// parseAuthority takes a for a server, and where it is none for a registry's name.
func (u *uri) parseAuthority(a []byte) bool {
	u.authority = a
	n, wellFormed := span(a, inRegistry)
	if !wellFormed {
		return false
	}
	if all(a, inServer) && u.parseServer(a) {
		return true
	}
	u.userInfo, u.host, u.port = nil, nil, -1
	return n == len(a)
}

func (u *uri) parseServer(a []byte) bool {
	if i := bytes.IndexByte(a, '@'); i >= 0 {
		u.userInfo, a = a[:i], a[i+1:]
		if !all(u.userInfo, inUserInfo) {
			return false
		}
	}
	n := hostLen(a)
	u.host, a = a[:n], a[n:]
	if n == 0 || len(a) == 0 {
		return n > 0
	}
	return a[0] == ':' && u.parsePort(a[1:])
}

// parsePort reads a port, which may be nothing.
func (u *uri) parsePort(digits []byte) bool {
	port := int64(-1)
	for i, c := range digits {
		if i == 0 {
			port = 0
		}
		port = port*10 + int64(c) - '0'
		if !isDigit(c) || port > maxPort {
			return false
		}
	}
	u.port = int32(port)
	return true
}

// hostLen returns the length of the host that a begins with, 0 where there is none.
func hostLen(a []byte) int {
	if len(a) > 0 && a[0] == '[' {
		if n := bytes.IndexByte(a, ']'); n > 1 {
			return n + 1
		}
		return 0
	}
	if n := ipv4Len(a); n > 0 && (n == len(a) || a[n] == ':') {
		return n
	}
	return hostnameLen(a)
}

// ipv4Len returns the length of the digits and dots that a begins with, 0 where they are no IPv4
// address.
func ipv4Len(a []byte) int {
	n := 0
	for octet := range 4 {
		if octet > 0 {
			if n == len(a) || a[n] != '.' {
				return 0
			}
			n++
		}
		value, first := 0, n
		for n < len(a) && isDigit(a[n]) && value <= 255 {
			value = value*10 + int(a[n]-'0')
			n++
		}
		if n == first || value > 255 {
			return 0
		}
	}
	if n < len(a) && a[n] == '.' {
		return 0
	}
	return n
}

// hostnameLen returns the length of a hostname that a begins with: labels of letters, digits and
// dashes between them, the last of several beginning with a letter, perhaps a dot at the end.
func hostnameLen(a []byte) int {
	n, label := 0, -1
	for n < len(a) && isAlphanumeric(a[n]) {
		label = n
		for n < len(a) && (isAlphanumeric(a[n]) || a[n] == '-') {
			n++
		}
		if a[n-1] == '-' {
			return 0
		}
		if n == len(a) || a[n] != '.' {
			break
		}
		n++
	}
	if label < 0 || label > 0 && !isAlpha(a[label]) || n < len(a) && a[n] != ':' {
		return 0
	}
	return n
}

// A charClass is a set of ASCII characters. All but inScheme are understood to hold escapes, and
// the characters beyond ASCII that are to be seen.
type charClass uint8

const (
	inScheme charClass = 1 << iota
	inURI              // opaque part, query, fragment
	inPath
	inUserInfo
	inRegistry
	inServer
)

var charClasses = func() (classes [128]charClass) {
	add := func(class charClass, chars string) {
		for _, c := range chars {
			classes[c] |= class
		}
	}
	for c := range byte(128) {
		if isAlphanumeric(c) {
			classes[c] = inScheme | inURI | inPath | inUserInfo | inRegistry | inServer
		}
	}
	add(inScheme, "+-.")
	add(inURI|inPath|inUserInfo|inRegistry|inServer, "-_.!~*'():&=+$,;")
	add(inURI|inPath|inRegistry|inServer, "@")
	add(inURI|inPath, "/")
	add(inURI|inServer, "[]")
	add(inURI, "?")
	add(inServer, "%")
	return classes
}()

// span returns how many bytes at the head of b are of class. It is not well-formed where a % that
// class does not hold begins no escape.
func span(b []byte, class charClass) (n int, wellFormed bool) {
	for n < len(b) {
		switch c := b[n]; {
		case c < 0x80 && charClasses[c]&class != 0:
			n++
		case class == inScheme:
			return n, true
		case c == '%':
			if len(b) < n+3 || !isHex(b[n+1]) || !isHex(b[n+2]) {
				return n, false
			}
			n += 3
		default:
			size := visibleLen(b[n:])
			if size == 0 {
				return n, true
			}
			n += size
		}
	}
	return n, true
}

func all(b []byte, class charClass) bool {
	n, _ := span(b, class)
	return n == len(b)
}

// visibleLen returns the length of the UTF-16 unit that b begins with if it is beyond ASCII and
// neither control nor space, else 0.
func visibleLen(b []byte) int {
	var unit rune
	n := 0
	switch {
	case len(b) >= 2 && b[0] >= 0xc2 && b[0] <= 0xdf && b[1]&0xc0 == 0x80:
		unit, n = rune(b[0]&0x1f)<<6|rune(b[1]&0x3f), 2
	case len(b) >= 3 && b[0] >= 0xe0 && b[0] <= 0xef && b[1]&0xc0 == 0x80 && b[2]&0xc0 == 0x80:
		unit, n = rune(b[0]&0x0f)<<12|rune(b[1]&0x3f)<<6|rune(b[2]&0x3f), 3
	}
	if unit <= 0x9f || unicode.Is(unicode.Z, unit) {
		return 0
	}
	return n
}

func isDigit(c byte) bool        { return '0' <= c && c <= '9' }
func isAlpha(c byte) bool        { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isAlphanumeric(c byte) bool { return isAlpha(c) || isDigit(c) }
func isHex(c byte) bool          { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }
