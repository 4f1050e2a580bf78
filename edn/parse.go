package edn

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Limits of what is read.
const (
	// MaxDepth is how deep forms may lie within forms, tags and discards counted.
	MaxDepth = 512
	// MaxInput is the length in bytes of the longest text that is read.
	MaxInput = 64 << 20
)

// A SyntaxError says what is wrong with a text, and where. Of the text itself, which may hold
// secrets, it repeats no more than keywords and tags.
type SyntaxError struct {
	Line, Column int // both from 1; columns count characters
	Msg          string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Msg) }

// Parse reads a text that holds exactly one form.
func Parse(b []byte) (any, error) {
	r := NewReader(b)
	v, err := r.Next()
	if errors.Is(err, io.EOF) {
		return nil, r.p.errorf(len(r.p.b), "no form in the text")
	}
	if err != nil {
		return nil, err
	}
	if err := r.p.skip(); err != nil {
		return nil, err
	}
	if r.p.pos < len(r.p.b) {
		return nil, r.p.errorf(r.p.pos, "a second form, where only one may be")
	}
	return v, nil
}

// A Reader reads the forms of a text one after another.
type Reader struct {
	p   parser
	err error
}

// NewReader returns a Reader of b, which must not change while it is read. The values that are
// read do not refer to b.
func NewReader(b []byte) *Reader {
	b = bytes.TrimPrefix(b, []byte("\uFEFF"))
	r := &Reader{p: parser{b: b}}
	if len(b) > MaxInput {
		r.err = fmt.Errorf("text of %d bytes is longer than %d", len(b), MaxInput)
	} else if at := invalidUTF8(b); at >= 0 {
		r.err = r.p.errorf(at, "byte %#x is not UTF-8", b[at])
	}
	return r
}

// Next returns the next form. It returns io.EOF after the last; any other error comes again.
func (r *Reader) Next() (any, error) {
	if r.err != nil {
		return nil, r.err
	}
	if r.err = r.p.skip(); r.err != nil {
		return nil, r.err
	}
	if r.p.pos == len(r.p.b) {
		return nil, io.EOF
	}
	v, err := r.p.form()
	if err != nil {
		r.err = err
		return nil, err
	}
	return v, nil
}

// invalidUTF8 returns the offset of the first byte of b that is not UTF-8, or -1.
func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	at := 0
	for {
		r, n := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && n == 1 {
			return at
		}
		at += n
	}
}

// A parser is a text, valid UTF-8, and how far it is read.
type parser struct {
	b     []byte
	pos   int
	depth int
}

func (p *parser) errorf(at int, format string, args ...any) error {
	before := p.b[:at]
	start := bytes.LastIndexByte(before, '\n') + 1
	return &SyntaxError{
		Line:   bytes.Count(before, []byte("\n")) + 1,
		Column: utf8.RuneCount(before[start:]) + 1,
		Msg:    fmt.Sprintf(format, args...),
	}
}

// skip passes over whitespace, comments and discarded forms.
func (p *parser) skip() error {
	for p.pos < len(p.b) {
		switch c := p.b[p.pos]; {
		case c == ';':
			p.skipLine()
		case c == '#' && p.at(1) == '_':
			if err := p.discard(); err != nil {
				return err
			}
		default:
			n := leadingSpace(p.b[p.pos:])
			if n == 0 {
				return nil
			}
			p.pos += n
		}
	}
	return nil
}

func (p *parser) skipLine() {
	if n := bytes.IndexAny(p.b[p.pos:], "\r\n"); n >= 0 {
		p.pos += n
	} else {
		p.pos = len(p.b)
	}
}

func (p *parser) discard() error {
	start := p.pos
	p.pos += len("#_")
	_, err := p.operand(start, "#_")
	return err
}

// operand reads the form that a prefix, begun at start and passed over, applies to.
func (p *parser) operand(start int, prefix string) (any, error) {
	if p.depth == MaxDepth {
		return nil, p.errorf(start, "forms lie deeper than %d", MaxDepth)
	}
	p.depth++
	defer func() { p.depth-- }()
	if err := p.skip(); err != nil {
		return nil, err
	}
	if p.pos == len(p.b) {
		return nil, p.errorf(start, "no form after %s", prefix)
	}
	return p.form()
}

// at returns the byte n places on, or 0 at the end of the text.
func (p *parser) at(n int) byte {
	if p.pos+n < len(p.b) {
		return p.b[p.pos+n]
	}
	return 0
}

// form reads the form that begins at the present position.
func (p *parser) form() (any, error) {
	switch c := p.b[p.pos]; c {
	case '"':
		return p.string()
	case '\\':
		return p.char()
	case '(':
		elems, _, err := p.elements("list", ')')
		return List(elems), err
	case '[':
		elems, _, err := p.elements("vector", ']')
		return Vector(elems), err
	case '{':
		return p.mapForm("")
	case ')', ']', '}':
		return nil, p.errorf(p.pos, "%c closes nothing", c)
	case '#':
		return p.dispatch()
	case '^':
		return nil, p.errorf(p.pos, "metadata is not EDN")
	}
	return p.atom()
}
