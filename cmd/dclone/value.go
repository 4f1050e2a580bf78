package main

import (
	"fmt"

	"dclone"
	"dclone/edn"
	"dclone/fressian"
)

// value returns the value of d as one that EDN has a notation for.
func value(d dclone.Datom) (any, error) {
	v, _, err := fressian.Decode(d.V)
	if err != nil {
		return nil, fmt.Errorf("read datom of entity %d, attribute %d, t %d: %w", d.E, d.A, d.Tx.T(), err)
	}
	return notation(v), nil
}

// notation returns what EDN writes for a value of fressian. What it has no notation for, only database
// functions hold; they are written as Datomic prints them: #db/fn{:lang :clojure, …}.
func notation(v any) any {
	switch v := v.(type) {
	case []any:
		return notations(v)
	case fressian.Objects:
		return notations(v)
	case fressian.Set:
		return edn.Set(notations(v))
	case fressian.Map:
		m := make(edn.Map, len(v))
		for i, e := range v {
			m[i] = edn.Entry{Key: notation(e.Key), Value: notation(e.Value)}
		}
		return m
	case fressian.Regex:
		return edn.Tagged{Tag: dclone.Symbol(dclone.Kw("", "regex")), Value: string(v)}
	case fressian.Tagged:
		return tagged(v)
	case []int64:
		return elements(v)
	case []int32:
		return widened(v)
	case []float64:
		return elements(v)
	case []float32:
		return elements(v)
	case []bool:
		return elements(v)
	}
	return v
}

func notations(vs []any) []any {
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = notation(v)
	}
	return out
}

func elements[T any](vs []T) []any {
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = v
	}
	return out
}

func widened(vs []int32) []any {
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = int64(v)
	}
	return out
}

func tagged(v fressian.Tagged) any {
	if v.Tag == "datomic/fn" && len(v.Fields) == 1 {
		return edn.Tagged{Tag: dclone.Symbol(dclone.Kw("db", "fn")), Value: notation(v.Fields[0])}
	}
	return edn.Tagged{Tag: dclone.Symbol(dclone.Kw("fressian", "struct")), Value: append([]any{v.Tag}, notations(v.Fields)...)}
}
