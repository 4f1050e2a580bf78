package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"dclone"
	"dclone/datomic/segment/segmenttest"
	"dclone/fressian"
)

// The attributes of a stock, the Datomic Pro database that tests read.
const (
	stockName dclone.EntityID = segmenttest.FirstAttribute + iota
	stockPrice
	stockNext
	stockPhoto
	stockRule
)

// stockTxs returns the transactions of a stock of n items. They have a t of their own, and so has each
// item: t is not consecutive.
func stockTxs(t testing.TB, n int) []dclone.Tx {
	t.Helper()
	const (
		valueType   = 40
		cardinality = 41
		unique      = 42
		doc         = 62
	)
	var schema []dclone.Datom
	for _, a := range []struct {
		e    dclone.EntityID
		name string
		typ  int64
	}{{stockName, "name", 23}, {stockPrice, "price", 22}, {stockNext, "next", 20}, {stockPhoto, "photo", 27}, {stockRule, "rule", 26}} {
		schema = append(schema, segmenttest.Datom(t, a.e, dclone.AttrIdent, dclone.Kw("stock", a.name), true),
			segmenttest.Datom(t, a.e, valueType, a.typ, true), segmenttest.Datom(t, a.e, cardinality, int64(35), true),
			segmenttest.Datom(t, a.e, doc, "the "+a.name, true), segmenttest.Datom(t, 0, 13, int64(a.e), true))
	}
	schema = append(schema, segmenttest.Datom(t, stockName, unique, int64(38), true))
	txs := []dclone.Tx{segmenttest.Tx(t, segmenttest.FirstT, schema...)}
	for i := range n {
		txs = append(txs, stockItem(t, i))
	}
	return txs
}

// stockItem returns the transaction of item i, which has a photo where i is even, and refers to the one before.
func stockItem(t testing.TB, i int) dclone.Tx {
	at := segmenttest.FirstT + 10 + 2*dclone.T(i)
	e := dclone.MakeEntityID(4, int64(at)+1)
	datoms := []dclone.Datom{segmenttest.Datom(t, e, stockName, fmt.Sprint("item ", i), true),
		segmenttest.Datom(t, e, stockPrice, int64(i*10), true)}
	if i > 0 {
		datoms = append(datoms, segmenttest.Datom(t, e, stockNext, int64(e)-2, true))
	}
	if i%2 == 0 {
		datoms = append(datoms, segmenttest.Datom(t, e, stockPhoto, []byte{0, 0xff, byte(i)}, true))
	}
	if i == 0 {
		rule := fressian.Tagged{Tag: "datomic/fn", Fields: []any{fressian.Map{{Key: dclone.Kw("", "lang"), Value: dclone.Kw("", "clojure")},
			{Key: dclone.Kw("", "params"), Value: []any{dclone.Symbol(dclone.Kw("", "db"))}}, {Key: dclone.Kw("", "code"), Value: "(+ 1 1)"}}}}
		datoms = append(datoms, segmenttest.Datom(t, e, stockRule, rule, true))
	}
	return segmenttest.Tx(t, at, datoms...)
}

// stockBackup adds to a backup in a directory, which may be missing, a restore point of a stock of n items.
func stockBackup(t testing.TB, dir string, n int, id string) {
	t.Helper()
	db := segmenttest.Build(t, stockTxs(t, n), segmenttest.Options{DatabaseID: id, Tail: 2})
	write := func(key string, b []byte) {
		path := filepath.Join(dir, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		whole := filepath.Join(dir, "new") // somebody may be reading
		if err := errors.Join(os.WriteFile(whole, b, 0o666), os.Rename(whole, path)); err != nil {
			t.Fatal(err)
		}
	}
	write("owner", []byte(id))
	for id, b := range db.Segments {
		write("values/"+id[len(id)-2:]+"/"+id, b)
	}
	write("roots/"+db.T.String(), db.RootFile(t, 3))
}
