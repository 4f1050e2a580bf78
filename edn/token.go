package edn

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"dclone"
)

// leadingSpace returns the length of the one whitespace character at the start of b, or 0. A
// comma is whitespace, and so is what Java's Character.isWhitespace says.
func leadingSpace(b []byte) int {
	if b[0] < utf8.RuneSelf {
		if c := b[0]; c == ' ' || c == ',' || '\t' <= c && c <= '\r' || 0x1c <= c && c <= 0x1f {
			return 1
		}
		return 0
	}
	r, n := utf8.DecodeRune(b)
	noBreak := r == '\u00a0' || r == '\u2007' || r == '\u202f'
	if unicode.Is(unicode.Z, r) && !noBreak {
		return n
	}
	return 0
}

// The ASCII characters that end a token, and those that end a number too.
const (
	endsToken  = "\"\\;()[]{}^"
	endsNumber = endsToken + "#"
)

// span returns the text from the present position up to whitespace or a byte of ends, and passes
// over it.
func (p *parser) span(ends string) string {
	rest := p.b[p.pos:]
	n := 0
	for n < len(rest) && strings.IndexByte(ends, rest[n]) < 0 && leadingSpace(rest[n:]) == 0 {
		_, size := utf8.DecodeRune(rest[n:])
		n += size
	}
	p.pos += n
	return string(rest[:n])
}

// token reads the characters of a symbol, keyword or tag.
func (p *parser) token() (string, error) {
	start := p.pos
	token := p.span(endsToken)
	if i := strings.IndexAny(token, "@`~\uFEFF"); i >= 0 {
		return "", p.errorf(start+i, "%q is in no EDN token", []rune(token[i:])[0])
	}
	return token, nil
}

// atom reads a number, a symbol, a keyword, nil, true or false.
func (p *parser) atom() (any, error) {
	start := p.pos
	if c := p.at(0); isDigit(c) || (c == '+' || c == '-') && isDigit(p.at(1)) {
		v, problem := parseNumber(p.span(endsNumber))
		if problem != "" {
			return nil, p.errorf(start, "%s", problem)
		}
		return v, nil
	}
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	switch token {
	case "nil":
		return nil, nil
	case "true", "false":
		return token == "true", nil
	}
	if name, isKeyword := strings.CutPrefix(token, ":"); isKeyword {
		if k, ok := parseName(name); ok {
			return k, nil
		}
		return nil, p.errorf(start, "%s is not a keyword", token)
	}
	if strings.HasPrefix(token, ".") && firstIsDigit(token[1:]) {
		return nil, p.errorf(start, "a number needs a digit before its point")
	}
	if k, ok := parseName(token); ok {
		return dclone.Symbol(k), nil
	}
	return nil, p.errorf(start, "not a symbol")
}

// parseName splits the name of a keyword or symbol as Clojure does: at its first slash. The part
// after the last slash begins with no digit; a slash alone is a name, with and without namespace.
func parseName(s string) (k dclone.Keyword, ok bool) {
	if s == "/" {
		return dclone.Kw("", "/"), true
	}
	if s == "" || s[0] == ':' || strings.HasSuffix(s, ":") || strings.Contains(s, "::") {
		return dclone.Keyword{}, false
	}
	namespace, name, qualified := strings.Cut(s, "/")
	if !qualified {
		return dclone.Kw("", s), true
	}
	if name == "/" {
		return dclone.Kw(namespace, name), namespace != "" && !strings.HasSuffix(namespace, ":")
	}
	before, last := s[:strings.LastIndexByte(s, '/')], s[strings.LastIndexByte(s, '/')+1:]
	ok = namespace != "" && last != "" && !firstIsDigit(last) && !strings.HasSuffix(before, ":")
	return dclone.Kw(namespace, name), ok
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func firstIsDigit(s string) bool { return s != "" && isDigit(s[0]) }

func firstIsLetter(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r)
}
