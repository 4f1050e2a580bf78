package edn

import (
	"encoding/hex"
	"math"

	"dclone"

	"github.com/google/uuid"
)

// dispatch reads the form that begins with the # at the present position.
func (p *parser) dispatch() (any, error) {
	switch c := p.at(1); c {
	case '{':
		return p.set()
	case ':':
		return p.namespacedMap()
	case '#':
		return p.symbolic()
	case 0:
		return nil, p.errorf(p.pos, "# begins nothing")
	case '"', '\'', '(', '<', '^', '?', '=':
		return nil, p.errorf(p.pos, "#%c is Clojure, but not EDN", c)
	}
	return p.tagged()
}

func (p *parser) symbolic() (any, error) {
	start := p.pos
	p.pos += 2
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	switch token {
	case "NaN":
		return math.NaN(), nil
	case "Inf":
		return math.Inf(1), nil
	case "-Inf":
		return math.Inf(-1), nil
	}
	return nil, p.errorf(start, "##%s is none of ##NaN, ##Inf, ##-Inf", token)
}

func (p *parser) tagged() (any, error) {
	start := p.pos
	p.pos++
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	tag, ok := parseName(token)
	if !ok || !firstIsLetter(token) {
		return nil, p.errorf(start, "#%s is not a tag", token)
	}
	v, err := p.operand(start, "#"+token)
	if err != nil {
		return nil, err
	}
	read, ok := tagReaders[token]
	if !ok {
		return Tagged{dclone.Symbol(tag), v}, nil
	}
	text, ok := v.(string)
	if !ok {
		return nil, p.errorf(start, "#%s is not followed by a string", token)
	}
	v, problem := read(text)
	if problem != "" {
		return nil, p.errorf(start, "#%s: %s", token, problem)
	}
	return v, nil
}

// tagReaders make a value of the string after a tag, or say what is wrong with it.
var tagReaders = map[string]func(text string) (v any, problem string){
	"inst":  readInst,
	"uuid":  readUUID,
	"uri":   func(text string) (any, string) { return dclone.URI(text), "" },
	"bytes": readBytes,
}

func readUUID(text string) (any, string) {
	const form = "00000000-0000-0000-0000-000000000000"
	id, err := uuid.Parse(text)
	if err != nil || len(text) != len(form) { // uuid.Parse reads other forms too
		return nil, "not of the form " + form
	}
	return id, ""
}

func readBytes(text string) (any, string) {
	b, err := hex.DecodeString(text)
	if err != nil {
		return nil, "not pairs of hexadecimal digits"
	}
	return b, ""
}
