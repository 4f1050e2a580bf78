package fressian

import (
	"errors"
	"fmt"
	"math/big"

	"dclone"

	"github.com/google/uuid"
)

// builtin writes the values whose struct types have codes of their own.
func (e *Encoder) builtin(v any) error {
	switch v := v.(type) {
	case dclone.Keyword:
		return e.named(codeKey, v)
	case dclone.Symbol:
		return e.named(codeSym, dclone.Keyword(v))
	case dclone.Instant:
		return e.inst(v)
	case uuid.UUID:
		return e.uuid(v)
	case dclone.URI:
		return e.textStruct(codeURI, string(v))
	case Regex:
		return e.textStruct(codeRegex, string(v))
	case *big.Int:
		return e.bigInt(v)
	case dclone.Decimal:
		return e.bigDec(v)
	case Set:
		return e.set(v)
	case Map:
		return e.mapping(v)
	case Tagged:
		return e.tagged(v)
	case Raw:
		return e.raw(v)
	}
	return e.array(v)
}

// leaf writes the code of a struct none of whose fields nests.
func (e *Encoder) leaf(c byte) error {
	if err := e.enter(); err != nil {
		return err
	}
	e.leave()
	e.code(c)
	return nil
}

func (e *Encoder) named(c byte, k dclone.Keyword) error {
	if err := e.leaf(c); err != nil {
		return err
	}
	if k.Namespace == "" && !k.EmptyNamespace {
		e.code(codeNull)
	} else if err := e.cachedText(k.Namespace); err != nil {
		return err
	}
	return e.cachedText(k.Name)
}

func (e *Encoder) inst(v dclone.Instant) error {
	if err := e.leaf(codeInst); err != nil {
		return err
	}
	e.int(int64(v))
	return nil
}

func (e *Encoder) uuid(v uuid.UUID) error {
	if err := e.leaf(codeUUID); err != nil {
		return err
	}
	e.bytes(v[:])
	return nil
}

func (e *Encoder) textStruct(c byte, s string) error {
	if err := e.leaf(c); err != nil {
		return err
	}
	return e.text(s)
}

func (e *Encoder) bigInt(v *big.Int) error {
	if v == nil {
		return errors.New("bigint is a nil *big.Int")
	}
	if err := e.leaf(codeBigInt); err != nil {
		return err
	}
	e.bytes(appendBigInt(nil, v))
	return nil
}

func (e *Encoder) bigDec(v dclone.Decimal) error {
	if v.Unscaled == nil {
		return errors.New("bigdec has a nil Unscaled")
	}
	if err := e.leaf(codeBigDec); err != nil {
		return err
	}
	e.bytes(appendBigInt(nil, v.Unscaled))
	e.int(int64(v.Scale))
	return nil
}

func (e *Encoder) set(v Set) error {
	if err := e.enter(); err != nil {
		return err
	}
	e.code(codeSet)
	if err := e.list(v); err != nil {
		return err
	}
	e.leave()
	return nil
}

func (e *Encoder) mapping(v Map) error {
	items := make([]any, 0, 2*len(v))
	for _, entry := range v {
		items = append(items, entry.Key, entry.Value)
	}
	if err := e.enter(); err != nil {
		return err
	}
	e.code(codeMap)
	if err := e.list(items); err != nil {
		return err
	}
	e.leave()
	return nil
}

func (e *Encoder) tagged(v Tagged) error {
	if _, ok := tagCodes[v.Tag]; ok {
		return fmt.Errorf("struct %q: the tag is fressian's own", v.Tag)
	}
	if err := e.enter(); err != nil {
		return err
	}
	if err := e.structType(structType{v.Tag, len(v.Fields)}); err != nil {
		return err
	}
	for _, field := range v.Fields {
		if err := e.value(field); err != nil {
			return err
		}
	}
	e.leave()
	return nil
}

// structType writes the head of a struct: its type in full, or a reference to it.
func (e *Encoder) structType(t structType) error {
	index, known := e.types.intern(t)
	switch {
	case !known:
		e.code(codeStruct)
		if err := e.text(t.tag); err != nil {
			return err
		}
		e.int(int64(t.fields))
	case index < packedTypes:
		e.code(codeType0 + byte(index))
	default:
		e.code(codeType)
		e.int(int64(index))
	}
	return nil
}

// raw writes a value that has caches of its own through those of e.
func (e *Encoder) raw(v Raw) error {
	w := Walker{b: v, size: len(v), depth: e.depth}
	w.Skip()
	w.End()
	switch {
	case w.err != nil:
		return w.err
	case !w.shared:
		e.buf = append(e.buf, v...)
		return nil
	}
	decoded, _, err := Decode(v)
	if err != nil {
		return err
	}
	return e.value(decoded)
}
