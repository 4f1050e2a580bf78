package edn

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// string reads a string at its opening quote.
func (p *parser) string() (any, error) {
	open := p.pos
	p.pos++
	var text []byte
	for p.pos < len(p.b) {
		switch c := p.b[p.pos]; c {
		case '"':
			p.pos++
			return string(text), nil
		case '\\':
			var err error
			if text, err = p.escape(text); err != nil {
				return nil, err
			}
		default:
			text = append(text, c)
			p.pos++
		}
	}
	return nil, p.errorf(open, "string is not closed")
}

var escapes = map[byte]byte{'t': '\t', 'r': '\r', 'n': '\n', 'b': '\b', 'f': '\f', '\\': '\\', '"': '"'}

// escape reads an escape at its backslash and appends what it stands for.
func (p *parser) escape(text []byte) ([]byte, error) {
	c := p.at(1)
	if plain, ok := escapes[c]; ok {
		p.pos += 2
		return append(text, plain), nil
	}
	if c != 'u' {
		return nil, p.errorf(p.pos, "unknown escape in a string")
	}
	unit, ok := hexUnit(p.b[p.pos+2:])
	if !ok {
		return nil, p.errorf(p.pos, `\u is not followed by four hexadecimal digits`)
	}
	p.pos += 6
	if p.at(0) == '\\' && p.at(1) == 'u' {
		low, _ := hexUnit(p.b[p.pos+2:])
		if r := utf16.DecodeRune(unit, low); r != utf8.RuneError {
			p.pos += 6
			return utf8.AppendRune(text, r), nil
		}
	}
	return appendUnit(text, unit), nil
}

func hexUnit[T string | []byte](digits T) (rune, bool) {
	if len(digits) < 4 {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(digits[:4]), 16, 16)
	return rune(unit), err == nil
}

// appendUnit appends a UTF-16 unit: a surrogate as the three bytes WTF-8 has for it.
func appendUnit(dst []byte, unit rune) []byte {
	if utf16.IsSurrogate(unit) {
		return append(dst, 0xe0|byte(unit>>12), 0x80|byte(unit>>6)&0x3f, 0x80|byte(unit)&0x3f)
	}
	return utf8.AppendRune(dst, unit)
}

// leadingSurrogate returns the surrogate that s begins with, if it does.
func leadingSurrogate(s string) (unit rune, ok bool) {
	if len(s) < 3 || s[0] != 0xed || s[1]&0xe0 != 0xa0 || s[2]&0xc0 != 0x80 {
		return 0, false
	}
	return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), true
}

// appendString prints s between quotes.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for s != "" {
		if unit, ok := leadingSurrogate(s); ok {
			dst, s = appendHexUnit(dst, unit), s[3:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		dst, s = appendQuoted(dst, r), s[n:]
	}
	return append(dst, '"')
}

func appendQuoted(dst []byte, r rune) []byte {
	const plain = "tnrbf\\\""
	if i := strings.IndexRune("\t\n\r\b\f\\\"", r); i >= 0 {
		return append(dst, '\\', plain[i])
	}
	if isControl(r) {
		return appendHexUnit(dst, r)
	}
	return utf8.AppendRune(dst, r)
}

// isControl tells what is not printed as it is: controls, and what some programs end a line at.
func isControl(r rune) bool {
	return r < ' ' || 0x7f <= r && r <= 0x9f || r == '\u2028' || r == '\u2029'
}

func appendHexUnit(dst []byte, unit rune) []byte {
	const digits = "0123456789ABCDEF"
	return append(dst, '\\', 'u', digits[unit>>12&15], digits[unit>>8&15], digits[unit>>4&15], digits[unit&15])
}

var charNames = map[string]rune{
	"newline": '\n', "space": ' ', "tab": '\t', "backspace": '\b', "formfeed": '\f', "return": '\r',
}

// char reads a character at its backslash: whatever comes next is its first character, and may
// be the only one.
func (p *parser) char() (any, error) {
	start := p.pos
	p.pos++
	if p.pos == len(p.b) {
		return nil, p.errorf(start, "no character after a backslash")
	}
	first, n := utf8.DecodeRune(p.b[p.pos:])
	p.pos += n
	more, err := p.token()
	if err != nil {
		return nil, err
	}
	if more == "" {
		return Char(first), nil
	}
	if r, ok := charNames[string(first)+more]; ok {
		return Char(r), nil
	}
	if unit, ok := hexUnit(more); ok && first == 'u' && len(more) == 4 && !utf16.IsSurrogate(unit) {
		return Char(unit), nil
	}
	return nil, p.errorf(start, "no such character")
}

// appendChar prints c: by its name, as a \u escape where it is not to be seen, else as it is.
func appendChar(dst []byte, c Char) []byte {
	r := rune(c)
	for name, named := range charNames {
		if named == r {
			return append(append(dst, '\\'), name...)
		}
	}
	if isControl(r) || utf16.IsSurrogate(r) || r > ' ' && r != ',' && unicode.IsSpace(r) {
		return appendHexUnit(dst, r)
	}
	return utf8.AppendRune(append(dst, '\\'), r)
}
