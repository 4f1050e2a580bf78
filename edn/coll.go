package edn

import "dclone"

// elements reads what lies between an opening delimiter at the present position and its closing
// one, and tells where each element begins.
func (p *parser) elements(what string, closing byte) (elems []any, begin []int, err error) {
	open := p.pos
	if p.depth == MaxDepth {
		return nil, nil, p.errorf(open, "forms lie deeper than %d", MaxDepth)
	}
	p.depth++
	defer func() { p.depth-- }()
	p.pos++
	elems = []any{}
	for {
		if err := p.skip(); err != nil {
			return nil, nil, err
		}
		switch p.at(0) {
		case closing:
			p.pos++
			return elems, begin, nil
		case ')', ']', '}':
			return nil, nil, p.errorf(p.pos, "%c closes no %s", p.b[p.pos], what)
		}
		if p.pos == len(p.b) {
			return nil, nil, p.errorf(open, "%s is not closed", what)
		}
		begin = append(begin, p.pos)
		elem, err := p.form()
		if err != nil {
			return nil, nil, err
		}
		elems = append(elems, elem)
	}
}

func (p *parser) set() (any, error) {
	p.pos++ // elements begins at the brace
	elems, begin, err := p.elements("set", '}')
	if err != nil {
		return nil, err
	}
	if i := firstDuplicate(elems); i >= 0 {
		return nil, p.errorf(begin[i], "element is in the set twice")
	}
	return Set(elems), nil
}

// mapForm reads a map at its brace. Where namespace is not "", it is that of the keys without one.
func (p *parser) mapForm(namespace string) (any, error) {
	open := p.pos
	forms, begin, err := p.elements("map", '}')
	if err != nil {
		return nil, err
	}
	if len(forms)%2 != 0 {
		return nil, p.errorf(open, "map has a key without a value")
	}
	m := make(Map, len(forms)/2)
	keys := make([]any, len(m))
	for i := range m {
		key, ok := inNamespace(forms[2*i], namespace)
		if !ok {
			return nil, p.errorf(begin[2*i], "key cannot be in namespace %s", namespace)
		}
		keys[i], m[i] = key, Entry{key, forms[2*i+1]}
	}
	if i := firstDuplicate(keys); i >= 0 {
		if k, ok := keys[i].(dclone.Keyword); ok {
			return nil, p.errorf(begin[2*i], "key %s is in the map twice", k)
		}
		return nil, p.errorf(begin[2*i], "key is in the map twice")
	}
	return m, nil
}

// namespacedMap reads a map at the #: before its namespace.
func (p *parser) namespacedMap() (any, error) {
	start := p.pos
	p.pos += 2
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	name, ok := parseName(token)
	if !ok || name.Namespace != "" || firstIsDigit(token) {
		return nil, p.errorf(start, "#:%s names no namespace for a map", token)
	}
	if err := p.skip(); err != nil {
		return nil, err
	}
	if p.at(0) != '{' {
		return nil, p.errorf(start, "no map after #:%s", token)
	}
	return p.mapForm(token)
}

// inNamespace returns key in namespace if it is a keyword or symbol without one, and without one
// if its own is _. It is not ok where that makes what no text denotes, as :0 in a map of #:ns.
func inNamespace(key any, namespace string) (moved any, ok bool) {
	if namespace == "" {
		return key, true
	}
	switch k := key.(type) {
	case dclone.Keyword:
		moved = nameInNamespace(k, namespace)
	case dclone.Symbol:
		moved = dclone.Symbol(nameInNamespace(dclone.Keyword(k), namespace))
	default:
		return key, true
	}
	read, err := Parse(Append(nil, moved))
	return moved, err == nil && read == moved
}

func nameInNamespace(k dclone.Keyword, namespace string) dclone.Keyword {
	switch k.Namespace {
	case "":
		k.Namespace = namespace
	case "_":
		k.Namespace = ""
	}
	return k
}
