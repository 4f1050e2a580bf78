package address

import (
	"regexp"
	"strings"
)

// clientStart is where the argument map of a client begins.
var clientStart = regexp.MustCompile(`(?i)\bclient:\s*\{`)

// redactClients hides the secrets in the argument maps of clients. What is not understood is hidden up to its end.
func redactClients(text string) string {
	var b strings.Builder
	for {
		at := clientStart.FindStringIndex(text)
		if at == nil {
			return b.String() + text
		}
		b.WriteString(text[:at[1]])
		m := mapText{rest: text[at[1]:], quote: `"`}
		if q := strings.IndexByte(m.rest, '"'); q > 0 && m.rest[q-1] == '\\' {
			m.quote = `\"` // it was quoted as a whole
		}
		b.WriteString(m.redact())
		text = m.rest
	}
}

// A mapText is the text of a map, from behind its brace.
type mapText struct {
	rest  string
	quote string // how a quotation mark is written
}

// redact returns the map without secrets, and leaves in rest what is behind it.
func (m *mapText) redact() string {
	var b strings.Builder
	secret := false // the next value is one
	depth := 1
	for depth > 0 && m.rest != "" {
		token, ok := m.next()
		open, end := strings.ContainsAny(token, "{[("), strings.ContainsAny(token, "}])")
		switch {
		case strings.Trim(token, " \t\r\n,") == "" && ok:
			b.WriteString(token)
			continue
		case secret && ok && strings.HasPrefix(token, m.quote):
			token = m.quote + hidden + m.quote
			secret = false
		case secret && ok && !open && !end && token[0] != '#':
			token, secret = hidden, false
		case secret && strings.HasPrefix(token, m.quote):
			m.rest = ""
			return b.String() + m.quote + hidden + m.quote + closed(depth)
		case !ok || secret && !end:
			m.rest = ""
			return b.String() + hidden + closed(depth)
		case len(token) == 1 && open:
			depth++
		case len(token) == 1 && end:
			depth--
			secret = false
		default:
			secret = secretKey.MatchString(token)
		}
		b.WriteString(token)
	}
	if depth > 0 {
		b.WriteString(hidden + closed(depth))
	}
	return b.String()
}

// closed ends a map, so that what a sentence says behind it is none of it.
func closed(depth int) string { return strings.Repeat("}", depth) }

// next takes a token off: blanks, a bracket, a string with its quotation marks, or anything else up to one of these. It
// is not ok where that is no EDN, or ends in the middle.
func (m *mapText) next() (token string, ok bool) {
	n, ok := m.length()
	token, m.rest = m.rest[:n], m.rest[n:]
	return token, ok
}

func (m *mapText) length() (n int, ok bool) {
	const blanks, brackets = " \t\r\n,", "{}[]()"
	switch {
	case strings.HasPrefix(m.rest, m.quote):
		return m.text()
	case strings.ContainsRune(brackets, rune(m.rest[0])):
		return 1, true
	case strings.ContainsRune(blanks, rune(m.rest[0])):
		return len(m.rest) - len(strings.TrimLeft(m.rest, blanks)), true
	}
	n = strings.IndexAny(m.rest, blanks+brackets+`";\`)
	if n < 0 {
		return len(m.rest), true
	}
	return n, n > 0 && !strings.ContainsRune(`";\`, rune(m.rest[n]))
}

// text returns the length of a string.
func (m *mapText) text() (n int, ok bool) {
	escape := `\`
	if m.quote != `"` {
		escape = `\\`
	}
	for n = len(m.quote); n < len(m.rest); {
		switch rest := m.rest[n:]; {
		case strings.HasPrefix(rest, escape):
			n += len(escape)
			switch rest := m.rest[n:]; {
			case strings.HasPrefix(rest, escape):
				n += len(escape)
			case strings.HasPrefix(rest, m.quote):
				n += len(m.quote)
			default:
				n++
			}
		case strings.HasPrefix(rest, m.quote):
			return n + len(m.quote), true
		default:
			n++
		}
	}
	return len(m.rest), false
}
